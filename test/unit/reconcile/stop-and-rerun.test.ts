import { describe, expect, test } from "vitest";
import { createHarness, done, type Harness, type HarnessOptions, pipelineOf } from "./harness.ts";

// spec.stop and spec.rerun, as `kubectl agentic stop` and `rerun` set them.

const pipeline = pipelineOf({
  inputs: { schema: { type: "object", properties: { items: { type: "array" } } } },
  steps: [
    { name: "fetch", agent: "fetch", forEach: "inputs.items" },
    { name: "read", agent: "read", after: ["fetch"], forEach: "inputs.items" },
    { name: "review", after: ["read"], gate: {} },
    { name: "write", agent: "write", after: ["review", "read"] },
  ],
});
const SPEC = { inputs: { items: ["a", "b"] } };
const start = (over: Partial<HarnessOptions> = {}): Harness =>
  createHarness({ pipeline, spec: SPEC, answer: ({ step }) => done({ output: step }), ...over });
const ready = ({ status }: Harness) => status.conditions?.find(({ type }) => type === "Ready");
/** How often each step was done, all items together. */
const counts = ({ requests }: Harness) => {
  const sent = Map.groupBy(requests, ({ step }) => step);
  return Object.fromEntries([...sent].map(([step, all]) => [step, all.length]));
};
async function atGate(over: Partial<HarnessOptions> = {}): Promise<Harness> {
  const world = start(over);
  for (let round = 0; round < 20 && world.status.phase !== "AwaitingReview"; round++) await world.settle({ rounds: 1 });
  expect(world.status.phase).toBe("AwaitingReview");
  return world;
}
async function succeeded(): Promise<Harness> {
  const world = await atGate();
  await world.settle({ decision: "approved" });
  expect([world.status.phase, counts(world)]).toEqual(["Succeeded", { fetch: 2, read: 2, write: 1 }]);
  world.pass(60_000);
  return world;
}
const stopped = (world: Harness) => [world.status.phase, ready(world)?.reason, world.status.finishedAt !== undefined];

describe("spec.stop", () => {
  test("ends a run at its gate, and a decision after that changes nothing", async () => {
    const world = await atGate();
    world.edit({ ...SPEC, stop: true });
    await world.settle({ rounds: 4 });
    expect(stopped(world)).toEqual(["Failed", "Stopped", true]);
    expect(ready(world)?.message).toContain("spec.stop false");
    await world.settle({ decision: "approved" });
    expect([stopped(world), counts(world)["write"]]).toEqual([["Failed", "Stopped", true], undefined]);
  });

  test("ends a run that is suspended", async () => {
    const world = await atGate();
    world.edit({ ...SPEC, suspend: true });
    await world.settle({ rounds: 1 });
    expect(world.status.phase).toBe("Suspended");
    world.edit({ ...SPEC, suspend: true, stop: true });
    await world.settle({ rounds: 4 });
    expect(stopped(world)).toEqual(["Failed", "Stopped", true]);
  });

  test("lets steps in flight finish, and starts none", async () => {
    const world = start();
    await world.settle({ rounds: 1 });
    await world.look();
    const before = world.requests.length;
    world.edit({ ...SPEC, stop: true });
    await world.settle({ rounds: 6 });
    expect([stopped(world), world.requests.length]).toEqual([["Failed", "Stopped", true], before]);
  });

  test("of a workload that has not started: it never does anything", async () => {
    const world = start({ spec: { ...SPEC, stop: true } });
    await world.settle({ rounds: 6 });
    expect([stopped(world), world.requests]).toEqual([["Failed", "Stopped", true], []]);
  });

  test("taken back, the run is tried again, and what was done is not done again", async () => {
    const world = await atGate();
    world.edit({ ...SPEC, stop: true });
    await world.settle({ rounds: 4 });
    world.edit(SPEC);
    world.pass(30_000);
    await world.settle({ decision: "approved" });
    expect([world.status.phase, counts(world)]).toEqual(["Succeeded", { fetch: 2, read: 2, write: 1 }]);
  });

  test("changes nothing of a run that has ended, however it did", async () => {
    const world = await succeeded();
    world.edit({ ...SPEC, stop: true });
    await world.settle({ rounds: 3 });
    expect(world.status.phase).toBe("Succeeded");
    const failing = await atGate({ answer: ({ step }) => (step === "write" ? BROKEN : done()) });
    await failing.settle({ decision: "approved" });
    failing.edit({ ...SPEC, stop: true });
    await failing.settle({ rounds: 3 });
    expect([failing.status.phase, ready(failing)?.reason]).toEqual(["Failed", "Broken"]);
  });
});

const BROKEN = { ...done(), outcome: "failed", reason: "Broken", message: "it broke" } as const;

describe("spec.rerun", () => {
  const rerun = (world: Harness, from?: string) => {
    const at = world.deps.now().toISOString();
    world.edit({ ...SPEC, rerun: { at, ...(from === undefined ? {} : { from }) } });
  };

  test("does all of it again, and asks at its gates again", async () => {
    const world = await succeeded();
    const first = world.status.workflow;
    rerun(world);
    for (let round = 0; round < 8; round++) await world.settle({ rounds: 1 });
    expect(world.status.phase).toBe("AwaitingReview");
    expect(world.status.reviews).toEqual([expect.not.objectContaining({ decision: expect.anything() })]);
    await world.settle({ decision: "approved" });
    expect([world.status.phase, counts(world)]).toEqual(["Succeeded", { fetch: 4, read: 4, write: 2 }]);
    expect(world.status.workflow).not.toBe(first);
  });

  test.each([
    ["read", { fetch: 2, read: 4, write: 2 }],
    ["review", { fetch: 2, read: 2, write: 2 }],
    ["write", { fetch: 2, read: 2, write: 2 }],
  ])("from %s on: what comes before is used again", async (from, expected) => {
    const world = await succeeded();
    rerun(world, from);
    await world.settle({ rounds: 8 });
    await world.settle({ decision: "approved" });
    expect([world.status.phase, counts(world)]).toEqual(["Succeeded", expected]);
  });

  test("a rerun whose Workflow somebody deletes does nothing a third time", async () => {
    const world = await succeeded();
    rerun(world, "read");
    for (let round = 0; round < 8; round++) await world.settle({ rounds: 1 });
    world.pass(60_000);
    world.objects.workflows.clear();
    await world.settle({ decision: "approved" });
    expect([world.status.phase, counts(world)]).toEqual(["Succeeded", { fetch: 2, read: 4, write: 2 }]);
  });

  test("at an earlier time than freshness allows, it makes no stale result fresh", async () => {
    const world = await succeeded();
    const at = world.deps.now();
    world.pass(25 * 3_600_000);
    world.edit({ ...SPEC, rerun: { at: new Date(at.getTime() - 3_600_000).toISOString() } });
    await world.settle({ rounds: 8 });
    await world.settle({ decision: "approved" });
    expect([world.status.phase, counts(world)]).toEqual(["Succeeded", { fetch: 4, read: 4, write: 2 }]);
  });

  test("from a step that is not there is refused, and says which there are", async () => {
    const world = await succeeded();
    rerun(world, "draw");
    await world.settle({ rounds: 2 });
    const accepted = world.status.conditions?.find(({ type }) => type === "Accepted");
    expect(accepted?.message).toContain("there is no step draw; the steps are fetch, read, review, write");
    expect(world.status.phase).toBe("Succeeded");
  });
});
