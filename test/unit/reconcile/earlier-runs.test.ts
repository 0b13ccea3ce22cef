import { describe, expect, test } from "vitest";
import { createHarness, done, type Harness, type HarnessOptions, keyOf, pipelineOf } from "./harness.ts";

// Workflows that are there, or are not there any more, when a workload is looked at.

const MONTH = 31 * 24 * 3_600_000;
const pipeline = pipelineOf({ steps: [{ name: "do", agent: "worker" }] });

const start = (over: Partial<HarnessOptions> = {}): Harness =>
  createHarness({ pipeline, spec: {}, answer: () => done(), ...over });

test("the Workflow of an earlier workload of the same name is left to its owner", async () => {
  const world = start();
  await world.settle({ rounds: 1 });
  const [name = ""] = [...world.objects.workflows.keys()];
  const { workload } = world.objects;
  if (workload)
    world.objects.workload = {
      ...workload,
      status: {},
      metadata: { ...workload.metadata, uid: "another", finalizers: [] },
    };
  await world.look();
  expect(world.objects.workflows.size).toBe(2);
  expect(world.objects.workflows.get(name)?.spec).not.toHaveProperty("shutdown");
});

test("a run whose frozen pipeline is lost does not go on, and says what to do", async () => {
  const world = start();
  await world.settle({ rounds: 1 });
  for (const [name, workflow] of world.objects.workflows)
    world.objects.workflows.set(name, { ...workflow, metadata: { ...workflow.metadata, annotations: {} } });
  await world.look();
  expect(world.status.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
    status: "False",
    reason: "UnreadableRun",
    message: expect.stringContaining("delete the Workflow to start the run again"),
  });
});

describe("a failed run", () => {
  test("stays ended when its Workflow's time to live is over", async () => {
    const world = start({ answer: () => ({ ...done(), outcome: "failed", reason: "Broken", message: "why" }) });
    await world.settle();
    expect(world.status.phase).toBe("Failed");
    world.pass(MONTH);
    world.objects.workflows.clear();
    for (let looks = 0; looks < 3; looks++) await world.look();
    expect([world.workflow, world.status.phase]).toEqual([undefined, "Failed"]);
  });

  test("has no outputs, whatever its last step left", async () => {
    const world = start({
      answer: () => ({
        ...done({ artifacts: { report: keyOf("half") } }),
        outcome: "failed",
        reason: "Broken",
        message: "why",
      }),
    });
    await world.settle();
    expect([world.status.phase, world.status.outputs]).toEqual(["Failed", undefined]);
  });
});

test("a workload's new image is its Agent's before a run of it starts", async () => {
  const spec = (image: string) => ({ image, inputs: { items: ["x"] } });
  const world = start({ spec: spec("example/worker:1") });
  await world.settle({ rounds: 1 });
  const made = world.objects.agents.get("team-a/demo");
  if (made) world.objects.agents.set("team-a/demo", { ...made, status: { revision: "r1" } });
  await world.settle();
  expect(world.status.phase).toBe("Succeeded");
  const runs = world.objects.workflows.size;
  world.edit(spec("example/worker:2"));
  await world.look();
  expect(world.objects.agents.get("team-a/demo")?.spec).toMatchObject({ image: "example/worker:2" });
  expect(world.objects.workflows.size).toBe(runs);
  expect(world.status.conditions?.find(({ type }) => type === "Accepted")).toMatchObject({ reason: "AgentNotReady" });
});

describe("a decision in a run of an earlier spec", () => {
  const gated = pipelineOf({
    inputs: { schema: { type: "object", properties: { question: { type: "string" } } } },
    steps: [
      { name: "do", agent: "worker", with: ["question"] },
      { name: "review", gate: {}, after: ["do"] },
    ],
    output: "do",
  });
  const asks = (question: string) => ({ inputs: { question } });
  const decisions = ({ earlierReviews = [] }: Harness["status"]) => earlierReviews.map(({ decision }) => decision);

  async function approved(): Promise<Harness> {
    const world = start({ pipeline: gated, spec: asks("why?") });
    await world.settle();
    world.decide("approved");
    await world.settle();
    expect(world.status.phase).toBe("Succeeded");
    world.edit(asks("how?"));
    await world.settle();
    return world;
  }

  test("is kept apart while the new run is judged, and counts when the spec is taken back", async () => {
    const world = await approved();
    expect([world.status.phase, decisions(world.status)]).toEqual(["AwaitingReview", ["approved"]]);
    expect(world.status.reviews?.map(({ decision }) => decision)).toEqual([undefined]);
    world.edit(asks("why?"));
    await world.look();
    expect([world.status.phase, world.status.earlierReviews]).toEqual(["Succeeded", undefined]);
    expect(world.status.reviews).toMatchObject([{ decision: "approved" }]);
  });

  test("goes with its Workflow", async () => {
    const world = await approved();
    for (const [name] of world.objects.workflows)
      if (name !== world.status.workflow) world.objects.workflows.delete(name);
    await world.settle();
    expect([world.status.phase, world.status.earlierReviews]).toEqual(["AwaitingReview", undefined]);
  });
});
