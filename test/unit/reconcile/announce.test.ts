import type { CloudEvent } from "cloudevents";
import { expect, test } from "vitest";
import type { StepResult } from "../../../engine/result.ts";
import { RUN_COMPLETED } from "../../../functions/reconcile/workload/events.ts";
import { reconcileWorkload } from "../../../functions/reconcile/workload/reconcile.ts";
import { RetryableError } from "../../../lib/errors.ts";
import { createHarness, done, type Harness, pipelineOf, REF } from "./harness.ts";

const DIGEST = { title: "A market", material: 2, changes: ["Acme raised Solo."] };

const one = pipelineOf({ steps: [{ name: "last", agent: "write" }] });
const start = (result: StepResult = { ...done(), data: DIGEST }): Harness =>
  createHarness({ pipeline: one, spec: {}, answer: () => result });

/** Runs to the end. @returns what was sent of the run's end */
async function announced(world: Harness, fail = false): Promise<CloudEvent<unknown>[]> {
  const sent: CloudEvent<unknown>[] = [];
  const { send } = world.deps;
  const deps = {
    ...world.deps,
    send: async (event: CloudEvent<unknown>) => {
      if (event.type !== RUN_COMPLETED) return send(event);
      sent.push(event);
      if (fail) throw new RetryableError("BrokerUnavailable", "the Broker is away");
    },
  };
  for (let round = 0; round < 12; round++) {
    await reconcileWorkload(REF, deps).catch((error: unknown) => {
      if (!fail) throw error;
    });
    await world.deliverAll();
    world.argo();
    world.pass(5_000);
  }
  return sent;
}

test("the end of a run is told once, with the data of its output step", async () => {
  const world = start();
  const sent = await announced(world);
  expect(world.status.phase).toBe("Succeeded");
  expect(sent).toHaveLength(1);
  const [event] = sent;
  expect(event).toMatchObject({
    id: expect.stringMatching(/^[0-9a-f]+-completed$/),
    subject: `${REF.namespace}/${REF.name}`,
    pipeline: expect.stringMatching(/^[\w-]+\/[\w-]+$/),
    data: { workload: expect.objectContaining(REF), phase: "Succeeded", data: DIGEST },
  });
});

test("so is a run that fails, with its reason", async () => {
  const world = start({ ...done(), outcome: "failed", reason: "Broken", message: "why" });
  const [event, ...others] = await announced(world);
  expect(others).toEqual([]);
  expect(event?.data).toMatchObject({ phase: "Failed", reason: "Broken", message: expect.any(String) });
  expect(event?.data).not.toHaveProperty("data");
});

test("a Broker that is away keeps no run from its end", async () => {
  const world = start();
  expect(await announced(world, true)).toHaveLength(1);
  expect(world.status.phase).toBe("Succeeded");
});
