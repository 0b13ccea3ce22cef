import { describe, expect, test } from "vitest";
import type { PipelineSpec } from "../../../crd/agentpipeline.ts";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { argoEngine } from "../../../functions/reconcile/argo/engine.ts";
import { isOver } from "../../../functions/reconcile/resync.ts";
import { type ReconcileDeps, reconcileWorkload } from "../../../functions/reconcile/workload/reconcile.ts";
import { RetryableError, TerminalError } from "../../../lib/errors.ts";
import { agentObject } from "./given.ts";
import { createHarness, done, type Harness, type HarnessOptions, keyOf, pipelineOf, REF, WORKLOAD } from "./harness.ts";

const ITEMS = ["http://a.example/", "http://b.example/", "http://c.example/"];
const INPUTS = { schema: { type: "object", properties: { items: { type: "array" }, question: { type: "string" } } } };
const chain = pipelineOf({
  inputs: INPUTS,
  steps: [
    { name: "fetch", agent: "fetch", forEach: "inputs.items" },
    { name: "read", agent: "read", after: ["fetch"], forEach: "inputs.items", with: ["question"] },
    { name: "review", after: ["read"], gate: {} },
    { name: "write", agent: "write", after: ["review", "read"], with: ["question"] },
  ],
});
const SPEC = { inputs: { items: ITEMS, question: "why?" } };

/** Each step leaves an artifact of its name. */
const start = (over: Partial<HarnessOptions> = {}): Harness =>
  createHarness({
    pipeline: chain,
    spec: SPEC,
    answer: ({ step }) => done({ output: step, artifacts: { [step]: keyOf(step) } }),
    ...over,
  });
const condition = ({ status }: Harness, type: string) => status.conditions?.find((one) => one.type === type);
const ready = (world: Harness) => condition(world, "Ready");
const timesDone = ({ executions }: Harness) => [...executions.values()].toSorted();
const nodesOf = ({ workflow }: Harness) => (workflow ? argoEngine.view(workflow).nodes : []);
const once = (count: number) => Array.from({ length: count }, () => 1);

/** A look, whose failure is answered to the Broker, with other dependencies. */
const lookWith = (world: Harness, over: Partial<ReconcileDeps>): Promise<Date | undefined> =>
  reconcileWorkload(REF, { ...world.deps, ...over });
const fails = (reason: string) => async (): Promise<never> => {
  throw new RetryableError(reason, `${reason}, of the test`);
};
/** Until the gate waits for its decision. */
async function atGate(over: Partial<HarnessOptions> = {}): Promise<Harness> {
  const world = start(over);
  for (let round = 0; round < 20 && world.status.phase !== "AwaitingReview"; round++) await world.settle({ rounds: 1 });
  expect(world.status.phase).toBe("AwaitingReview");
  return world;
}

describe("edits of the spec", () => {
  test("another question is another run: the earlier one is stopped, its fetched items are used again", async () => {
    const world = await atGate();
    const [first] = [...world.objects.workflows.keys()];
    world.edit({ inputs: { items: ITEMS, question: "how?" } });
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
    expect(world.objects.workflows.get(first ?? "")).toMatchObject({
      spec: { shutdown: "Terminate" },
      metadata: { annotations: { "agentic.dev/superseded": "true" } },
    });
    expect(timesDone(world)).toEqual(once(3 + 3 + 3 + 1));
  });

  test("going back to an earlier spec runs it again, and does nothing twice", async () => {
    const world = await atGate();
    world.edit({ inputs: { items: ITEMS, question: "how?" } });
    await world.settle({ rounds: 2 });
    world.edit(SPEC);
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
    expect(timesDone(world).filter((times) => times > 1)).toEqual([]);
    expect(world.workflow?.metadata.annotations["agentic.dev/superseded"]).toBeUndefined();
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    "taken back, it returns to the earlier run, though the process died after %i calls of the look that superseded it",
    async (calls) => {
      const faults: { rate: number; callsLeft?: number | undefined } = { rate: 0 };
      const world = await atGate({ faults });
      world.edit({ inputs: { items: ITEMS, question: "how?" } });
      faults.callsLeft = calls;
      await world.look();
      faults.callsLeft = undefined;
      world.argo();
      world.edit(SPEC);
      await world.settle({ decision: "approved" });
      expect(world.status.phase).toBe("Succeeded");
      expect(timesDone(world).filter((times) => times > 1)).toEqual([]);
    },
  );

  test.each<[string, Record<string, unknown>, string]>([
    ["is invalid", { ...SPEC, replicas: 0 }, "InvalidSpec"],
    ["names a pipeline that is not there", { ...SPEC, pipeline: "other" }, "PipelineNotFound"],
  ])(
    "an edit that %s stops nothing: the run of the last accepted spec goes on to its end",
    async (_what, spec, reason) => {
      const world = start({ spec: { ...SPEC, review: { timeout: "1h" } } });
      await world.settle({ rounds: 2 });
      world.edit(spec);
      await world.settle({ rounds: 8 });
      expect(condition(world, "Accepted")).toMatchObject({ status: "False", reason, observedGeneration: 2 });
      expect(ready(world)).toMatchObject({ reason, message: expect.stringContaining("goes on") });
      expect(world.status).toMatchObject({ phase: "AwaitingReview", items: { done: 3 } });
      const [review] = world.status.reviews ?? [];
      expect(Date.parse(review?.timeoutAt ?? "") - Date.parse(review?.openedAt ?? "")).toBe(3_600_000);
      await world.settle({ decision: "approved" });
      expect(world.status).toMatchObject({ phase: "Succeeded", outputs: { write: keyOf("write") } });
      expect([timesDone(world), world.objects.workflows.size]).toEqual([once(7), 1]);
      expect(condition(world, "Accepted")).toMatchObject({ status: "False", reason });
      expect(world.workload && isOver(world.workload, world.deps.now())).toBe(false);
      world.edit({ ...SPEC, review: { timeout: "1h" } });
      await world.look();
      expect([condition(world, "Accepted")?.status, ready(world)?.reason]).toEqual(["True", "Succeeded"]);
    },
  );

  test("an invalid edit that is followed by a valid one: that supersedes as ever", async () => {
    const world = await atGate();
    world.edit({ ...SPEC, replicas: 0 });
    await world.settle({ rounds: 1 });
    world.edit({ inputs: { items: ITEMS, question: "how?" } });
    await world.settle({ decision: "approved" });
    expect([world.status.phase, condition(world, "Accepted")?.status]).toEqual(["Succeeded", "True"]);
    expect([...world.objects.workflows.values()].map(({ spec }) => spec)).toMatchObject([
      { shutdown: "Terminate" },
      {},
    ]);
    expect(timesDone(world)).toEqual(once(3 + 3 + 3 + 1));
  });

  test("an invalid edit whose last accepted spec is lost starts nothing new", async () => {
    const world = start();
    await world.settle({ rounds: 1 });
    const asked = world.requests.length;
    world.loseBytes(() => false);
    world.edit({ ...SPEC, replicas: 0 });
    await world.settle({ rounds: 3 });
    expect(world.requests.length).toBe(asked);
    expect(ready(world)).toMatchObject({
      reason: "InvalidSpec",
      message: expect.stringContaining("starts nothing new"),
    });
    world.edit(SPEC);
    // The marks of the requests run out.
    world.pass(30_000);
    await world.settle({ decision: "approved" });
    expect([world.status.phase, world.objects.workflows.size]).toEqual(["Succeeded", 1]);
  });

  const hours = (world: Harness) => {
    const [{ openedAt = "", timeoutAt = "" } = {}] = world.status.reviews ?? [];
    return (Date.parse(timeoutAt) - Date.parse(openedAt)) / 3_600_000;
  };
  const gateDuration = ({ workflow }: Harness) => {
    const { templates = [] } = (workflow?.spec ?? {}) as {
      templates?: { name: string; suspend?: { duration?: string } }[];
    };
    return templates.find(({ name }) => name === "gate-review")?.suspend?.duration;
  };

  test.each<[string, Record<string, unknown>, object]>([
    ["replicas", { replicas: 3 }, { templates: expect.arrayContaining([expect.objectContaining({ parallelism: 3 })]) }],
    ["budget", { budget: { maxUsd: "5" } }, {}],
    ["review.required", { review: { required: true, onTimeout: "Approve" } }, {}],
    ["egress", { egress: { allow: ["b.example"] } }, {}],
    ["tolerate", { tolerate: { failedItems: 2 } }, {}],
    ["deadlines", { deadlines: { item: "9m", run: "9d" } }, { activeDeadlineSeconds: 9 * 24 * 3600 }],
    ["retry", { retry: { limit: 1 } }, {}],
    ["freshness", { freshness: "1h" }, {}],
    ["ttlAfterFinished", { ttlAfterFinished: "60d" }, { ttlStrategy: { secondsAfterCompletion: 61 * 24 * 3600 } }],
    ["suspend", { suspend: false }, {}],
  ])("another %s at an open gate changes the run, and starts no other", async (_field, over, spec) => {
    const world = await atGate();
    const [before] = world.status.reviews ?? [];
    world.edit({ ...SPEC, ...over });
    await world.settle({ rounds: 2 });
    expect([world.status.phase, world.objects.workflows.size]).toEqual(["AwaitingReview", 1]);
    expect(world.status.reviews).toMatchObject([
      { run: before?.run, digest: before?.digest, openedAt: before?.openedAt },
    ]);
    expect(world.workflow?.spec).toMatchObject(spec);
    await world.settle({ decision: "approved" });
    expect([world.status.phase, world.reviewRequests]).toEqual(["Succeeded", 1]);
    expect(timesDone(world)).toEqual(once(7));
  });

  test("an open gate waits as long as the edited timeout says, and Argo's own timer with it", async () => {
    const world = await atGate({ spec: { ...SPEC, review: { timeout: "1h" } } });
    expect([hours(world), gateDuration(world)]).toEqual([1, "4200"]);
    world.edit({ ...SPEC, review: { timeout: "48h" } });
    await world.look();
    expect([hours(world), gateDuration(world)]).toEqual([48, String(48 * 3600 + 600)]);
    world.pass(47 * 3_600_000);
    world.argo();
    await world.look();
    expect(world.status.phase).toBe("AwaitingReview");
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test("a timeout that is extended after Argo ended the gate comes too late: the terms that were told hold", async () => {
    const world = await atGate({ spec: { ...SPEC, review: { timeout: "1h" } } });
    world.pass(71 * 60_000);
    world.argo();
    world.edit({ ...SPEC, review: { timeout: "48h" } });
    await world.settle();
    expect(world.status).toMatchObject({ phase: "Rejected", reviews: [{ decision: "rejected", how: "Argo" }] });
  });

  test("a run that failed for its terms is tried again when they change, and not when it is kept longer", async () => {
    let broken = true;
    const world = await atGate({
      answer: ({ step }) =>
        step === "write" && broken
          ? { ...done(), outcome: "failed", reason: "BudgetExceeded", message: "the budget is spent" }
          : done(),
    });
    await world.settle({ decision: "approved" });
    expect([world.status.phase, ready(world)?.reason]).toEqual(["Failed", "BudgetExceeded"]);
    broken = false;
    world.edit({ ...SPEC, ttlAfterFinished: "60d", suspend: false });
    for (let round = 0; round < 4; round++) {
      world.pass(30_000);
      await world.look();
      world.argo();
      await world.deliverAll();
    }
    expect([world.status.phase, timesDone(world).length]).toEqual(["Failed", 7]);
    world.edit({ ...SPEC, ttlAfterFinished: "60d", budget: { maxUsd: "9" } });
    // The marks of the requests run out.
    world.pass(30_000);
    await world.look();
    await world.settle({ decision: "approved" });
    expect([world.status.phase, timesDone(world)]).toEqual(["Succeeded", [...once(6), 2]]);
  });

  test("a pipeline or an agent that is edited in mid-run changes nothing of it", async () => {
    const world = start();
    await world.settle({ rounds: 2 });
    world.objects.pipelines.clear();
    world.objects.agents.set("agentic-system/read", agentObject("read", { status: { revision: "r2" } }));
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
    expect(new Set(world.requests.map(({ revision }) => revision))).toEqual(new Set(["r1"]));
  });

  test("suspend holds what has not started, and no more", async () => {
    const world = start();
    await world.settle({ rounds: 1 });
    await world.look();
    world.edit({ ...SPEC, suspend: true });
    const asked = world.requests.length;
    await world.settle({ rounds: 3 });
    expect([world.status.phase, world.requests.length]).toEqual(["Suspended", asked]);
    world.edit(SPEC);
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
    expect(timesDone(world)).toEqual(once(7));
  });
});

describe("what a run needs", () => {
  test("a pipeline that appears later", async () => {
    const world = start();
    const pipelines = new Map(world.objects.pipelines);
    world.objects.pipelines.clear();
    await world.settle({ rounds: 1 });
    expect([world.status.phase, condition(world, "Accepted")?.reason]).toEqual(["Pending", "PipelineNotFound"]);
    for (const [name, object] of pipelines) world.objects.pipelines.set(name, object);
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test("an agent that appears later", async () => {
    const world = start();
    const agent = world.objects.agents.get("agentic-system/read");
    world.objects.agents.delete("agentic-system/read");
    await world.settle({ rounds: 1 });
    expect([world.status.phase, condition(world, "Accepted")?.reason]).toEqual(["Pending", "AgentNotFound"]);
    if (agent) world.objects.agents.set("agentic-system/read", agent);
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test("its own pipeline and agents are found before the shared ones", async () => {
    const world = start();
    const own = { ...agentObject("read"), status: { revision: "own" } };
    world.objects.agents.set("team-a/read", { ...own, metadata: { ...own.metadata, namespace: "team-a" } });
    const shared = world.objects.pipelines.get("agentic-system/p");
    if (shared)
      world.objects.pipelines.set("team-a/p", { ...shared, metadata: { ...shared.metadata, namespace: "team-a" } });
    await world.settle({ decision: "approved" });
    expect(world.status.pipeline).toBe("team-a/p");
    expect(world.requests.find(({ step }) => step === "read")?.revision).toBe("own");
  });

  test("an agent that is deleted in mid-run is missed after half a minute, and taken up when it is there again", async () => {
    const world = start();
    await world.settle({ rounds: 1 });
    world.argo();
    await world.look();
    await world.deliverAll();
    await world.look();
    world.argo();
    await world.look();
    const agent = world.objects.agents.get("agentic-system/read");
    world.objects.agents.delete("agentic-system/read");
    world.pass(40_000);
    await world.look();
    expect(ready(world)).toMatchObject({
      reason: "AgentNotFound",
      message: expect.stringContaining("Agent read was deleted"),
    });
    if (agent) world.objects.agents.set("agentic-system/read", agent);
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test("an agent that never answers ends its step at the deadline, with a result like any other", async () => {
    const world = start({ spec: { ...SPEC, deadlines: { item: "2m" }, tolerate: { failedItems: 3 } } });
    for (let round = 0; round < 12; round++) {
      world.pass(30_000);
      world.argo();
      await world.look();
    }
    expect(world.status.items).toMatchObject({ total: 3, failed: 3 });
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
    expect(world.requests.find(({ step }) => step === "write")?.input.from["read"]).toEqual([]);
  });

  test("a step's deadline counts from its first request, however often it is requested; a new attempt has one of its own", async () => {
    const world = start({ spec: { ...SPEC, deadlines: { item: "10m" } } });
    const deadlines = new Map<string, Set<string>>();
    const mintTokens: ReconcileDeps["mintTokens"] = async ({ jti, deadline }) => {
      deadlines.set(jti, (deadlines.get(jti) ?? new Set()).add(deadline));
      return { token: "token", egressToken: "egress" };
    };
    const requestAll = async (rounds: number): Promise<number[]> => {
      for (let round = 0; round < rounds; round++) {
        await lookWith(world, { mintTokens });
        world.argo();
        world.pass(30_000);
      }
      return [...deadlines.values()].map(({ size }) => size);
    };
    expect(await requestAll(5)).toEqual([1, 1, 1]);
    expect(world.requests.length).toBeGreaterThan(3);
    const first = [...deadlines.values()].flatMap((times) => [...times]);
    deadlines.clear();
    world.objects.workflows.clear();
    expect(await requestAll(5)).toEqual([1, 1, 1]);
    expect([...deadlines.values()].flatMap((times) => [...times])).not.toEqual(first);
  });

  test("with no event at all: it asks to be looked at when a step is late, and when its deadline is over", async () => {
    let clock = Date.parse("2026-01-01T10:00:00Z");
    const begun = clock;
    const world = start({ spec: { ...SPEC, deadlines: { item: "2m" } }, now: () => new Date(clock) });
    const seconds: number[] = [];
    for (let round = 0; round < 20; round++) {
      const at = await world.look();
      world.argo();
      if (!at) continue;
      clock = at.getTime();
      seconds.push(Math.round((clock - begun) / 1000));
    }
    expect(seconds).toEqual(expect.arrayContaining([30, 150]));
    expect(world.status.items).toMatchObject({ total: 3, failed: 3 });
  });

  test("an answer that does not match the agent's output schema fails its step with a sentence", async () => {
    const world = start({
      answer: () => done({ data: { price: "5" } }),
      spec: { ...SPEC, tolerate: { failedItems: 0 } },
    });
    const schema = { type: "object", properties: { price: { type: "number" } } };
    const agent = world.objects.agents.get("agentic-system/read");
    if (agent)
      world.objects.agents.set("agentic-system/read", {
        ...agent,
        spec: { ...(agent.spec as object), output: { schema } },
      });
    await world.settle();
    expect(world.status.phase).toBe("Failed");
    expect(ready(world)?.message).toContain("3 × InvalidOutput");
  });

  test("an agent that names another workload's artifact fails its step, and nobody reads it", async () => {
    const foreign = artifactKey({ ...REF, uid: "another" }, "0".repeat(64), "json");
    const world = start({
      answer: ({ step }) => done({ output: step, artifacts: step === "read" ? { page: foreign } : {} }),
    });
    await world.settle();
    expect(world.status.phase).toBe("Failed");
    expect(ready(world)?.message).toContain("InvalidArtifactKey");
    expect(JSON.stringify(world.requests)).not.toContain(foreign);
    expect(JSON.stringify(world.status)).not.toContain(`"${foreign}"`);
  });

  test("a namespace's own agents can log in before a step is claimed", async () => {
    const world = start({ spec: { image: "example/worker:1", inputs: { items: ["x"] } } });
    const calls: string[] = [];
    const { claimRequests } = world.deps;
    Object.assign(world.deps, {
      ensureLogins: async (namespace) => void calls.push(`login ${namespace}`),
      claimRequests: (uid, asked) => {
        calls.push("claim");
        return claimRequests(uid, asked);
      },
    } satisfies Partial<ReconcileDeps>);
    await world.settle({ rounds: 1 });
    const agent = world.objects.agents.get("team-a/demo");
    if (agent) world.objects.agents.set("team-a/demo", { ...agent, status: { revision: "r9" } });
    await world.settle();
    expect(world.status.phase).toBe("Succeeded");
    expect(calls.slice(0, 2)).toEqual(["login team-a", "claim"]);
  });

  test("shared agents have a login of their own", async () => {
    const world = start();
    Object.assign(world.deps, { ensureLogins: fails("LoginRefused") });
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test("the Agent of a workload's image is made, and the run starts once it is ready", async () => {
    const world = start({ spec: { image: "example/worker:1", inputs: { items: ["x", "y"] } } });
    await world.settle({ rounds: 1 });
    expect(condition(world, "Accepted")).toMatchObject({ status: "False", reason: "AgentNotReady" });
    const agent = world.objects.agents.get("team-a/demo");
    expect(agent).toMatchObject({
      spec: { image: "example/worker:1" },
      metadata: { ownerReferences: [{ name: "demo" }] },
    });
    if (agent) world.objects.agents.set("team-a/demo", { ...agent, status: { revision: "r9" } });
    await world.settle();
    expect(world.status).toMatchObject({ phase: "Succeeded", pipeline: "team-a/demo" });
    expect(world.requests.map(({ revision }) => revision)).toEqual(["r9", "r9"]);
  });

  test("an Agent of that name that is somebody else's stays as it is", async () => {
    const world = start({ spec: { image: "example/worker:1", inputs: { items: ["x", "y"] } } });
    const theirs = agentObject("demo");
    world.objects.agents.set("team-a/demo", theirs);
    await world.settle({ rounds: 2 });
    expect(condition(world, "Accepted")).toMatchObject({ status: "False", reason: "AgentNameTaken" });
    expect(world.objects.agents.get("team-a/demo")).toEqual(theirs);
  });
});

describe("bytes that the object store has lost", () => {
  const losing = (different: boolean): Promise<Harness> => {
    let answers = 0;
    return atGate({
      answer: ({ step }) =>
        done({ output: step, artifacts: { [step]: keyOf(`${step}-${different ? answers++ : 0}`) } }),
    });
  };

  /** A request's mark runs out first. */
  const redo = async (world: Harness): Promise<void> => {
    world.pass(30_000);
    await world.settle({ rounds: 1 });
  };

  test.each([
    ["the same", false],
    ["others", true],
  ])(
    "before the decision: the steps are done again, and what they left then, %s, is what is approved",
    async (_what, different) => {
      const world = await losing(different);
      const [before] = world.status.reviews ?? [];
      // Long after the deadlines of the steps.
      world.pass(12 * 3_600_000);
      world.loseBytes(() => false);
      for (let round = 0; round < 6; round++) await redo(world);
      const [after] = world.status.reviews ?? [];
      expect(after?.digest === before?.digest).toBe(!different);
      expect(world.reviewRequests).toBe(different ? 2 : 1);
      await world.settle({ decision: "approved" });
      expect(world.status.phase).toBe("Succeeded");
    },
  );

  test("before the decision, the same bytes again: the findings that people are shown are published again", async () => {
    const world = await losing(false);
    const key = artifactKey(WORKLOAD, world.status.reviews?.[0]?.digest ?? "", "json");
    expect(world.artifactKeys).toContain(key);
    world.loseBytes(() => false);
    for (let round = 0; round < 6; round++) await redo(world);
    expect([world.status.phase, world.reviewRequests]).toEqual(["AwaitingReview", 1]);
    expect(world.artifactKeys).toContain(key);
  });

  test("before the decision, only the findings: they are published again", async () => {
    const world = await losing(false);
    const key = artifactKey(WORKLOAD, world.status.reviews?.[0]?.digest ?? "", "json");
    world.loseBytes((other) => other !== key);
    await redo(world);
    expect(world.artifactKeys).toContain(key);
  });

  test.each([
    ["more", ["x", "y", "z", "new"]],
    ["fewer", ["x"]],
  ])("a list that has %s items when it is made again ends the run, and says why", async (_what, others) => {
    const pipeline = pipelineOf({
      steps: [
        { name: "find", agent: "fetch" },
        { name: "check", agent: "read", after: ["find"], forEach: "steps.find.items" },
        { name: "review", after: ["check"], gate: {} },
      ],
      output: "find",
    });
    let items = ["x", "y", "z"];
    const world = start({ pipeline, spec: {}, answer: ({ step }) => done(step === "find" ? { items } : {}) });
    for (let round = 0; round < 20 && !world.requests.some(({ step }) => step === "check"); round++) {
      world.argo();
      await world.look();
      await world.deliverOnly("find");
    }
    items = others;
    world.loseBytes(() => false);
    for (let round = 0; round < 12; round++) await redo(world);
    expect([world.status.phase, ready(world)?.reason]).toEqual(["Failed", "ListChanged"]);
    expect(ready(world)?.message).toContain(`steps.find.items had 3 items, and has ${others.length}`);
  });

  test("after the decision: the approval counts for the same bytes", async () => {
    const world = await losing(false);
    world.decide("approved");
    await world.look();
    world.argo();
    await world.look();
    world.loseBytes(() => false);
    for (let round = 0; round < 6; round++) await redo(world);
    await world.settle();
    expect(world.status).toMatchObject({ phase: "Succeeded", reviews: [{ decision: "approved", by: "ann" }] });
    expect(world.reviewRequests).toBe(1);
  });

  test("a failure that was tolerated stays one, as its node tells it", async () => {
    const world = await atGate({
      spec: { ...SPEC, tolerate: { failedItems: 1 } },
      answer: ({ step, input }, execution) =>
        step === "fetch" && input.item === ITEMS[2] && execution === 1
          ? { ...done(), outcome: "failed", reason: "Timeout", message: "no answer: 30 s" }
          : done(),
    });
    const [before] = world.status.reviews ?? [];
    world.loseBytes(() => false);
    for (let round = 0; round < 6; round++) await redo(world);
    expect(world.status.reviews).toEqual([before]);
    await world.settle({ decision: "approved" });
    expect(world.status).toMatchObject({ phase: "Succeeded", items: { done: 2, failed: 1 } });
  });

  test("after the decision: an approval does not count for others, and the gate opens again", async () => {
    const world = await losing(true);
    const [approved] = world.status.reviews ?? [];
    world.decide("approved");
    await world.look();
    world.argo();
    await world.look();
    world.loseBytes(() => false);
    for (let round = 0; round < 12; round++) await redo(world);
    const [open, ...more] = world.status.reviews ?? [];
    expect([world.status.phase, open?.decision, more]).toEqual(["AwaitingReview", undefined, []]);
    expect(open?.digest).not.toBe(approved?.digest);
    expect(world.reviewRequests).toBe(2);
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test("after the decision: a rejection stands", async () => {
    const world = await losing(true);
    world.decide("rejected");
    await world.look();
    world.loseBytes(() => false);
    for (let round = 0; round < 6; round++) await redo(world);
    await world.settle();
    expect(world.status).toMatchObject({ phase: "Rejected", reviews: [{ decision: "rejected", by: "ann" }] });
    expect(world.reviewRequests).toBe(1);
  });
});

describe("gates", () => {
  const hold = (world: Harness, suspend: boolean) => {
    for (const [name, workflow] of world.objects.workflows)
      world.objects.workflows.set(name, { ...workflow, spec: { ...(workflow.spec as object), suspend } });
  };
  const gateNode = (world: Harness) => nodesOf(world).find(({ role }) => role === "gate")?.phase;

  test("the timeout is decided, and settled once the status says so", async () => {
    const world = await atGate();
    world.pass(24 * 3_600_000);
    const kube = {
      ...world.deps.kube,
      workloads: { ...world.deps.kube.workloads, putStatus: fails("ApiUnavailable") },
    };
    await expect(lookWith(world, { kube })).rejects.toThrow("ApiUnavailable");
    expect(gateNode(world)).toBe("Running");
    await world.look();
    expect(gateNode(world)).toBe("Failed");
    await world.settle();
    expect(world.status).toMatchObject({
      phase: "Rejected",
      reviews: [{ decision: "rejected", how: "Timeout", automatic: true }],
    });
  });

  test("an acknowledged decision counts, however late it is seen", async () => {
    const world = await atGate();
    world.decide("approved");
    world.pass(25 * 3_600_000);
    await world.settle();
    expect(world.status).toMatchObject({ phase: "Succeeded", reviews: [{ how: "ReviewLink", automatic: false }] });
  });

  test.each<[string, (world: Harness) => void, (world: Harness) => void]>([
    ["by the spec", (world) => world.edit({ ...SPEC, suspend: true }), (world) => world.edit(SPEC)],
    ["in Argo", (world) => hold(world, true), (world) => hold(world, false)],
  ])(
    "a decision that was acknowledged while the run was suspended %s counts, whatever Argo's timer did",
    async (_how, suspend, resume) => {
      const world = await atGate();
      suspend(world);
      await world.look();
      world.decide("approved");
      await world.look();
      expect([world.status.phase, gateNode(world)]).toEqual(["Suspended", "Succeeded"]);
      world.pass(25 * 3_600_000);
      world.argo();
      await world.look();
      expect(world.requests.some(({ step }) => step === "write")).toBe(false);
      resume(world);
      await world.settle();
      expect(world.status).toMatchObject({ phase: "Succeeded", reviews: [{ how: "ReviewLink", automatic: false }] });
    },
  );

  test("an approval in the second of the timeout: whichever is written first counts, and the other is refused", async () => {
    const world = await atGate();
    world.pass(24 * 3_600_000);
    const { kube } = world.deps;
    let looked = false;
    const get: typeof kube.workloads.get = async (ref) => {
      const seen = await kube.workloads.get(ref);
      // Acknowledged between reconcile's look and its write.
      if (!looked) world.decide("approved");
      looked = true;
      return seen;
    };
    await lookWith(world, { kube: { ...kube, workloads: { ...kube.workloads, get } } });
    await world.settle();
    expect(world.status).toMatchObject({ phase: "Succeeded", reviews: [{ how: "ReviewLink", by: "ann" }] });
  });

  test("a rejection that Argo's approving timer overtook counts: nothing after the gate runs", async () => {
    const world = await atGate({ spec: { ...SPEC, review: { timeout: "1h", onTimeout: "Approve" } } });
    world.decide("rejected");
    world.pass(71 * 60_000);
    world.argo();
    await world.settle();
    expect(world.status).toMatchObject({ phase: "Rejected", reviews: [{ decision: "rejected", by: "ann" }] });
    expect(world.requests.some(({ step }) => step === "write")).toBe(false);
  });

  test("an approval that Argo's rejecting timer overtook counts: the run is made again, and goes on after the gate", async () => {
    const world = await atGate({ spec: { ...SPEC, review: { timeout: "1h" } } });
    world.decide("approved");
    world.pass(71 * 60_000);
    world.argo();
    await world.look();
    await world.settle();
    expect(world.status).toMatchObject({ phase: "Succeeded", reviews: [{ decision: "approved", by: "ann" }] });
    expect([timesDone(world), world.reviewRequests]).toEqual([once(7), 1]);
  });

  test.each([
    ["Reject", "Rejected", "rejected"],
    ["Approve", "Succeeded", "approved"],
  ])("everything slept through the timeout and its grace: Argo does %s", async (onTimeout, phase, decision) => {
    const world = await atGate({ spec: { ...SPEC, review: { timeout: "1h", onTimeout } } });
    world.pass(71 * 60_000);
    world.argo();
    await world.settle();
    expect(world.status).toMatchObject({ phase, reviews: [{ decision, how: "Argo", automatic: true }] });
  });

  test("a gate that somebody settled in Argo is no approval, and what comes after it does not run", async () => {
    const world = await atGate();
    world.byHand("gate-review", {
      phase: "Succeeded",
      finishedAt: world.deps.now().toISOString(),
      outputs: { parameters: [{ name: "result", value: "approved" }] },
    });
    await world.settle();
    expect([world.status.phase, ready(world)?.reason]).toEqual(["Failed", "TamperedGate"]);
    expect(world.requests.some(({ step }) => step === "write")).toBe(false);
    expect(world.status.reviews).toEqual([expect.not.objectContaining({ decision: expect.anything() })]);
  });

  test("a review that is not required is approved by the setting, and nobody is asked", async () => {
    const world = start({ spec: { ...SPEC, review: { required: false } } });
    await world.settle();
    expect(world.status).toMatchObject({
      phase: "Succeeded",
      reviews: [{ decision: "approved", how: "Setting", automatic: true, by: "spec.review.required: false" }],
    });
    expect(world.reviewRequests).toBe(0);
  });

  test("a comment reaches the steps after the gate", async () => {
    const world = await atGate();
    world.decide("approved", "review", "b.example is wrong");
    await world.settle();
    const [input] = world.requests.find(({ step }) => step === "write")?.input.from["review"] ?? [];
    const key = input?.artifacts["decision"] ?? "";
    const decision = JSON.parse(new TextDecoder().decode(await world.deps.artifacts.get(WORKLOAD, key)));
    expect(decision).toMatchObject({ decision: "approved", by: "ann", comment: "b.example is wrong" });
    expect(world.artifactKeys).toContain(input?.artifacts["findings"]);
  });

  test("a rejection's comment is in the reason", async () => {
    const world = await atGate();
    world.decide("rejected", "review", "wrong prices");
    await world.settle();
    expect(ready(world)).toMatchObject({ reason: "Rejected", message: "ann rejected gate review: wrong prices" });
  });

  test("a decision that was made with kubectl is taken once, and goes with its workload", async () => {
    const world = await atGate();
    world.make("approved");
    const { kube } = world.deps;
    await world.look();
    expect(world.status.reviews).toMatchObject([{ decision: "approved", by: "ben", how: "AgentDecision" }]);
    expect(gateNode(world)).toBe("Succeeded");
    const deaf = { ...kube, decisions: { ...kube.decisions, list: fails("ApiUnavailable") } };
    await lookWith(world, { kube: deaf });
    await world.settle();
    expect(world.status.phase).toBe("Succeeded");
    world.remove();
    await world.look();
    await world.look();
    expect([world.workload, world.left]).toEqual([undefined, { states: 0, artifacts: 0, decisions: 0 }]);
  });

  test("ten gates at once are decided one by one", async () => {
    const names = Array.from({ length: 10 }, (_, index) => `ask-${index}`);
    const pipeline = pipelineOf({
      steps: [
        { name: "first", agent: "fetch" },
        ...names.map((name) => ({ name, gate: {}, after: ["first"] })),
        { name: "last", agent: "write", after: names },
      ],
    });
    const world = await atGate({ pipeline, spec: {} });
    expect([world.status.reviews?.length, world.reviewRequests]).toEqual([10, 10]);
    for (const name of names.slice(1)) world.decide("approved", name);
    await world.settle({ rounds: 3 });
    expect([world.status.phase, world.requests.length]).toEqual(["AwaitingReview", 1]);
    world.decide("approved", names[0]);
    await world.settle();
    expect([world.status.phase, world.requests.length]).toEqual(["Succeeded", 2]);
  });

  test("a gate that is the first step is opened and decided", async () => {
    const pipeline = pipelineOf({
      steps: [
        { name: "ask", gate: {} },
        { name: "do", agent: "write", after: ["ask"] },
      ],
    });
    const world = await atGate({ pipeline, spec: {} });
    expect(world.artifactKeys.some((key) => key.includes(world.status.reviews?.[0]?.digest ?? "none"))).toBe(true);
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test("the review opens only with its findings published, and a reviewer asked", async () => {
    const world = start();
    while (!gateNode(world)) {
      await world.look();
      await world.deliverAll();
      world.argo();
    }
    const artifacts = { ...world.deps.artifacts, put: fails("ArtifactStoreUnavailable") };
    for (let round = 0; round < 3; round++) {
      world.pass(5000);
      world.argo();
      await lookWith(world, { artifacts }).catch(() => undefined);
    }
    expect(gateNode(world)).toBe("Running");
    expect([world.status.reviews, ready(world)?.reason]).toEqual([undefined, "ArtifactStoreUnavailable"]);
    await world.settle({ decision: "approved" });
    expect([world.status.phase, world.reviewRequests > 0]).toEqual(["Succeeded", true]);
  });
});

describe("looks", () => {
  /** How often the workload was read. */
  function counted(world: Harness): { deps: Partial<ReconcileDeps>; count: () => number } {
    let count = 0;
    const { kube } = world.deps;
    const get: typeof kube.workloads.get = (ref) => {
      count++;
      return kube.workloads.get(ref);
    };
    const workloads = { ...kube.workloads, get };
    return { deps: { kube: { ...kube, workloads } }, count: () => count };
  }

  const AUTOMATIC = { ...SPEC, review: { required: false } };
  /** Until Argo has started the gate, which reconcile has not seen. */
  async function gateStarts(world: Harness, only?: string): Promise<void> {
    for (let round = 0; round < 20 && !nodesOf(world).some(({ role }) => role === "gate"); round++) {
      await world.look();
      await (only === undefined ? world.deliverAll() : world.deliverOnly(only));
      await world.look();
      world.argo();
    }
  }

  test("a decision by the setting waits while the run is held, and is not tried again at once", async () => {
    const world = start({ spec: AUTOMATIC });
    await gateStarts(world);
    world.edit({ ...AUTOMATIC, suspend: true });
    const { deps, count } = counted(world);
    await lookWith(world, deps);
    // The first look gives its place back.
    expect([count(), world.status.reviews]).toEqual([2, undefined]);
    world.edit(AUTOMATIC);
    await world.settle();
    expect(world.status.phase).toBe("Succeeded");
  });

  test("nor while the run fails and it is Argo's turn", async () => {
    const pipeline = pipelineOf({
      steps: [
        { name: "first", agent: "write" },
        { name: "ask", gate: {}, after: ["first"] },
        { name: "beside", agent: "read" },
        { name: "next", agent: "read", after: ["beside"] },
      ],
    });
    const world = start({ pipeline, spec: { review: { required: false } } });
    await gateStarts(world, "first");
    world.byHand("step-beside", { phase: "Succeeded", finishedAt: world.deps.now().toISOString() });
    const { deps, count } = counted(world);
    await lookWith(world, deps);
    expect([count(), ready(world)?.reason]).toEqual([1, "ResumedByHand"]);
  });

  test("a write that came too late is decided on anew, in the same look", async () => {
    const world = start();
    await world.look();
    world.argo();
    await world.look();
    await world.deliverAll();
    const { kube } = world.deps;
    let conflicts = 0;
    const patch: typeof kube.workflows.patch = async (ref, operations) => {
      // Somebody retried the step in Argo meanwhile: its node has another start.
      if (conflicts++ === 0) world.byHand("step-fetch", { startedAt: "2026-01-01T10:30:00Z" });
      return kube.workflows.patch(ref, operations);
    };
    await lookWith(world, { kube: { ...kube, workflows: { ...kube.workflows, patch } } });
    expect(conflicts).toBe(2);
    expect(world.status.steps?.[0]).toMatchObject({ succeeded: 3 });
  });

  test("a status that somebody else wrote meanwhile is not overwritten", async () => {
    const world = await atGate();
    world.pass(24 * 3_600_000);
    const { kube } = world.deps;
    let writes = 0;
    const putStatus: typeof kube.workloads.putStatus = async (object, status) => {
      // A person's decision comes first.
      if (writes++ === 0) world.decide("approved");
      return kube.workloads.putStatus(object, status);
    };
    await lookWith(world, { kube: { ...kube, workloads: { ...kube.workloads, putStatus } } });
    await world.settle();
    expect(world.status).toMatchObject({ phase: "Succeeded", reviews: [{ how: "ReviewLink", by: "ann" }] });
  });

  test("an Event that cannot be written keeps no status from being written", async () => {
    const world = start();
    await lookWith(world, { kube: { ...world.deps.kube, event: fails("Forbidden") } });
    expect(world.status.phase).toBe("Creating");
  });

  test("a Broker that is away keeps no finished step from being settled, and the status says so", async () => {
    const world = start({ spec: { ...SPEC, replicas: 2 } });
    await world.look();
    world.argo();
    await world.look();
    await world.deliverAll();
    await world.look();
    world.argo();
    await expect(lookWith(world, { send: fails("BrokerUnavailable") })).rejects.toThrow("BrokerUnavailable");
    expect(ready(world)).toMatchObject({ status: "False", reason: "BrokerUnavailable" });
    expect(world.status.steps?.[0]).toMatchObject({ succeeded: 2 });
  });

  test("what keeps a run from being looked at is said in its status; what passes by itself is not", async () => {
    const world = start();
    await world.settle({ rounds: 1 });
    const before = world.status;
    await expect(lookWith(world, { readStates: fails("ApiUnavailable") })).rejects.toThrow();
    expect(world.status).toEqual(before);
    await expect(lookWith(world, { readStates: fails("StoreUnavailable") })).rejects.toThrow();
    expect([world.status.phase, ready(world)?.reason]).toEqual(["Running", "StoreUnavailable"]);
  });

  test("a run that has ended keeps its end", async () => {
    const world = start({ spec: { ...SPEC, review: { required: false } } });
    await world.settle();
    const before = world.status;
    await expect(lookWith(world, { exclusively: fails("StoreUnavailable") })).rejects.toThrow();
    expect(world.status).toEqual(before);
  });

  test("a branch that ended long ago slows no other, and is no silence of Argo's", async () => {
    const pipeline: PipelineSpec = pipelineOf({
      inputs: INPUTS,
      steps: [
        { name: "quick", agent: "write" },
        { name: "slow", agent: "read", forEach: "inputs.items" },
        { name: "both", agent: "write", after: ["quick", "slow"] },
      ],
    });
    const world = start({ pipeline });
    const round = async () => {
      world.argo();
      await world.look();
    };
    await round();
    await round();
    const slow = world.requests.filter(({ step }) => step === "slow");
    expect(slow.length).toBe(3);
    await world.deliverOnly("quick");
    await round();
    await round();
    for (let second = 0; second < 60; second += 10) {
      world.pass(10_000);
      await round();
      expect(ready(world)?.reason).not.toBe("ArgoSilent");
    }
    expect(world.workflow?.metadata.annotations["agentic.dev/nudged-at"]).toBeUndefined();
    await world.deliverAll();
    await world.look();
    expect(world.status.steps?.find(({ name }) => name === "slow")).toMatchObject({ succeeded: 3, running: 0 });
    expect(nodesOf(world).filter(({ phase, step }) => phase === "Running" && step === "slow")).toEqual([]);
  });
});

describe("after its end", () => {
  const MONTH = 31 * 24 * 3_600_000;

  test("a run expires: artifacts and Workflow go, outputs with them, reviews stay", async () => {
    const world = start();
    await world.settle({ decision: "approved" });
    expect(world.status.outputs).toEqual({ write: keyOf("write") });
    expect(world.workload && isOver(world.workload, world.deps.now())).toBe(true);
    world.pass(MONTH);
    expect(world.workload && isOver(world.workload, world.deps.now())).toBe(false);
    await world.look();
    expect([world.artifactKeys, world.workflow]).toEqual([[], undefined]);
    expect(world.status).toMatchObject({ phase: "Succeeded", reviews: [{ decision: "approved", by: "ann" }] });
    expect(world.status.outputs).toBeUndefined();
    expect(condition(world, "Completed")).toMatchObject({ reason: "Expired" });
    expect(world.workload && isOver(world.workload, world.deps.now())).toBe(true);
    const before = world.status;
    await world.settle({ rounds: 2 });
    expect([world.status, world.workflow]).toEqual([before, undefined]);
  });

  test.each(["drop", "remove"])("what cannot be deleted is deleted later: %s", async (what) => {
    const world = start();
    await world.settle({ decision: "approved" });
    world.pass(MONTH);
    const { kube, artifacts } = world.deps;
    const away =
      what === "drop"
        ? { artifacts: { ...artifacts, drop: fails("ArtifactStoreUnavailable") } }
        : { kube: { ...kube, workflows: { ...kube.workflows, remove: fails("ApiUnavailable") } } };
    await expect(lookWith(world, away)).rejects.toThrow();
    expect(condition(world, "Completed")?.reason).not.toBe("Expired");
    await world.look();
    expect([world.artifactKeys, world.workflow, world.status.phase]).toEqual([[], undefined, "Succeeded"]);
    expect(condition(world, "Completed")?.reason).toBe("Expired");
  });

  test("a failed run that has expired is not run again when it is to be kept longer", async () => {
    const world = start({
      spec: { ...SPEC, tolerate: { failedItems: 0 } },
      answer: () => ({ ...done(), outcome: "failed", reason: "Broken", message: "why" }),
    });
    await world.settle();
    expect(world.status.phase).toBe("Failed");
    world.pass(MONTH);
    await world.look();
    expect([world.workflow, condition(world, "Completed")?.reason]).toEqual([undefined, "Expired"]);
    world.edit({ ...SPEC, tolerate: { failedItems: 0 }, ttlAfterFinished: "90d" });
    await world.settle({ rounds: 3 });
    expect([world.workflow, world.status.phase, timesDone(world)]).toEqual([undefined, "Failed", once(3)]);
  });

  test("a failed run starts again when its Workflow is deleted, and does again what had failed", async () => {
    let broken = true;
    const world = start({
      answer: ({ step }) =>
        step === "write" && broken ? { ...done(), outcome: "failed", reason: "Broken", message: "why" } : done(),
    });
    await world.settle({ decision: "approved" });
    expect([world.status.phase, ready(world)?.reason]).toEqual(["Failed", "Broken"]);
    broken = false;
    world.objects.workflows.clear();
    world.pass(30_000);
    await world.look();
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
    expect(timesDone(world)).toEqual([...once(6), 2]);
    // Its approval was on the same findings.
    expect(world.reviewRequests).toBe(1);
  });
});

describe("deletion", () => {
  const logged = (world: Harness) => {
    const lines: { uid: string; text: string }[] = [];
    const error = (fields: { uid: string }, text: string) => lines.push({ uid: fields.uid, text });
    return { lines, log: Object.assign(Object.create(world.deps.log), { error }) as ReconcileDeps["log"] };
  };

  test("waits for what is kept elsewhere, then gives up and says what it leaves behind", async () => {
    const world = await atGate();
    const { artifacts } = world.deps;
    const { lines, log } = logged(world);
    const away = {
      artifacts: { ...artifacts, drop: fails("ArtifactStoreUnavailable") },
      dropSteps: fails("StoreUnavailable"),
      log,
    };
    world.remove();
    await expect(lookWith(world, away)).rejects.toThrow("StoreUnavailable");
    expect(world.workflow).toBeUndefined();
    expect(world.workload).toBeDefined();
    world.pass(121_000);
    await lookWith(world, away);
    expect(world.workload).toBeUndefined();
    expect(lines.map(({ text }) => text)).toEqual([
      "workload deleted, but its steps in Redis could not be",
      "workload deleted, but its artifacts could not be",
    ]);
  });

  test("needs no Argo", async () => {
    const world = await atGate();
    const kindMissing = async (): Promise<never> => {
      throw new TerminalError("KindMissing", "install Argo Workflows");
    };
    const kube = { ...world.deps.kube, workflows: { ...world.deps.kube.workflows, list: kindMissing } };
    await expect(lookWith(world, { kube })).rejects.toThrow("install Argo Workflows");
    world.remove();
    await lookWith(world, { kube });
    expect([world.workload, world.left]).toEqual([undefined, { states: 0, artifacts: 0, decisions: 0 }]);
  });

  test.each(["StoreUnavailable", "StoreFull"])(
    "needs no Redis (%s) and no object store to stop the run, and no turn among processes",
    async (reason) => {
      const world = await atGate();
      world.loseBytes(() => false);
      const away = { readStates: fails(reason), exclusively: fails(reason) };
      await expect(lookWith(world, away)).rejects.toThrow();
      expect(world.workflow).toBeDefined();
      world.remove();
      await lookWith(world, away);
      expect([world.workload, world.workflow]).toEqual([undefined, undefined]);
    },
  );

  test("waits where another process is at work on it", async () => {
    const world = await atGate();
    world.remove();
    await expect(lookWith(world, { exclusively: fails("Busy") })).rejects.toThrow("Busy");
    expect(world.workload).toBeDefined();
  });
});
