import { generateKeyPairSync } from "node:crypto";
import { CloudEvent, HTTP } from "cloudevents";
import { describe, expect, test } from "vitest";
import type { StepResult } from "../../../engine/result.ts";
import { createApp, type ReconcileAppDeps } from "../../../functions/reconcile/index.ts";
import type { KindClient, KubeObject } from "../../../lib/edges/kube.ts";
import { RetryableError } from "../../../lib/errors.ts";
import { identityOfRequest, STEP_COMPLETED, stepRequested } from "../../../lib/step-events.ts";
import { createStepTokenVerifier, mintStepTokens } from "../../../lib/token.ts";
import { createHarness, done, pipelineOf, REF, UID, WORKLOAD } from "./harness.ts";

const keys = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");
const soon = (): Date => new Date(Date.now() + 60_000);
const past = (): Date => new Date(Date.now() - 60_000);

const REQUEST = {
  workload: { ...REF, uid: UID },
  run: "0123456789",
  step: "do",
  revision: "r1",
  input: { params: {}, from: {} },
};
const IDENTITY = identityOfRequest(REQUEST);
const tokensFor = (jti = IDENTITY, { key = keys.privateKey, expires = soon() } = {}) => {
  const claims = { sub: UID, jti, run: REQUEST.run, allow: [], deadline: soon().toISOString(), retryLimit: 3 };
  return mintStepTokens(claims, key, expires);
};

/** Reconcile's app over a harness, and what it was told. */
function createWorld(over: Partial<ReconcileAppDeps> = {}) {
  const harness = createHarness({
    pipeline: pipelineOf({ steps: [{ name: "do", agent: "worker" }] }),
    spec: {},
    answer: () => done(),
  });
  const undeliverable: string[] = [];
  const recorded: { identity: string; outcome: string; result: StepResult | undefined }[] = [];
  let looks = 0;
  const { deps } = harness;
  const app = createApp({
    ...deps,
    agentSettings: () => ({}),
    removeLogins: async () => {},
    exclusively: (_key, work) => {
      looks++;
      return work();
    },
    verifyToken: createStepTokenVerifier([keys.publicKey]),
    verifyExpiredToken: createStepTokenVerifier([keys.publicKey], { evenExpired: true }),
    markUndeliverable: async (identity, why) => void undeliverable.push(`${identity}: ${why}`),
    recordResult: async (identity, outcome, digest) => {
      recorded.push({ identity, outcome, result: await deps.results.get(WORKLOAD, digest) });
      return { outcome, digest, finishedAt: new Date(0) };
    },
    onNewSettings: async () => {},
    draining: new AbortController().signal,
    ...over,
  });
  const post = (event: CloudEvent<unknown>) => {
    const { headers, body } = HTTP.structured(event);
    return app.request("/", { method: "POST", headers: headers as Record<string, string>, body: body as string });
  };
  return { harness, app, post, undeliverable, recorded, looks: () => looks };
}

const answerOf = (response: Response) => [response.status, response.headers.get("agentic-reason")];

describe("a request that came back as a dead letter", () => {
  const agent = { namespace: "agentic-system", name: "worker" };
  const deadLetter = async (tokens: ReturnType<typeof tokensFor>, over: object = {}) =>
    stepRequested({ ...REQUEST, ...(await tokens) }, { agent, source: "/test" }).cloneWith({
      knativeerrorcode: 503,
      ...over,
    });

  test.each<[string, ReturnType<typeof tokensFor>]>([
    ["is believed", tokensFor()],
    ["is believed after its token has expired: it comes back late", tokensFor(IDENTITY, { expires: past() })],
  ])("%s", async (_what, tokens) => {
    const { post, undeliverable, looks } = createWorld();
    expect((await post(await deadLetter(tokens))).status).toBe(200);
    expect(undeliverable).toEqual([`${IDENTITY}: HTTP 503`]);
    expect(looks()).toBe(1);
  });

  test.each<[string, () => Promise<CloudEvent<unknown>>, number, string]>([
    ["forged", () => deadLetter(tokensFor(IDENTITY, { key: other.privateKey })), 401, "InvalidToken"],
    ["with another id", () => deadLetter(tokensFor(), { id: "f".repeat(32) }), 401, "InvalidToken"],
    ["with the token of another step", () => deadLetter(tokensFor("f".repeat(32))), 401, "InvalidToken"],
    ["without a request", () => deadLetter(tokensFor(), { data: {} }), 400, "InvalidRequest"],
  ])("%s changes nothing", async (_what, event, status, reason) => {
    const { post, undeliverable, looks } = createWorld();
    expect(answerOf(await post(await event()))).toEqual([status, reason]);
    expect([undeliverable, looks()]).toEqual([[], 0]);
  });
});

describe("a step's end", () => {
  const completed = (data: object): CloudEvent<unknown> =>
    new CloudEvent<unknown>({
      id: "1",
      type: STEP_COMPLETED,
      source: "/test",
      subject: "team-a/demo/do",
      datacontenttype: "application/json",
      data,
    });
  const withToken = async (over: object = {}, tokens = tokensFor()) =>
    completed({ request: IDENTITY, token: (await tokens).token, ...done(), ...over });

  test("of an agent that keeps its own records is a hint to look", async () => {
    const { post, recorded, looks } = createWorld();
    expect((await post(completed({ request: IDENTITY, ...done() }))).status).toBe(200);
    expect([recorded, looks()]).toEqual([[], 1]);
  });

  test("of one that keeps none is taken when it proves that it was asked", async () => {
    const { post, recorded, looks } = createWorld();
    expect((await post(await withToken({ output: "hello" }))).status).toBe(200);
    expect(recorded).toMatchObject([{ identity: IDENTITY, outcome: "succeeded", result: { output: "hello" } }]);
    expect(recorded[0]?.result).not.toHaveProperty("token");
    expect(looks()).toBe(1);
  });

  test("of a deleted workload leaves no bytes behind", async () => {
    const { harness, post } = createWorld({ recordResult: async () => "dropped" });
    expect((await post(await withToken({ output: "late" }))).status).toBe(200);
    const kept = await Promise.all(harness.artifactKeys.map((key) => harness.deps.artifacts.get(WORKLOAD, key)));
    expect(kept.filter((bytes) => new TextDecoder().decode(bytes).includes("late"))).toEqual([]);
  });

  test.each<[string, object, RegExp]>([
    ["another outcome", { outcome: "maybe" }, /no step result: .*outcome/s],
    ["a field that no result has", { html: "<p>" }, /no step result: .*html/s],
    ["an item over the limit", { items: ["x".repeat(5000)] }, /4096 characters/],
    ["501 items", { items: Array.from({ length: 501 }, () => "x") }, /at most 500 items/],
    ["data over the limit", { data: "x".repeat(20_000) }, /16384 characters of JSON: put the rest into an artifact/],
  ])("of one that answers %s ends the step with a sentence", async (_what, over, message) => {
    const { post, recorded } = createWorld();
    expect((await post(await withToken(over))).status).toBe(200);
    expect(recorded).toMatchObject([{ identity: IDENTITY, outcome: "failed", result: { reason: "InvalidResult" } }]);
    expect(recorded[0]?.result?.message).toMatch(message);
  });

  test.each<[string, () => Promise<CloudEvent<unknown>>]>([
    ["with the token of another request", () => withToken({}, tokensFor("f".repeat(32)))],
    ["for another request than the token's", () => withToken({ request: "f".repeat(32) })],
    ["with a token by another key", () => withToken({}, tokensFor(IDENTITY, { key: other.privateKey }))],
    ["with an expired token", () => withToken({}, tokensFor(IDENTITY, { expires: past() }))],
  ])("%s is refused", async (_what, event) => {
    const { post, recorded } = createWorld();
    expect(answerOf(await post(await event()))).toEqual([401, "InvalidToken"]);
    expect(recorded).toEqual([]);
  });

  test("is delivered again while the object store is away", async () => {
    const { harness, post, recorded } = createWorld({
      results: {
        put: async () => {
          throw new RetryableError("ArtifactStoreUnavailable", "away", { retryAfterSeconds: 2 });
        },
        get: async () => undefined,
      },
    });
    expect(answerOf(await post(await withToken()))).toEqual([503, "ArtifactStoreUnavailable"]);
    expect([recorded, harness.requests]).toEqual([[], []]);
  });
});

describe("the app", () => {
  test("an AgentSchedule's event is a look at it, and so is the end of a run of its workload", async () => {
    const asked: string[] = [];
    const { harness } = createWorld();
    const schedules = {
      ...harness.deps.kube.schedules,
      get: async ({ namespace, name }: { namespace: string; name: string }) => {
        asked.push(`${namespace}/${name}`);
        return undefined;
      },
    };
    const ended: Parameters<ReconcileAppDeps["recordRun"]>[0][] = [];
    const { post } = createWorld({
      kube: { ...harness.deps.kube, schedules },
      recordRun: (run) => void ended.push(run),
    });
    const data = { kind: "AgentSchedule", namespace: "team-a", name: "weekly" };
    const event = new CloudEvent<unknown>({ id: "1", type: "dev.knative.apiserver.ref.update", source: "/test", data });
    expect((await post(event)).status).toBe(200);
    expect(asked).toEqual(["team-a/weekly"]);

    const ref = { namespace: "team-a", name: "weekly-29600000" };
    const scheduled = createHarness({
      pipeline: pipelineOf({ steps: [{ name: "do", agent: "worker" }] }),
      spec: {},
      answer: () => done(),
      ref,
    });
    const world = createWorld({ ...scheduled.deps, kube: { ...scheduled.deps.kube, schedules } });
    const reference = new CloudEvent<unknown>({ ...event.toJSON(), data: { kind: "AgentWorkload", ...ref } });
    for (let round = 0; round < 12 && !scheduled.status.finishedAt; round++) {
      expect((await world.post(reference)).status).toBe(200);
      scheduled.pass(5_000);
      scheduled.argo();
      await scheduled.deliverAll();
    }
    expect(scheduled.status.phase).toBe("Succeeded");
    await expect.poll(() => asked, { timeout: 3000 }).toEqual(["team-a/weekly", "team-a/weekly"]);
  });

  test("refuses what is none of its business, and says why", async () => {
    const { post } = createWorld();
    const response = await post(new CloudEvent({ id: "1", type: "com.example.ping", source: "/test" }));
    expect(answerOf(response)).toEqual([400, "NotForReconcile"]);
    expect(decodeURIComponent(response.headers.get("agentic-message") ?? "")).toContain("com.example.ping");
  });

  test("answers when what the event brought has been done; when that failed, the Broker brings it again", async () => {
    const reference = new CloudEvent<unknown>({
      id: "1",
      type: "dev.knative.apiserver.ref.add",
      source: "/test",
      data: { kind: "AgentWorkload", ...REF },
    });
    const { harness, post } = createWorld();
    expect((await post(reference)).status).toBe(200);
    expect(harness.workflow).toBeDefined();
    const away = createWorld({
      exclusively: async () => {
        throw new RetryableError("StoreUnavailable", "Redis is away");
      },
    });
    expect(answerOf(await away.post(reference))).toEqual([503, "StoreUnavailable"]);
  });

  test.each<[string, string, number]>([
    ["no event", "hello", 400],
    ["nine megabytes", "x".repeat(9 * 1024 * 1024), 413],
  ])("refuses %s", async (_what, body, status) => {
    const headers = { "content-type": "application/json" };
    expect((await createWorld().app.request("/", { method: "POST", headers, body })).status).toBe(status);
  });

  test("is not ready while it drains", async () => {
    const draining = new AbortController();
    const { app } = createWorld({ draining: draining.signal });
    expect((await app.request("/health/readiness")).status).toBe(200);
    draining.abort();
    expect((await app.request("/health/readiness")).status).toBe(503);
    expect((await app.request("/health/liveness")).status).toBe(200);
  });
});

describe("the resync, and what waits", () => {
  const condition = (type: string, status: string, over: object = {}) => ({
    type,
    status,
    reason: "x",
    message: "",
    ...over,
  });
  const metadata = (name: string, over: object = {}): KubeObject["metadata"] => ({
    namespace: "team-a",
    name,
    uid: name,
    resourceVersion: "1",
    generation: 2,
    creationTimestamp: "2026-01-01T10:00:00Z",
    finalizers: [],
    labels: {},
    annotations: {},
    ...over,
  });
  const ready = (status: string, observedGeneration: number) => ({
    conditions: [condition("Ready", status, { observedGeneration })],
  });
  const finished = (phase: string, over: object = {}, observedGeneration = 2) => ({
    phase,
    finishedAt: "2026-01-01T09:00:00.000Z",
    conditions: [condition("Ready", "True", { observedGeneration })],
    ...over,
  });
  const OLD = { finishedAt: "2025-11-01T09:00:00.000Z" };

  const agents: [string, KubeObject, boolean][] = [
    ["ready", { metadata: metadata("ready"), spec: {}, status: ready("True", 2) }, true],
    ["not ready", { metadata: metadata("not-ready"), spec: {}, status: ready("False", 2) }, true],
    ["edited since", { metadata: metadata("edited"), spec: {}, status: ready("True", 1) }, true],
    ["never looked at", { metadata: metadata("new"), spec: {} }, true],
    [
      "on its way out",
      {
        metadata: metadata("deleted", { deletionTimestamp: "2026-01-01T10:00:00Z" }),
        spec: {},
        status: ready("True", 2),
      },
      true,
    ],
  ];
  const workloads: [string, KubeObject, boolean][] = [
    ["running", { metadata: metadata("running"), spec: {}, status: { phase: "Running" } }, true],
    ["new", { metadata: metadata("w-new"), spec: {} }, true],
    ["succeeded", { metadata: metadata("succeeded"), spec: {}, status: finished("Succeeded") }, false],
    ["rejected", { metadata: metadata("rejected"), spec: {}, status: finished("Rejected") }, false],
    [
      "failed, which starts again when its Workflow is deleted",
      { metadata: metadata("failed"), spec: {}, status: finished("Failed") },
      true,
    ],
    [
      "succeeded, and edited since",
      { metadata: metadata("w-edited"), spec: {}, status: finished("Succeeded", {}, 1) },
      true,
    ],
    ["succeeded long ago", { metadata: metadata("old"), spec: {}, status: finished("Succeeded", OLD) }, true],
    [
      "succeeded a while ago, kept for an hour",
      { metadata: metadata("hour"), spec: { ttlAfterFinished: "30m" }, status: finished("Succeeded") },
      true,
    ],
    [
      "expired",
      {
        metadata: metadata("expired"),
        spec: {},
        status: finished("Succeeded", {
          ...OLD,
          conditions: [
            condition("Ready", "True", { observedGeneration: 2 }),
            condition("Completed", "True", { reason: "Expired" }),
          ],
        }),
      },
      false,
    ],
    [
      "succeeded, on its way out",
      {
        metadata: metadata("w-deleted", { deletionTimestamp: "2026-01-01T10:00:00Z" }),
        spec: {},
        status: finished("Succeeded"),
      },
      true,
    ],
  ];

  /** Which objects were looked at after an event, in a cluster of all of these, where each look fails. */
  async function lookedAt(event: CloudEvent<unknown>): Promise<string[]> {
    return (await postTo(event)).looked;
  }

  async function postTo(event: CloudEvent<unknown>): Promise<{ looked: string[]; response: Response }> {
    const looked: string[] = [];
    const { harness } = createWorld();
    const listing = (client: KindClient, objects: readonly [string, KubeObject, boolean][]): KindClient => ({
      ...client,
      async *listAll() {
        for (const [, object] of objects) yield object;
      },
    });
    const waiting = (name: string): KubeObject => ({
      metadata: metadata(name),
      spec: {},
      status: { conditions: [condition("Accepted", "False")] },
    });
    const stalled: KubeObject = {
      metadata: metadata("stalled"),
      spec: {},
      status: { conditions: [condition("Accepted", "True"), condition("Ready", "False", { reason: "AgentNotFound" })] },
    };
    const kube = {
      ...harness.deps.kube,
      agents: listing(harness.deps.kube.agents, agents),
      workloads: listing(harness.deps.kube.workloads, [
        ...workloads,
        ["waiting", waiting("waiting"), true],
        ["stalled", stalled, true],
      ]),
    };
    const exclusively = async (key: string): Promise<never> => {
      looked.push(key.split("/").at(-1) ?? "");
      throw new RetryableError("Busy", "another process works on it");
    };
    const { post } = createWorld({ kube, exclusively });
    const response = await post(event);
    return { looked, response };
  }
  const ping = new CloudEvent<unknown>({ id: "1", type: "dev.knative.sources.ping", source: "/test" });
  const changed = (kind: string) =>
    new CloudEvent<unknown>({
      id: "1",
      type: "dev.knative.apiserver.ref.update",
      source: "/test",
      data: { kind, namespace: "team-a", name: "p" },
    });

  test("looks at all that may have something to do, whichever of them fails", async () => {
    const names = [...agents, ...workloads]
      .filter(([, , looked]) => looked)
      .map(
        ([
          ,
          {
            metadata: { name },
          },
        ]) => name,
      );
    expect((await lookedAt(ping)).toSorted()).toEqual([...names, "waiting", "stalled"].toSorted());
  });

  test("a pipeline that changed is looked at by those who wait for one, before their run or in it", async () => {
    expect(await lookedAt(changed("AgentPipeline"))).toEqual(["waiting", "stalled"]);
  });

  test("that failed is delivered again", async () => {
    expect(answerOf((await postTo(ping)).response)).toEqual([503, "Busy"]);
    expect(answerOf((await postTo(changed("AgentPipeline"))).response)).toEqual([503, "Busy"]);
  });

  test("a decision brings on its workload, and one that is gone nothing", async () => {
    const { harness, post, looks } = createWorld();
    await harness.settle({ rounds: 1 });
    const made = changed("AgentDecision");
    expect((await post(made)).status).toBe(200);
    expect(looks()).toBe(0);
    const spec = { workload: "demo", digest: "0".repeat(64), decision: "approved", by: "ben" };
    const object = { apiVersion: "agentic.dev/v1alpha1", kind: "AgentDecision", metadata: metadata("p"), spec };
    harness.objects.decisions.set("p", object);
    expect((await post(made)).status).toBe(200);
    expect(looks()).toBe(1);
    expect(harness.objects.decisions.get("p")?.status).toMatchObject({ outcome: "Refused", reason: "OtherFindings" });
    // The change of its status comes back as an event.
    expect((await post(made)).status).toBe(200);
    expect(looks()).toBe(1);
  });

  test("the resync comes back to a decision whose event was lost, and to no other", async () => {
    const { harness } = createWorld();
    const none: KindClient = { ...harness.deps.kube.agents, async *listAll() {} };
    const workloads = { ...harness.deps.kube.workloads, listAll: none.listAll };
    const { post } = createWorld({ kube: { ...harness.deps.kube, agents: none, workloads } });
    const spec = { workload: "demo", digest: "0".repeat(64), decision: "approved", by: "ben" };
    const decision = (name: string, over: object = {}): KubeObject => ({
      apiVersion: "agentic.dev/v1alpha1",
      kind: "AgentDecision",
      metadata: metadata(name),
      spec,
      ...over,
    });
    const recorded = { outcome: "Counted", reason: "First", message: "" };
    harness.objects.decisions.set("lost", decision("lost"));
    harness.objects.decisions.set("known", decision("known", { status: recorded }));
    harness.objects.decisions.set("none", decision("none", { spec: {} }));
    expect((await post(ping)).status).toBe(200);
    const statuses = [...harness.objects.decisions.values()].map(({ status }) => status);
    expect(statuses).toEqual([expect.objectContaining({ outcome: "Refused" }), recorded, undefined]);
  });

  describe("of a schedule", () => {
    const scheduled = (spec: object): KubeObject => ({
      metadata: metadata("soon"),
      spec: { schedule: "* * * * *", workloadTemplate: { spec: {} }, ...spec },
    });
    /** Its answer, and the schedules that were looked at until then. `left`: ms to the full minute. */
    const resyncAt = async (left: number, spec: object, over: Partial<ReconcileAppDeps> = {}) => {
      const { harness } = createWorld();
      const none: KindClient = { ...harness.deps.kube.agents, async *listAll() {} };
      const looked: string[] = [];
      const schedules: KindClient = {
        ...harness.deps.kube.schedules,
        async *listAll() {
          yield scheduled(spec);
        },
        get: async ({ name }) => void looked.push(name),
      };
      const workloads = { ...harness.deps.kube.workloads, listAll: none.listAll };
      const offset = Date.parse("2026-11-30T10:01:00Z") - left - Date.now();
      const { post } = createWorld({
        kube: { ...harness.deps.kube, agents: none, decisions: none, workloads, schedules },
        now: () => new Date(Date.now() + offset),
        ...over,
      });
      const began = Date.now();
      const { status } = await post(ping);
      return { status, ms: Date.now() - began, looked: looked.length };
    };

    test("whose time comes before the next resync keeps the instance awake, and is looked at then", async () => {
      // At once, for nobody has looked at it before, and when its time has come.
      const { status, ms, looked } = await resyncAt(300, {});
      expect([status, looked]).toEqual([200, 2]);
      expect(ms).toBeGreaterThanOrEqual(1290);
      expect(ms).toBeLessThan(5000);
    });

    test.each<[string, object]>([
      ["that comes after the next resync", { schedule: "3 10 * * *" }],
      ["that is suspended", { suspend: true }],
      ["that is invalid", { schedule: "x" }],
    ])("%s keeps nobody awake", async (_what, spec) => {
      const { status, ms, looked } = await resyncAt(300, spec);
      expect([status, looked]).toEqual([200, 1]);
      expect(ms).toBeLessThan(1000);
    });

    test("lets an instance go that drains", async () => {
      const draining = new AbortController();
      setTimeout(() => draining.abort(), 50);
      const { status, ms } = await resyncAt(30_000, {}, { draining: draining.signal });
      expect([status, ms < 5000]).toEqual([200, true]);
    });
  });

  test("an Agent that becomes ready brings on those who wait for it", async () => {
    const { harness } = createWorld();
    const waiting: KubeObject = {
      metadata: metadata("waiting"),
      spec: {},
      status: { conditions: [condition("Accepted", "False")] },
    };
    const looked: string[] = [];
    const invalid: KubeObject = {
      apiVersion: "agentic.dev/v1alpha1",
      kind: "Agent",
      metadata: metadata("p"),
      spec: {},
    };
    const { post } = createWorld({
      kube: {
        ...harness.deps.kube,
        agents: { ...harness.deps.kube.agents, get: async () => invalid, putStatus: async () => "written" },
        workloads: {
          ...harness.deps.kube.workloads,
          async *listAll() {
            yield waiting;
          },
        },
      },
      exclusively: (key, work) => {
        looked.push(key);
        return work();
      },
    });
    await post(changed("Agent"));
    expect(looked).toEqual(["agent/team-a/p", "team-a/waiting"]);
  });
});
