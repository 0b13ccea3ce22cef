import { describe, expect, test } from "vitest";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { CHAIN } from "./given.ts";
import { createHarness, done, type Harness, pipelineOf, WORKLOAD } from "./harness.ts";

const ITEMS = ["http://a.example/", "http://b.example/", "http://c.example/"];

/** Artifact keys of a step's results. */
async function results({ artifactKeys, deps }: Harness, step: string): Promise<string[]> {
  const found: string[] = [];
  for (const key of artifactKeys) {
    const text = new TextDecoder().decode(await deps.artifacts.get(WORKLOAD, key));
    if (text.includes(`"output":"${step} `)) found.push(key);
  }
  return found;
}

test("a step after a fan-out waits while a result that it gets is made again", async () => {
  const world = createHarness({
    pipeline: pipelineOf({
      inputs: { schema: { type: "object", properties: { items: { type: "array" } } } },
      steps: [
        { name: "read", agent: "read", forEach: "inputs.items" },
        { name: "write", agent: "write", after: ["read"] },
      ],
    }),
    spec: { inputs: { items: ITEMS } },
    answer: ({ step, input }) => done({ output: `${step} ${String(input.item)}` }),
  });
  const asked = () => world.requests.map(({ step, input }) => `${step} ${String(input.item)}`);
  await world.look();
  world.argo();
  await world.look();
  await world.deliverAll();
  await world.look();
  world.argo();
  expect(asked()).toEqual(ITEMS.map((item) => `read ${item}`));
  // Before the step is requested, one of three results is gone.
  const [lost] = await results(world, "read");
  world.loseBytes((key) => key !== lost);
  world.pass(30_000);
  await world.look();
  expect(asked().slice(3)).toEqual([expect.stringMatching(/^read /)]);
  await world.settle();
  expect(world.status.phase).toBe("Succeeded");
  const written = world.requests.filter(({ step }) => step === "write");
  expect(written.map(({ input }) => input.from["read"]?.length)).toEqual([3]);
});

describe("after the last node", () => {
  /** To the decision's settlement; what comes after the gate is done too, and the status does not tell of the end yet. */
  async function toTheEnd(decision: "approved" | "rejected"): Promise<Harness> {
    const world = createHarness({
      pipeline: CHAIN,
      spec: { inputs: { items: ITEMS }, review: { timeout: "1h" } },
      answer: ({ step, input }, execution) => done({ output: `${step} ${String(input.item)} ${execution}` }),
    });
    await world.settle({ rounds: 6 });
    expect(world.status.phase).toBe("AwaitingReview");
    world.decide(decision);
    for (let round = 0; round < 9 && phaseInArgo(world) !== "Succeeded"; round++) {
      await world.look();
      await world.deliverAll();
      world.argo();
    }
    expect(phaseInArgo(world)).toBe("Succeeded");
    expect(world.status.finishedAt).toBeUndefined();
    return world;
  }
  const phaseInArgo = ({ workflow }: Harness): unknown => (workflow?.status as { phase?: string } | undefined)?.phase;
  const loseAll = (world: Harness): void => world.loseBytes(() => false);

  test.each(["approved", "rejected"] as const)(
    "a run that was %s keeps the end that the status tells",
    async (decision) => {
      const world = await toTheEnd(decision);
      await world.look();
      const told = world.status;
      const asked = world.requests.length;
      expect(told.phase).toBe(decision === "approved" ? "Succeeded" : "Rejected");
      loseAll(world);
      world.edit({ ...(world.workload?.spec as object), freshness: "1h" });
      await world.settle({ rounds: 5 });
      const generation = ({ conditions = [], ...rest }: WorkloadStatus) => ({
        ...rest,
        conditions: conditions.map((condition) => ({ ...condition, observedGeneration: 2 })),
      });
      expect(world.status).toEqual(generation(told));
      expect(world.requests).toHaveLength(asked);
    },
  );

  test("a run that was approved is made again when its end is not told yet", async () => {
    const world = await toTheEnd("approved");
    loseAll(world);
    await world.look();
    expect(world.status.phase).not.toBe("Failed");
    // The marks of the first requests run out.
    world.pass(30_000);
    await world.settle({ decision: "approved" });
    expect(world.status).toMatchObject({ phase: "Succeeded", items: { done: 3 } });
  });

  test("a run that was rejected is not: nobody wants it, whatever its counts were", async () => {
    const world = await toTheEnd("rejected");
    const asked = world.requests.length;
    loseAll(world);
    await world.settle({ rounds: 5 });
    expect(world.status.phase).toBe("Rejected");
    expect(world.status.conditions).toContainEqual(
      expect.objectContaining({ type: "Completed", reason: "Rejected", message: "ann rejected gate review" }),
    );
    expect(world.requests).toHaveLength(asked);
  });
});
