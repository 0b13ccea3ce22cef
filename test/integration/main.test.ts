import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudEvent, HTTP } from "cloudevents";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { upstream } from "../../engine/outcomes.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { identityOfRequest, STEP_REQUESTED, stepRequested } from "../../lib/step-events.ts";
import { mintStepTokens } from "../../lib/token.ts";
import { startFakeOpenAi } from "../fakes/openai.ts";
import { ROOT } from "../func/command.ts";
import { type Served, serveFunction, serveScript } from "../func/served.ts";
import { startRedis, type TestRedis } from "../redis-server.ts";
import { captureTidy } from "./tidy.ts";

const keys = generateKeyPairSync("ed25519");
let folder: string;
let redis: TestRedis;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-main-"));
  redis = await startRedis();
});
afterAll(async () => {
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

function settings(): Record<string, string> {
  const publicPem = keys.publicKey.export({ type: "spki", format: "pem" }).toString();
  const privatePem = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return {
    REDIS_URL: redis.url,
    ARTIFACTS_URL: `file://${folder}`,
    STEP_TOKEN_PUBLIC_KEY: publicPem,
    REVIEW_LINK_PUBLIC_KEY: publicPem,
    STEP_TOKEN_PRIVATE_KEY: privatePem,
    REVIEW_LINK_PRIVATE_KEY: privatePem,
    BROKER_URL: "http://127.0.0.1:1",
  };
}

function serve(name: string, own: Record<string, string> = {}): Promise<Served> {
  return serveFunction(name, { ...settings(), ...own });
}

/** Analyzes Tidy's page; another `uid` is another workload, whose steps have not been done. */
async function analyzeRequest(uid: string): Promise<CloudEvent<unknown>> {
  const captured = await captureTidy(createFolderArtifacts(folder), { uid });
  const item = "http://tidy.test/";
  const asked = {
    workload: { namespace: "default", name: "demo", uid },
    run: "run-1",
    step: "analyze",
    revision: "1",
    input: {
      item,
      params: {
        objective: "What does cleaning cost?",
        model: { name: "gpt-6-luna", fallbacks: [], maxOutputTokens: 800 },
      },
      from: { scrape: [upstream(captured, item)] },
    },
  };
  const claims = {
    sub: uid,
    jti: identityOfRequest(asked),
    run: asked.run,
    allow: [],
    deadline: new Date(Date.now() + 180_000).toISOString(),
    retryLimit: 3,
  };
  const tokens = await mintStepTokens(claims, keys.privateKey, new Date(Date.now() + 240_000));
  const agent = { namespace: "agentic-system", name: "analyze" };
  return stepRequested({ ...asked, ...tokens }, { agent, source: "/test" });
}

const eventOf = (id: string, data: unknown) =>
  new CloudEvent<unknown>({ id, type: STEP_REQUESTED, source: "/test", data });

async function send(url: string, message: { headers: unknown; body: unknown }): Promise<Response> {
  const headers = message.headers as Record<string, string>;
  return fetch(url, { method: "POST", headers, body: message.body as string });
}

test.each(["scrape", "analyze", "report", "approve", "artifacts", "runs", "reconcile"])(
  "%s listens, says that it lives and is ready, is silent while it is idle, and ends on SIGTERM",
  async (name) => {
    const served = await serve(name, { LOG_LEVEL: "debug" });
    for (let second = 0; second < 2; second++) {
      for (const probe of ["liveness", "readiness"])
        expect((await fetch(`${served.url}/health/${probe}`)).status).toBe(200);
      await sleep(1000);
    }
    expect(await served.end()).toBe(0);
    // Reconcile also says which keys it has, once.
    const ordinary = served.said().replaceAll(/.*"audit":true.*\n/g, "");
    expect([...ordinary.matchAll(/"msg":"([^"]*)"/g)].map(([, msg]) => msg)).toEqual(["listening", "draining"]);
  },
);

test("bundled, as in the image, analyze finds the process that reads its pages", async () => {
  const bundle = join(folder, "bundle");
  execFileSync(process.execPath, [join(ROOT, "scripts/build.ts"), bundle], { cwd: ROOT });
  // What the bundle leaves outside is installed beside it.
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const served = await serveScript(join(bundle, "main.js"), { FUNCTION: "analyze", ...settings() });
  const answer = await send(served.url, HTTP.binary(await analyzeRequest("uid-bundled")));
  expect(await answer.json()).toMatchObject({ data: { output: expect.stringContaining("Tidy: 2 offers") } });
  expect(await served.end()).toBe(0);
});

test("reconcile starts with logins for each namespace, before the stores are there", async () => {
  const s3 = { S3_ENDPOINT: "http://127.0.0.1:1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
  const own = { TENANTS_KEY: "k".repeat(64), S3_ADMIN_ENDPOINT: "http://127.0.0.1:1" };
  const served = await serve("reconcile", { ARTIFACTS_URL: "s3://agentic-{namespace}", ...s3, ...own });
  expect((await fetch(`${served.url}/health/readiness`)).status).toBe(200);
  expect(await served.end()).toBe(0);
});

describe("with a receiver of OTLP", () => {
  const TRACE = "0af7651916cd43dd8448eb211c80319c";
  const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;
  let receiver: Server;
  let takes = true;
  let received: Buffer[] = [];
  /** Spans of the trace, as far as their ids show in the bytes. */
  const spansSent = () =>
    Buffer.concat(received).toString("latin1").split(Buffer.from(TRACE, "hex").toString("latin1")).length - 1;
  beforeAll(async () => {
    receiver = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        if (takes) received.push(Buffer.concat(chunks));
        response.writeHead(takes ? 200 : 400).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => new Promise((resolve) => receiver.close(resolve)));
  const serveTraced = (settings: Record<string, string> = {}) => {
    received = [];
    const { port } = receiver.address() as AddressInfo;
    return serve("analyze", {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_BSP_SCHEDULE_DELAY: "60000",
      ...settings,
    });
  };
  const ask = async (url: string, uid: string) =>
    send(url, HTTP.binary((await analyzeRequest(uid)).cloneWith({ traceparent: TRACEPARENT })));

  test("what was done is sent before the answer, under the trace of who asked, and log lines name it", async () => {
    takes = true;
    const served = await serveTraced();
    expect((await ask(served.url, "traced-1")).status).toBe(200);
    expect(spansSent()).toBeGreaterThanOrEqual(3);
    expect(await served.end()).toBe(0);
    expect(served.said()).toContain(`"trace_id":"${TRACE}"`);
  });

  test.each([
    ["", false],
    ["NO_CONTENT", false],
    ["true", true],
    ["SPAN_ONLY", true],
  ])("what is said to models is sent where the setting asks for it: %j", async (setting, isSent) => {
    takes = true;
    const provider = await startFakeOpenAi();
    const served = await serveTraced({
      LLM_BASE_URL: provider.baseUrl,
      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: setting,
    });
    expect((await ask(served.url, `said-${setting}`)).status).toBe(200);
    expect(provider.requests).not.toEqual([]);
    await served.end();
    await provider.close();
    expect(spansSent()).toBeGreaterThanOrEqual(3);
    const bytes = Buffer.concat(received);
    for (const attribute of ["gen_ai.input.messages", "gen_ai.output.messages"])
      expect(bytes.includes(attribute)).toBe(isSent);
  });

  test("what could not be sent with an answer is sent before the process ends", async () => {
    takes = false;
    const served = await serveTraced();
    await ask(served.url, "traced-2");
    takes = true;
    await ask(served.url, "traced-3");
    expect(spansSent()).toBe(0);
    expect(await served.end()).toBe(0);
    expect(spansSent()).toBeGreaterThanOrEqual(3);
  });
});

describe("analyze, sent what func invoke sends", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve("analyze");
  });
  afterAll(() => served.end());

  test("does the step, binary and structured, and answers the same bytes again", async () => {
    const event = await analyzeRequest("uid-1");
    const first = await send(served.url, HTTP.binary(event));
    expect([first.status, first.headers.get("content-type")]).toEqual([200, expect.stringContaining("cloudevents")]);
    const body = await first.text();
    expect(JSON.parse(body)).toMatchObject({
      type: "dev.agentic.step.completed",
      data: { request: event.id, outcome: "succeeded", output: expect.stringContaining("Tidy: 2 offers") },
    });
    const second = await send(served.url, HTTP.structured(event));
    expect([second.status, await second.text()]).toEqual([200, body]);
  });

  test.each<[string, () => { headers: Record<string, string>; body: string }, number, string]>([
    ["no event", () => ({ headers: { "content-type": "application/json" }, body: "{}" }), 400, "NotACloudEvent"],
    [
      "garbage",
      () => ({ headers: { "content-type": "application/cloudevents+json" }, body: "{" }),
      400,
      "NotACloudEvent",
    ],
    [
      "another type",
      () => HTTP.structured(new CloudEvent({ type: "com.example.other", source: "/test", data: {} })) as never,
      400,
      "WrongType",
    ],
    ["another schema", () => HTTP.structured(eventOf("x", { step: "analyze" })) as never, 400, "InvalidRequest"],
    ["9 MB", () => HTTP.structured(eventOf("x", { step: "x".repeat(9_000_000) })) as never, 413, "TooLarge"],
  ])("refuses %s with its reason, and lives on", async (_what, message, status, reason) => {
    const response = await send(served.url, message());
    expect([response.status, response.headers.get("agentic-reason"), await response.text()]).toEqual([
      status,
      reason,
      "",
    ]);
    expect((await fetch(`${served.url}/health/liveness`)).status).toBe(200);
  });

  test("each sender of too many bytes learns the reason, also one that is still writing when it is refused", async () => {
    const message = HTTP.structured(eventOf("x", { step: "x".repeat(9_000_000) }));
    for (let i = 0; i < 30; i++) {
      const response = await send(served.url, message);
      expect([response.status, await response.text()]).toEqual([413, ""]);
    }
  });

  test("refuses a token that was minted for another step", async () => {
    const [mine, other] = await Promise.all([analyzeRequest("uid-2"), analyzeRequest("uid-3")]);
    const { token } = other.data as { token: string };
    const response = await send(served.url, HTTP.binary(eventOf(mine.id, { ...(mine.data as object), token })));
    expect([response.status, response.headers.get("agentic-reason")]).toEqual([401, "InvalidToken"]);
  });

  test("refuses a token for an input that was changed", async () => {
    const event = await analyzeRequest("uid-4");
    const { input, ...rest } = event.data as { input: object };
    const changed = { ...rest, input: { ...input, item: "http://other.test/" } };
    const response = await send(served.url, HTTP.binary(eventOf(event.id, changed)));
    expect([response.status, response.headers.get("agentic-reason")]).toEqual([401, "InvalidToken"]);
  });
});

test("Redis is away when it starts: it says so, answers 503, and does its work when Redis is back", async () => {
  const own = await startRedis();
  await own.kill();
  const served = await serve("analyze", { REDIS_URL: own.url });
  try {
    expect(served.said()).toMatch(/Redis at .* cannot be reached/);
    expect((await fetch(`${served.url}/health/readiness`)).status).toBe(200);
    const event = HTTP.binary(await analyzeRequest("uid-5"));
    const refused = await send(served.url, event);
    expect([refused.status, refused.headers.get("agentic-reason")]).toEqual([503, "StoreUnavailable"]);
    await own.restart();
    await vi.waitFor(() => expect(served.said()).toMatch(/Redis answers/), { timeout: 30_000 });
    expect((await send(served.url, event)).status).toBe(200);
  } finally {
    await served.end();
    await own.stop();
  }
});

test("egress listens, answers who brings no token, and ends on SIGTERM", async () => {
  const served = await serve("egress");
  const { hostname: host, port } = new URL(served.url);
  const asked = request({ host, port, path: "http://tidy.test/" }).end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  expect(answer.statusCode).toBe(407);
  expect(await served.end()).toBe(0);
});

describe("wrong settings end it with a sentence each", () => {
  test.each<[string, string, Record<string, string>, RegExp]>([
    [
      "no such function",
      "dance",
      {},
      /FUNCTION is dance: expected one of reconcile, approve, artifacts, runs, admit, egress, setup, remove, doctor, scrape, analyze, report/,
    ],
    ["no public key", "analyze", { STEP_TOKEN_PUBLIC_KEY: "" }, /STEP_TOKEN_PUBLIC_KEY is not set/],
    ["no private key", "reconcile", { STEP_TOKEN_PRIVATE_KEY: "" }, /STEP_TOKEN_PRIVATE_KEY is not set/],
    ["no Broker", "reconcile", { BROKER_URL: "" }, /BROKER_URL is not set/],
    [
      "a login a namespace in one bucket for all",
      "reconcile",
      {
        TENANTS_KEY: "k".repeat(64),
        S3_ADMIN_ENDPOINT: "http://127.0.0.1:1",
        ...{ ARTIFACTS_URL: "s3://agentic", S3_ENDPOINT: "http://127.0.0.1:1" },
        ...{ AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" },
      },
      /S3_ADMIN_ENDPOINT is set, and ARTIFACTS_URL names no bucket for each namespace/,
    ],
    [
      "a login a namespace to a folder",
      "reconcile",
      { TENANTS_KEY: "k".repeat(64), S3_ADMIN_ENDPOINT: "http://127.0.0.1:1" },
      /S3_ADMIN_ENDPOINT is set, and ARTIFACTS_URL names no bucket for each namespace/,
    ],
  ])("%s", async (_what, name, settings, words) => {
    await expect(serve(name, settings)).rejects.toThrow(words);
  });
});
