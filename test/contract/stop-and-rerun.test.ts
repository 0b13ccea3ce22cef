import { expect, test } from "vitest";
import { NAMESPACE } from "../kubernetes/namespaces.ts";
import { createHarness, done, type Harness, pipelineOf } from "../unit/reconcile/harness.ts";
import { workflows } from "./workflows.ts";

// spec.stop and spec.rerun on the real Argo; everything else about them: test/unit/reconcile/stop-and-rerun.test.ts.

const pipeline = pipelineOf({
  inputs: { schema: { type: "object", properties: { items: { type: "array" } } } },
  steps: [
    { name: "find", agent: "worker", forEach: "inputs.items" },
    { name: "ask", after: ["find"], gate: {} },
    { name: "write", agent: "worker", after: ["ask"] },
  ],
});
const SPEC = { inputs: { items: ["a", "b", "c"] } };
const start = (name: string): Harness =>
  createHarness({
    pipeline,
    spec: SPEC,
    answer: () => done(),
    workflows,
    ref: { namespace: NAMESPACE, name },
    now: () => new Date(),
  });

async function until(world: Harness, phase: string): Promise<void> {
  const end = Date.now() + 120_000;
  while (world.status.phase !== phase) {
    if (Date.now() > end) throw new Error(`not ${phase} in time: ${JSON.stringify(world.status, null, 1)}`);
    await world.look();
    await world.deliverAll();
    if (phase !== "AwaitingReview" && world.status.phase === "AwaitingReview" && phase !== "Failed")
      world.decide("approved");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const counts = ({ requests }: Harness) =>
  Object.fromEntries([...Map.groupBy(requests, ({ step }) => step)].map(([step, all]) => [step, all.length]));

test("a run that is stopped at its gate ends in Argo; taken back, it goes on without doing anything twice", async () => {
  const world = start("contract-stop");
  await until(world, "AwaitingReview");
  world.edit({ ...SPEC, stop: true });
  await until(world, "Failed");
  expect(world.status.conditions?.find(({ type }) => type === "Ready")?.reason).toBe("Stopped");
  const stopped = await workflows.get({ namespace: NAMESPACE, name: world.status.workflow ?? "" });
  expect(stopped?.status).toMatchObject({ phase: "Failed" });
  world.edit(SPEC);
  world.pass(30_000);
  await until(world, "Succeeded");
  expect(counts(world)).toEqual({ find: 3, write: 1 });
});

test("run again from a step on, it is another Workflow that asks at its gates again", async () => {
  const world = start("contract-rerun");
  await until(world, "Succeeded");
  const first = world.status.workflow;
  world.pass(30_000);
  world.edit({ ...SPEC, rerun: { at: new Date().toISOString(), from: "write" } });
  await until(world, "AwaitingReview");
  await until(world, "Succeeded");
  expect(counts(world)).toEqual({ find: 3, write: 2 });
  expect(world.status.workflow).not.toBe(first);
});
