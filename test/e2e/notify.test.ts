import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { HTTP } from "cloudevents";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { RunEnd } from "../../engine/walk.ts";
import { reviewRequestedEvent, runCompletedEvent } from "../../functions/reconcile/workload/events.ts";
import { connectBroker } from "../../lib/edges/broker.ts";

// The example as its Trigger calls it, with the event that reconcile sends, and a chat that writes down what it is told.

const NOTIFY = fileURLToPath(new URL("../../examples/notify/notify.mjs", import.meta.url));
const said: unknown[] = [];
let chatAnswers = 200;
let chat: Server;
let notify: ChildProcess;
let url: string;

beforeAll(async () => {
  chat = createServer(async (request, response) => {
    said.push(JSON.parse(await text(request)));
    response.writeHead(chatAnswers).end("ok");
  }).listen(0, "127.0.0.1");
  await once(chat, "listening");
  const { port } = chat.address() as AddressInfo;
  notify = spawn(process.execPath, [NOTIFY], {
    env: { ...process.env, CHAT_URL: `http://127.0.0.1:${port}/hook`, PORT: "0" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (!notify.stdout) throw new Error("no stdout");
  for await (const line of createInterface({ input: notify.stdout })) {
    url = `http://127.0.0.1:${/listening on (\d+)/.exec(line)?.[1]}/`;
    break;
  }
});
afterAll(async () => {
  notify?.kill("SIGTERM");
  await once(notify, "exit");
  chat?.close();
});
beforeEach(() => {
  said.length = 0;
  chatAnswers = 200;
});

const event = () => {
  const workload = { namespace: "team-a", name: "demo", uid: "u-1" };
  const gate = {
    findings: { workload, run: "r-1" },
    digest: "0".repeat(64),
    timeoutAt: new Date("2026-12-01T10:00:00Z"),
    step: { name: "ask" },
  };
  return reviewRequestedEvent(gate as never, "https://review.example/r?token=t");
};

test("a review that waits is told in a line", async () => {
  await connectBroker(url)(event());
  expect(said).toEqual([
    {
      text: "team-a/demo waits at the gate ask until 2026-12-01T10:00:00.000Z. Review it: https://review.example/r?token=t",
    },
  ]);
});

const ended = (data: unknown, end: RunEnd = { phase: "Succeeded" }) => {
  const workload = { namespace: "team-a", name: "demo", uid: "u-1" };
  const run = { workload, run: "r-1", pipeline: { namespace: "agentic-system", name: "market-analysis" } };
  return runCompletedEvent(run as never, end, data);
};

test("what changed is told, and nothing that a page could make of it", async () => {
  const changes = ["Acme raised Solo (+33%).", "A<!channel> @all [x](https://evil.example)\nB"];
  await connectBroker(url)(ended({ title: "t", sites: 3, material: 3, changes }));
  expect(said).toEqual([
    {
      text: [
        "team-a/demo: 3 material changes",
        "- Acme raised Solo (+33%).",
        "- A&lt;!channel&gt; (at)all  x (https: //evil.example) B",
        "and 1 more",
      ].join("\n"),
    },
  ]);
});

test("a run that failed is told", async () => {
  await connectBroker(url)(ended(undefined, { phase: "Failed", reason: "TooManyFailedItems", message: "m" }));
  expect(said).toEqual([{ text: "team-a/demo failed: TooManyFailedItems" }]);
});

test.each([[{ title: "t", sites: 3, material: 0, changes: [] }], [{ pages: 3 }], [undefined], [null]])(
  "nothing is said where nothing material changed: %j",
  async (data) => {
    await connectBroker(url)(ended(data));
    expect(said).toEqual([]);
  },
);

test("a chat that is away is asked again by the Broker", async () => {
  chatAnswers = 500;
  const { headers, body } = HTTP.binary(event());
  const init = { method: "POST", headers: headers as Record<string, string>, body: body as string };
  expect((await fetch(url, init)).status).toBe(503);
});

test("what it knows nothing of is refused", async () => {
  for (const type of ["dev.agentic.step.completed", "constructor"])
    expect((await fetch(url, { method: "POST", body: "{}", headers: { "ce-type": type } })).status).toBe(400);
  expect(said).toEqual([]);
});

test.each(["", "{}", "no JSON", `"${"x".repeat(70_000)}"`])(
  "what is no event of ours is refused: %.10s",
  async (body) => {
    expect(
      (await fetch(url, { method: "POST", body, headers: { "ce-type": "dev.agentic.review.requested" } })).status,
    ).toBe(400);
    expect(said).toEqual([]);
  },
);
