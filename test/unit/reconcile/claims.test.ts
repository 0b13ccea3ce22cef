import { describe, expect, test } from "vitest";
import { type ReconcileDeps, reconcileWorkload } from "../../../functions/reconcile/workload/reconcile.ts";
import { RetryableError } from "../../../lib/errors.ts";
import type { StepClaims } from "../../../lib/token.ts";
import { createHarness, done, pipelineOf, REF } from "./harness.ts";

const MINUTE = 60_000;

/** A run of one item, whose requests nobody takes up; and what each request's token said. */
function createWorld(deadlines: { item: string; run: string }) {
  const world = createHarness({
    pipeline: pipelineOf({
      inputs: { schema: { type: "object", properties: { items: { type: "array" } } } },
      steps: [{ name: "fetch", agent: "fetch", forEach: "inputs.items" }],
    }),
    spec: { inputs: { items: ["http://a.example/"] }, deadlines },
    answer: () => done(),
  });
  const minted: StepClaims[] = [];
  const mintTokens: ReconcileDeps["mintTokens"] = async (claims) => {
    minted.push(claims);
    return { token: "token", egressToken: "egress" };
  };
  return {
    ...world,
    minted,
    look: (over: Partial<ReconcileDeps> = {}) => reconcileWorkload(REF, { ...world.deps, mintTokens, ...over }),
    /** Until the step's node is there. */
    async start(afterMs = 0): Promise<Date> {
      await this.look();
      const startedAt = world.deps.now();
      world.pass(afterMs);
      world.argo();
      return startedAt;
    },
    deadlines: () => minted.map(({ deadline }) => Date.parse(deadline)),
  };
}

describe("the deadline in a request's token", () => {
  test("counts from the first request of the attempt", async () => {
    const world = createWorld({ item: "10m", run: "1h" });
    await world.start();
    const asked = world.deps.now().getTime();
    await world.look();
    world.pass(MINUTE);
    await world.look();
    expect(world.deadlines()).toEqual([asked + 10 * MINUTE, asked + 10 * MINUTE]);
  });

  test("counts anew for another attempt", async () => {
    const world = createWorld({ item: "10m", run: "1h" });
    await world.start();
    await world.look();
    world.objects.workflows.clear();
    world.pass(MINUTE);
    await world.start();
    const asked = world.deps.now().getTime();
    await world.look();
    expect(world.deadlines().at(-1)).toBe(asked + 10 * MINUTE);
  });

  test("is never after the run's, which counts from the run's start", async () => {
    const world = createWorld({ item: "2h", run: "1h" });
    const startedAt = await world.start(5 * MINUTE);
    await world.look();
    expect(world.deadlines()).toEqual([startedAt.getTime() + 60 * MINUTE]);
  });
});

test("a request that did not leave is sent by the next look, and not half a minute later", async () => {
  const world = createWorld({ item: "10m", run: "1h" });
  await world.start();
  const send = async (): Promise<never> => {
    throw new RetryableError("BrokerUnavailable", "the Broker is away");
  };
  await expect(world.look({ send })).rejects.toThrow("the Broker is away");
  expect(world.requests).toEqual([]);
  await world.look();
  expect(world.requests).toHaveLength(1);
});
