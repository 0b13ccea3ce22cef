import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { remoteAgent } from "../../cli/local/agents.ts";
import { createBroker } from "../../cli/local/broker.ts";
import { startForward } from "../../cli/local/forward.ts";
import { Interrupted } from "../../cli/local/interrupted.ts";
import type { StepOrder } from "../../cli/local/runner.ts";
import { waitForAgents } from "../../cli/local/wait-for-agents.ts";
import { pipelineStepSchema } from "../../crd/agentpipeline.ts";
import type { Item, StepResult } from "../../engine/result.ts";
import { type Artifacts, createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { parseEvent } from "../../lib/events.ts";
import { identityOfRequest, parseStepRequested, stepCompleted } from "../../lib/step-events.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let servers: Server[] = [];
let folder: string;
let artifacts: Artifacts;
beforeEach(async () => {
  servers = [];
  folder = await mkdtemp(join(tmpdir(), "agentic-agents-"));
  artifacts = createFolderArtifacts(folder);
});
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await rm(folder, { recursive: true, force: true });
});

/** A process of its own that listens and answers like this. @returns its URL */
async function listen(handler: Handler, port = 0): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    handler(request, response, body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const usage = { inputTokens: 0, outputTokens: 0, costUsd: 0, browserSeconds: 0 };
const success = (over: Partial<StepResult> = {}): StepResult => ({
  outcome: "succeeded",
  artifacts: {},
  usage,
  ...over,
});

/** Answers as an agent does that speaks the contract. */
const answer =
  (result: StepResult): Handler =>
  (request, response, body) => {
    const { identity, request: asked } = parseStepRequested(
      parseEvent(request.headers as Record<string, string>, body),
    );
    const completed = stepCompleted(identity, asked, result);
    response.writeHead(200, completed.headers).end(completed.body);
  };

/** Sends one step, as `agentic run` does. */
function send(
  url: string,
  {
    deadlineMs = 60_000,
    item,
    signal = new AbortController().signal,
  }: { deadlineMs?: number; item?: Item; signal?: AbortSignal } = {},
): Promise<StepResult> {
  const request = {
    workload: { namespace: "default", name: "demo", uid: "uid" },
    run: "run",
    step: "audit",
    revision: "1",
    input: { ...(item === undefined ? {} : { item }), params: {}, from: {} },
  };
  const order: StepOrder = {
    identity: identityOfRequest(request),
    agent: { namespace: "default", name: "auditor", revision: "1" },
    step: pipelineStepSchema.parse({ name: "audit", agent: "auditor" }),
    request,
    trace: { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`, pipeline: "default/audit" },
    deadline: new Date(Date.now() + deadlineMs),
    retryLimit: 1,
    spentUsd: 0,
  };
  const dispatch = createBroker({
    agents: new Map([["auditor", remoteAgent("auditor", url)]]),
    artifacts,
    agentEnv: "agent.env",
    mintTokens: async () => ({ token: "token", egressToken: "egress" }),
    signal,
    patienceMs: 1000,
  });
  return dispatch(order);
}

describe("an agent in a process of its own", () => {
  test("gets the request as a CloudEvent, whatever characters its item has", async () => {
    const item = { url: "https://www.example.com/ä ö?q=%20", note: "“日本”" };
    let asked: unknown;
    const url = await listen((request, response, body) => {
      asked = parseStepRequested(parseEvent(request.headers as Record<string, string>, body)).request.input.item;
      answer(success({ output: "fine" }))(request, response, body);
    });
    expect(await send(url, { item })).toMatchObject({ outcome: "succeeded", output: "fine" });
    expect(asked).toEqual(item);
  });

  test("is asked again after a 503, and its step may take longer than its first deliveries", async () => {
    let times = 0;
    const url = await listen((request, response, body) => {
      if (++times <= 3) response.writeHead(503, { "retry-after": "0" }).end();
      else answer(success())(request, response, body);
    });
    expect((await send(url)).outcome).toBe("succeeded");
    expect(times).toBe(4);
  });

  test("is believed about artifacts that are in the run's store, and no others", async () => {
    const key = await artifacts.put({ namespace: "default", uid: "uid" }, "bytes", "txt");
    expect((await send(await listen(answer(success({ artifacts: { page: key } }))))).outcome).toBe("succeeded");
    const missing = success({ artifacts: { page: `default/uid/${"0".repeat(64)}.txt` } });
    expect(await send(await listen(answer(missing)))).toMatchObject({
      reason: "ArtifactMissing",
      message: expect.stringMatching(/auditor at http:.*start it with ARTIFACTS_URL as in agent\.env/),
    });
    const nonsense = success({ artifacts: { page: "../../etc/passwd" } });
    expect(await send(await listen(answer(nonsense)))).toMatchObject({ reason: "ArtifactMissing" });
  });

  test.each<[string, Handler, string, RegExp]>([
    ["HTML", (_q, r) => r.writeHead(200, { "content-type": "text/html" }).end("<p>hi"), "InvalidResult", /text\/html/],
    ["200 and nothing", (_q, r) => r.writeHead(200).end(), "InvalidResult", /without a body/],
    ["404", (_q, r) => r.writeHead(404).end(), "AgentRefused", /answered 404/],
    ["500 each time", (_q, r) => r.writeHead(500).end(), "AgentUnavailable", /answered 500, 2 times/],
    [
      "a connection that breaks each time",
      (request) => request.socket.destroy(),
      "AgentUnavailable",
      /cannot be reached .*start it with the settings of agent\.env, 2 times/,
    ],
    ["10 MB", (_q, r) => r.writeHead(200).end("x".repeat(10 * 1024 * 1024)), "InvalidResult", /more than 8 MiB/],
    [
      "data without end",
      (_q, r) => {
        const more = (): void => {
          while (!r.destroyed && r.write("x".repeat(65_536)));
        };
        r.writeHead(200).on("drain", more);
        more();
      },
      "InvalidResult",
      /more than 8 MiB/,
    ],
  ])("that answers with %s fails its step with a sentence", async (_what, handler, reason, message) => {
    const url = await listen(handler);
    const result = await send(url);
    expect(result).toMatchObject({ outcome: "failed", reason, message: expect.stringMatching(message) });
    expect(result.message).toContain(`agent auditor at ${url}`);
  });

  test("that redirects is not followed: the request carries a token", async () => {
    let followed = false;
    const elsewhere = await listen((request, response, body) => {
      followed = true;
      answer(success())(request, response, body);
    });
    const url = await listen((_q, response) => response.writeHead(307, { location: elsewhere }).end());
    expect(await send(url)).toMatchObject({ reason: "AgentRefused", message: expect.stringContaining(elsewhere) });
    expect(followed).toBe(false);
  });

  test.each<[string, Handler]>([
    ["never answers", () => undefined],
    ["says 503 for ever", (_q, r) => r.writeHead(503, { "retry-after": "600" }).end()],
  ])("that %s ends at the step's deadline", async (_what, handler) => {
    const result = await send(await listen(handler), { deadlineMs: 300 });
    expect(result).toMatchObject({ reason: "DeadlineExceeded", message: expect.stringMatching(/by its deadline, 20/) });
  });

  test("that nobody started is named with its address and what to do", async () => {
    expect(await send("http://127.0.0.1:9/")).toMatchObject({
      reason: "AgentUnavailable",
      message: expect.stringMatching(/auditor at http:\/\/127\.0\.0\.1:9\/ cannot be reached \(.*ECONNREFUSED/),
    });
  });

  test("that is stopped by Ctrl-C in the middle of a step gives the command back at once", async () => {
    const stop = new AbortController();
    const reason = new Interrupted("SIGINT", "stopped by the user");
    const url = await listen(() => stop.abort(reason));
    await expect(send(url, { signal: stop.signal })).rejects.toBe(reason);
  });
});

describe("waiting for agents", () => {
  const signal = new AbortController().signal;

  test("ends when each is ready", async () => {
    let looks = 0;
    const url = await listen((request, response) => {
      expect(request.url).toBe("/health/readiness");
      response.writeHead(++looks < 3 ? 503 : 200).end();
    });
    await waitForAgents([{ name: "auditor", url }], { patienceMs: 30_000, hint: "", signal });
    expect(looks).toBe(3);
  });

  test.each<[string, Handler | undefined, RegExp]>([
    ["nobody listens", undefined, /agent auditor is not ready: http:.*readiness cannot be reached .*; start it/],
    ["it is none", (_q, r) => r.writeHead(404).end(), /answers 404/],
  ])("is given up with a sentence when %s", async (_what, handler, message) => {
    const url = handler ? await listen(handler) : "http://127.0.0.1:9/";
    const waiting = waitForAgents([{ name: "auditor", url }], { patienceMs: 0, hint: "; start it", signal });
    await expect(waiting).rejects.toMatchObject({ reason: "AgentNotReady", message: expect.stringMatching(message) });
  });
});

describe("a forwarded address", () => {
  test("leads to where the target is now", async () => {
    const [first, second] = await Promise.all(
      ["first", "second"].map((name) => listen((_q, response) => response.writeHead(200).end(name))),
    );
    let target = first ?? "";
    const forward = await startForward(0, async () => target);
    const ask = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${forward.port}/`, { headers: { connection: "close" } })).text();
    try {
      expect(await ask()).toBe("first");
      target = second ?? "";
      expect(await ask()).toBe("second");
    } finally {
      await forward.close();
    }
  });

  test("is another one when the wanted port is taken", async () => {
    const port = Number(new URL(await listen((_q, response) => response.end())).port);
    const forward = await startForward(port, async () => "");
    expect(forward.port).not.toBe(port);
    await forward.close();
  });
});
