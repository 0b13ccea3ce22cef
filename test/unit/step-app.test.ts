import { generateKeyPairSync } from "node:crypto";
import { CloudEvent, HTTP } from "cloudevents";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import type { RunDurably, StepGraph } from "../../lib/durable/durable.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import { HINTS, NO_USAGE, STEP_REQUESTED, type StepResult } from "../../lib/step.ts";
import { createStepApp } from "../../lib/step-app.ts";
import { createStepTokenVerifier, mintStepToken } from "../../lib/token.ts";

const keys = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");
const graph: StepGraph = { compile: () => ({ invoke: async () => ({}) }) };
const succeeded: StepResult = { outcome: "succeeded", artifacts: { capture: "k" }, usage: NO_USAGE };
const soon = (): Date => new Date(Date.now() + 60_000);

function app(runDurably: RunDurably, draining = new AbortController().signal) {
  return createStepApp("scrape", graph, {
    runDurably,
    verifyToken: createStepTokenVerifier(keys.publicKey),
    log: pino({ level: "silent" }),
    draining,
  });
}

interface Change {
  readonly type?: string;
  readonly step?: string;
  readonly jti?: string;
  readonly sub?: string;
  readonly key?: typeof keys.privateKey;
  readonly expires?: Date;
  readonly data?: unknown;
}

async function post(change: Change = {}, runDurably: RunDurably = async () => succeeded): Promise<Response> {
  const token = await mintStepToken(
    { sub: change.sub ?? "uid-1", jti: change.jti ?? "id-1", allow: [], run: "run-1" },
    change.key ?? keys.privateKey,
    change.expires ?? soon(),
  );
  const data = change.data ?? {
    workload: { namespace: "default", name: "demo", uid: "uid-1" },
    run: "run-1",
    step: change.step ?? "scrape",
    input: { item: "http://a.example/", params: {}, from: {} },
    deadline: soon().toISOString(),
    retryLimit: 3,
    token,
  };
  const message = HTTP.binary(
    new CloudEvent({ id: "id-1", type: change.type ?? STEP_REQUESTED, source: "/test", data }),
  );
  return app(runDurably).request("/", {
    method: "POST",
    headers: message.headers as Record<string, string>,
    body: message.body as string,
  });
}

describe("the step contract", () => {
  test("a finished step is a CloudEvent, byte for byte the same each time", async () => {
    const [one, two] = [await post(), await post()];
    expect(one.status).toBe(200);
    expect(one.headers.get("content-type")).toContain("application/cloudevents+json");
    const [first, second] = [await one.text(), await two.text()];
    expect(second).toBe(first);
    expect(JSON.parse(first)).toMatchObject({
      id: "id-1-completed",
      type: "dev.agentic.step.completed",
      subject: "default/demo/scrape/http://a.example/",
      data: { request: "id-1", outcome: "succeeded", artifacts: { capture: "k" } },
    });
  });

  test.each<[string, Change, number, string]>([
    ["another event type", { type: "dev.agentic.other" }, 400, "WrongType"],
    ["another function's step", { step: "analyze" }, 400, "WrongStep"],
    ["data that is not a request", { data: { hello: 1 } }, 400, "InvalidRequest"],
    ["a token for another step", { jti: "id-2" }, 401, "InvalidToken"],
    ["a token for another workload", { sub: "uid-2" }, 401, "InvalidToken"],
    ["a token by another key", { key: other.privateKey }, 401, "InvalidToken"],
    ["an expired token", { expires: new Date(Date.now() - 1000) }, 401, "InvalidToken"],
  ])("%s", async (_name, change, status, reason) => {
    const response = await post(change, async () => {
      throw new Error("must not run");
    });
    expect([response.status, response.headers.get("agentic-reason")]).toEqual([status, reason]);
    expect(await response.text()).toBe("");
  });

  test.each<[string, Error, number, string, string | null]>([
    ["trouble that passes", new RetryableError("LeaseHeld", "busy", { retryAfterSeconds: 7 }), 503, "LeaseHeld", "7"],
    ["what can never work", new TerminalError("ArtifactMissing", "gone"), 400, "ArtifactMissing", null],
    ["a defect of ours is delivered again", new Error("oops"), 503, "Internal", "5"],
  ])("%s", async (_name, error, status, reason, retryAfter) => {
    const response = await post({}, async () => {
      throw error;
    });
    expect([response.status, response.headers.get("agentic-reason"), response.headers.get("retry-after")]).toEqual([
      status,
      reason,
      retryAfter,
    ]);
    expect(await response.text()).toBe("");
  });

  test.each<[string, string, Record<string, string>, number]>([
    ["no CloudEvent at all", "hello", {}, 400],
    [
      "no id",
      "{}",
      { "ce-specversion": "1.0", "ce-type": STEP_REQUESTED, "ce-source": "/t", "content-type": "application/json" },
      400,
    ],
    [
      "garbage as JSON",
      "{{{",
      {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-type": STEP_REQUESTED,
        "ce-source": "/t",
        "content-type": "application/json",
      },
      400,
    ],
    ["two megabytes", "x".repeat(2_000_000), { "content-type": "application/json" }, 413],
  ])("%s", async (_name, body, headers, status) => {
    const response = await app(async () => succeeded).request("/", { method: "POST", headers, body });
    expect(response.status).toBe(status);
  });

  test.each([...HINTS])("a hint that requests will come is answered, and nothing is done: %s", async (type) => {
    const response = await post({ type, data: {} }, async () => {
      throw new Error("not asked for");
    });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  test("readiness ends with the drain, liveness does not", async () => {
    const draining = new AbortController();
    const one = app(async () => succeeded, draining.signal);
    expect((await one.request("/health/readiness")).status).toBe(200);
    draining.abort();
    expect((await one.request("/health/readiness")).status).toBe(503);
    expect((await one.request("/health/liveness")).status).toBe(200);
  });
});
