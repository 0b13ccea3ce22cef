import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudEvent, HTTP } from "cloudevents";
import { exportSPKI, generateKeyPair } from "jose";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import type { StepRequest } from "../../lib/step.ts";
import { mintStepToken } from "../../lib/token.ts";
import { type Served, serveFunction } from "../func/served.ts";
import { startRedis, type TestRedis } from "../redis-server.ts";
import { captureTidy } from "./tidy.ts";

const keys = await generateKeyPair("EdDSA", { extractable: true });
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

async function serve(name: string, settings: Record<string, string> = {}): Promise<Served> {
  const pem = await exportSPKI(keys.publicKey);
  return serveFunction(name, {
    REDIS_URL: redis.url,
    ARTIFACTS_URL: `file://${folder}`,
    STEP_TOKEN_PUBLIC_KEY: pem,
    REVIEW_LINK_PUBLIC_KEY: pem,
    ...settings,
  });
}

async function analyzeRequest(id: string): Promise<StepRequest> {
  const token = { sub: "uid-1", jti: id, run: "run-1", allow: [] };
  return {
    workload: { namespace: "default", name: "demo", uid: "uid-1" },
    run: "run-1",
    step: "analyze",
    input: {
      item: "http://tidy.test/",
      params: {
        objective: "What does cleaning cost?",
        model: { name: "gpt-4o-mini", fallbacks: [], maxOutputTokens: 800 },
      },
      from: { scrape: [await captureTidy(createFolderArtifacts(folder))] },
    },
    deadline: new Date(Date.now() + 180_000).toISOString(),
    retryLimit: 3,
    token: await mintStepToken(token, keys.privateKey, new Date(Date.now() + 240_000)),
  };
}

const eventOf = (id: string, data: unknown) =>
  new CloudEvent({ id, type: "dev.agentic.step.requested", source: "/test", data });

async function send(url: string, message: { headers: unknown; body: unknown }): Promise<Response> {
  const headers = message.headers as Record<string, string>;
  return fetch(url, { method: "POST", headers, body: message.body as string });
}

test.each(["scrape", "analyze", "report", "approve"])(
  "%s listens, says that it lives and is ready, and ends on SIGTERM",
  async (name) => {
    const served = await serve(name);
    for (const probe of ["liveness", "readiness"])
      expect((await fetch(`${served.url}/health/${probe}`)).status).toBe(200);
    expect(await served.end()).toBe(0);
  },
);

describe("analyze, sent what func invoke sends", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve("analyze");
  });
  afterAll(() => served.end());

  test("does the step, binary and structured, and answers the same bytes again", async () => {
    const event = eventOf("step-1", await analyzeRequest("step-1"));
    const first = await send(served.url, HTTP.binary(event));
    expect([first.status, first.headers.get("content-type")]).toEqual([200, expect.stringContaining("cloudevents")]);
    const body = await first.text();
    expect(JSON.parse(body)).toMatchObject({
      type: "dev.agentic.step.completed",
      data: { request: "step-1", outcome: "succeeded", output: expect.stringContaining("Tidy: 2 offers") },
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
    ["2 MB", () => HTTP.structured(eventOf("x", { step: "x".repeat(2_000_000) })) as never, 413, "TooLarge"],
  ])("refuses %s with its reason, and lives on", async (_what, message, status, reason) => {
    const response = await send(served.url, message());
    expect([response.status, response.headers.get("agentic-reason"), await response.text()]).toEqual([
      status,
      reason,
      "",
    ]);
    expect((await fetch(`${served.url}/health/liveness`)).status).toBe(200);
  });

  test("refuses a token that was minted for another step", async () => {
    const request = { ...(await analyzeRequest("step-2")), token: (await analyzeRequest("step-3")).token };
    const response = await send(served.url, HTTP.binary(eventOf("step-2", request)));
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
    const event = HTTP.binary(eventOf("step-4", await analyzeRequest("step-4")));
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

describe("wrong settings end it with a sentence each", () => {
  test.each<[string, string, Record<string, string>, RegExp]>([
    ["no such function", "dance", {}, /FUNCTION: one of reconcile, scrape, analyze, report, approve, egress/],
    ["no key", "analyze", { STEP_TOKEN_PUBLIC_KEY: "" }, /STEP_TOKEN_PUBLIC_KEY is not set/],
  ])("%s", async (_what, name, settings, words) => {
    await expect(serve(name, settings)).rejects.toThrow(words);
  });
});
