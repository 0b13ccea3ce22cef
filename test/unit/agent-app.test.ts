import { generateKeyPairSync } from "node:crypto";
import { HTTP } from "cloudevents";
import { describe, expect, test } from "vitest";
import { NO_USAGE, type StepResult } from "../../engine/result.ts";
import { createAgentApp } from "../../lib/agent-app.ts";
import type { DurableStep, RunDurably, StepGraph } from "../../lib/durable/durable.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import { createLog } from "../../lib/log.ts";
import { accessKey, createAccessOpener } from "../../lib/sealed-access.ts";
import { HINTS, identityOfRequest, STEP_REQUESTED, stepRequested } from "../../lib/step-events.ts";
import { createStepTokenVerifier, type GrantedAccess, mintStepTokens, type StepClaims } from "../../lib/token.ts";

const keys = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");
const graph: StepGraph = { compile: () => ({ invoke: async () => ({}) }) };
const succeeded: StepResult = { outcome: "succeeded", artifacts: { page: "k" }, usage: NO_USAGE };
const DEADLINE = "2030-01-01T10:00:00.000Z";
const AGENT_KEY = accessKey(keys.privateKey, "default.fetch");
const mustNotRun: RunDurably = async () => {
  throw new Error("must not run");
};

const REQUEST = {
  workload: { namespace: "default", name: "demo", uid: "uid-1" },
  run: "run-1",
  step: "fetch",
  revision: "r1",
  input: { item: "http://a.example/", params: {}, from: {} },
};
const IDENTITY = identityOfRequest(REQUEST);

function app(runDurably: RunDurably, draining = new AbortController().signal) {
  const verifyToken = createStepTokenVerifier([keys.publicKey]);
  const openAccess = createAccessOpener(AGENT_KEY);
  return createAgentApp(graph, { runDurably, verifyToken, openAccess, log: createLog("test", "silent"), draining });
}

interface Change {
  readonly type?: string;
  /** Over the token's claims. */
  readonly claims?: Partial<StepClaims>;
  readonly key?: typeof keys.privateKey;
  readonly expires?: Date;
  readonly granted?: GrantedAccess;
  /** Over the request, after its id was made. */
  readonly request?: object;
  readonly data?: unknown;
  readonly id?: string;
}

async function post(change: Change = {}, runDurably: RunDurably = async () => succeeded): Promise<Response> {
  const claims = { sub: "uid-1", jti: IDENTITY, allow: [], run: "run-1", deadline: DEADLINE, retryLimit: 3 };
  const expires = change.expires ?? new Date(Date.now() + 60_000);
  const tokens = await mintStepTokens(
    { ...claims, ...change.claims },
    change.key ?? keys.privateKey,
    expires,
    change.granted,
  );
  const event = stepRequested(
    { ...REQUEST, ...tokens },
    { agent: { namespace: "default", name: "fetch" }, source: "/test" },
  );
  const data = change.data ?? { ...event.data, ...change.request };
  const message = HTTP.binary(
    event.cloneWith({ id: change.id ?? event.id, type: change.type ?? STEP_REQUESTED, data }),
  );
  const headers = message.headers as Record<string, string>;
  return app(runDurably).request("/", { method: "POST", headers, body: message.body as string });
}

describe("the step contract", () => {
  test("a finished step is a CloudEvent, byte for byte the same each time", async () => {
    const [one, two] = [await post(), await post()];
    expect(one.status).toBe(200);
    expect(one.headers.get("content-type")).toContain("application/cloudevents+json");
    const [first, second] = [await one.text(), await two.text()];
    expect(second).toBe(first);
    expect(JSON.parse(first)).toMatchObject({
      id: `${IDENTITY}-completed`,
      type: "dev.agentic.step.completed",
      subject: "default/demo/fetch/http://a.example/",
      data: { request: IDENTITY, outcome: "succeeded", artifacts: { page: "k" } },
    });
  });

  test("the graph gets what the request says, and the deadline that was signed", async () => {
    const runs: DurableStep[] = [];
    await post({}, async (run) => {
      runs.push(run);
      return succeeded;
    });
    const { workload, run, step, input } = REQUEST;
    expect(runs[0]?.context).toMatchObject({
      identity: IDENTITY,
      workload,
      run,
      step,
      input,
      deadline: new Date(DEADLINE),
    });
  });

  describe("what is to be shown to single hosts", () => {
    const access = { "a.example": { headers: { "X-Key": "s3cr3t-value" } } };
    const granted = { access, agentKey: AGENT_KEY, proxyKey: undefined };

    test("reaches the graph, and is no part of what is stored of it", async () => {
      const runs: DurableStep[] = [];
      const run: RunDurably = async (step) => {
        runs.push(step);
        return succeeded;
      };
      expect((await post({ granted }, run)).status).toBe(200);
      expect((await post({}, run)).status).toBe(200);
      expect(runs.map(({ context }) => context.hostAccess)).toEqual([access, {}]);
      expect(JSON.stringify([runs[0]?.context.input, runs[0]?.context.claims])).not.toContain("s3cr3t");
    });

    test.each<[string, Change]>([
      ["is missing", { request: { hostAccess: undefined } }],
      ["is another's", { granted: { ...granted, agentKey: accessKey(keys.privateKey, "default.read") } }],
    ])("and %s: the step waits for a request that has it", async (_what, change) => {
      const response = await post({ granted, ...change }, mustNotRun);
      expect([response.status, response.headers.get("agentic-reason")]).toEqual([503, "HostAccessUnreadable"]);
    });

    test("counts only where the token says that there is some", async () => {
      const { hostAccess } = await mintStepTokens(
        { sub: "u", jti: IDENTITY, allow: [], run: "r", deadline: DEADLINE, retryLimit: 0 },
        keys.privateKey,
        new Date(Date.now() + 60_000),
        granted,
      );
      const runs: DurableStep[] = [];
      await post({ request: { hostAccess } }, async (step) => {
        runs.push(step);
        return succeeded;
      });
      expect(runs[0]?.context.hostAccess).toEqual({});
    });
  });

  test("a request of a later version may have more fields, but not in the input, of which the identity is made", async () => {
    expect((await post({ request: { priority: "high" } })).status).toBe(200);
    const refused = await post({ request: { input: { ...REQUEST.input, hint: "new" } } }, mustNotRun);
    expect([refused.status, refused.headers.get("agentic-reason")]).toEqual([400, "InvalidRequest"]);
  });

  test("a previous result of another namespace is refused, though the token covers it: who works for all reads all", async () => {
    const result = { outcome: "succeeded", artifacts: {} } as const;
    const of = (namespace: string) => ({ workload: { namespace, name: "last", uid: "uid-0" }, run: "run-0", result });
    const ask = async (namespace: string) => {
      const input = { ...REQUEST.input, previous: of(namespace) };
      const jti = identityOfRequest({ ...REQUEST, input });
      return post({ claims: { jti }, id: jti, request: { input } });
    };
    expect((await ask("default")).status).toBe(200);
    const refused = await ask("victim");
    expect([refused.status, refused.headers.get("agentic-reason")]).toEqual([400, "InvalidRequest"]);
  });

  test.each<[string, Change, number, string]>([
    ["another event type", { type: "dev.agentic.other" }, 400, "WrongType"],
    ["data that is not a request", { data: { hello: 1 } }, 400, "InvalidRequest"],
    [
      "an item over the limit",
      { request: { input: { item: "x".repeat(5000), params: {}, from: {} } } },
      400,
      "InvalidRequest",
    ],
    [
      "an input that was changed on the way",
      { request: { input: { item: "http://b.example/", params: {}, from: {} } } },
      401,
      "InvalidToken",
    ],
    ["a step that was changed on the way", { request: { step: "read" } }, 401, "InvalidToken"],
    ["another revision", { request: { revision: "r2" } }, 401, "InvalidToken"],
    ["another run, which no token is for", { request: { run: "run-2" } }, 401, "InvalidToken"],
    ["a token for another step", { claims: { jti: "id-2" } }, 401, "InvalidToken"],
    ["a token for another workload", { claims: { sub: "uid-2" } }, 401, "InvalidToken"],
    ["a token by another key", { key: other.privateKey }, 401, "InvalidToken"],
    ["an expired token", { expires: new Date(Date.now() - 1000) }, 401, "InvalidToken"],
    ["no token", { request: { token: "" } }, 401, "InvalidToken"],
  ])("%s", async (_name, change, status, reason) => {
    const response = await post(change, mustNotRun);
    expect([response.status, response.headers.get("agentic-reason")]).toEqual([status, reason]);
    expect(await response.text()).toBe("");
  });

  test("the egress proxy's token is not the step's", async () => {
    const claims = { sub: "uid-1", jti: IDENTITY, allow: [], run: "run-1", deadline: DEADLINE, retryLimit: 3 };
    const { egressToken } = await mintStepTokens(claims, keys.privateKey, new Date(Date.now() + 60_000));
    expect((await post({ request: { token: egressToken } }, mustNotRun)).status).toBe(401);
  });

  test.each<[string, Error, number, string, string | null]>([
    ["a failure that passes", new RetryableError("LeaseHeld", "busy", { retryAfterSeconds: 7 }), 503, "LeaseHeld", "7"],
    ["what can never work", new TerminalError("ArtifactMissing", "gone"), 400, "ArtifactMissing", null],
    ["a defect of the agent's is delivered again", new Error("oops"), 503, "Internal", "5"],
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

  const attributes = {
    "ce-specversion": "1.0",
    "ce-type": STEP_REQUESTED,
    "ce-source": "/t",
    "content-type": "application/json",
  };
  test.each<[string, string, Record<string, string>, number]>([
    ["no CloudEvent at all", "hello", {}, 400],
    ["no id", "{}", attributes, 400],
    ["garbage as JSON", "{{{", { ...attributes, "ce-id": "1" }, 400],
    ["nine megabytes", "x".repeat(9 * 1024 * 1024), { "content-type": "application/json" }, 413],
  ])("%s", async (_name, body, headers, status) => {
    const response = await app(async () => succeeded).request("/", { method: "POST", headers, body });
    expect(response.status).toBe(status);
  });

  test.each([...HINTS])("a hint that requests will come is answered, and nothing is done: %s", async (type) => {
    const response = await post({ type, data: {} }, mustNotRun);
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
