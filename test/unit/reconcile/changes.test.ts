import { describe, expect, test } from "vitest";
import { createHarness, done, type Harness, type HarnessOptions, pipelineOf } from "./harness.ts";

const ITEMS = ["http://a.example/", "http://b.example/"];
const INPUTS = { schema: { type: "object", properties: { items: { type: "array" } } } };
const pipeline = pipelineOf({
  inputs: INPUTS,
  steps: [
    { name: "fetch", agent: "fetch", forEach: "inputs.items" },
    { name: "early", gate: {}, after: ["fetch"] },
    { name: "read", agent: "read", after: ["fetch", "early"], forEach: "inputs.items" },
    { name: "review", gate: { show: ["read"] }, after: ["read"] },
    { name: "write", agent: "write", after: ["review", "read"] },
  ],
});

/** Agents that take a reviewer's comment into what they leave. */
const start = (over: Partial<HarnessOptions> = {}): Harness =>
  createHarness({
    pipeline,
    spec: { inputs: { items: ITEMS } },
    answer: ({ step, input: { item, changes = [] } }) =>
      done({ output: [step, item ?? "", ...changes.map(({ comment }) => comment)].join(" ") }),
    ...over,
  });

const waiting = ({ status }: Harness): string[] =>
  (status.reviews ?? []).flatMap(({ gate, decision }) => (decision ? [] : [gate]));

async function untilWaits(world: Harness, gate: string): Promise<void> {
  for (let round = 0; round < 20 && !waiting(world).includes(gate); round++) await world.settle({ rounds: 1 });
  expect(waiting(world)).toEqual([gate]);
}

/** As somebody with kubectl asks at gate `review`, until the gates wait again. */
async function change(
  world: Harness,
  comment: string,
  { steps, next = "review" }: { steps?: string[]; next?: string } = {},
) {
  const before = digestAt(world, "review");
  world.make("changesRequested", { comment, ...(steps ? { steps } : {}) });
  for (let round = 0; round < 20 && digestAt(world, "review") === before; round++) await world.settle({ rounds: 1 });
  await untilWaits(world, next);
}

/** At gate `review`; gate `early` was approved. */
async function atReview(over: Partial<HarnessOptions> = {}): Promise<Harness> {
  const world = start(over);
  await untilWaits(world, "early");
  world.decide("approved", "early");
  await untilWaits(world, "review");
  return world;
}

const doneBy = ({ requests }: Harness, step: string): unknown[] =>
  requests.filter((request) => request.step === step).map(({ input }) => input.changes);
const digestAt = ({ status }: Harness, gate: string) => status.reviews?.find((one) => one.gate === gate)?.digest;

describe("changes that a reviewer asks for", () => {
  test("the shown steps run again with the comment, what came before is reused, and the gate opens on other findings", async () => {
    const world = await atReview();
    const before = digestAt(world, "review");
    await change(world, "look at yearly prices");
    expect(digestAt(world, "review")).not.toBe(before);
    expect(doneBy(world, "fetch")).toEqual([undefined, undefined]);
    const asked = [{ gate: "review", comment: "look at yearly prices" }];
    expect(doneBy(world, "read")).toEqual([undefined, undefined, asked, asked]);
    expect(world.status.changes).toMatchObject([
      { gate: "review", digest: before, steps: ["read"], comment: "look at yearly prices", by: "ben" },
    ]);
    world.make("approved");
    await world.settle();
    expect(world.status.phase).toBe("Succeeded");
    expect(doneBy(world, "write")).toEqual([undefined]);
  });

  test("a gate that they do not concern is not asked again", async () => {
    const world = await atReview();
    await change(world, "again");
    expect(world.status.reviews).toMatchObject([
      { gate: "early", decision: "approved", by: "ann" },
      { gate: "review" },
    ]);
  });

  test("a gate that they concern is asked again", async () => {
    const world = await atReview();
    await change(world, "fetch anew", { steps: ["fetch"], next: "early" });
    expect(doneBy(world, "fetch")).toHaveLength(4);
    expect(doneBy(world, "read")).toHaveLength(2);
    world.decide("approved", "early");
    await untilWaits(world, "review");
    // What they read is another result now, so they are done again, though nobody asked it of them.
    expect(doneBy(world, "read")).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("by the link of the review, too; a second round has both comments", async () => {
    const world = await atReview();
    world.decide("changesRequested", "review", "first");
    await untilWaits(world, "review");
    world.decide("changesRequested", "review", "second");
    await untilWaits(world, "review");
    expect(doneBy(world, "read").at(-1)).toEqual([
      { gate: "review", comment: "first" },
      { gate: "review", comment: "second" },
    ]);
    expect(world.status.changes?.map(({ comment }) => comment)).toEqual(["first", "second"]);
    world.decide("rejected", "review");
    await world.settle();
    expect(world.status.phase).toBe("Rejected");
  });

  test.each(["write", "review", "nobody"])(
    "of step %s, which is not before the gate, nothing is asked",
    async (step) => {
      const world = await atReview();
      world.make("changesRequested", { comment: "again", steps: ["read", step] });
      await world.settle({ rounds: 5 });
      expect(waiting(world)).toEqual(["review"]);
      expect(world.status.changes).toBeUndefined();
      expect(doneBy(world, "read")).toHaveLength(2);
      // Somebody else still decides.
      world.make("approved");
      await world.settle();
      expect(world.status.phase).toBe("Succeeded");
    },
  );

  test("without a comment nothing is asked", async () => {
    const world = await atReview();
    world.make("changesRequested");
    await world.settle({ rounds: 5 });
    expect(waiting(world)).toEqual(["review"]);
    expect(world.status.changes).toBeUndefined();
    world.make("approved");
    await world.settle();
    expect(world.status.phase).toBe("Succeeded");
  });

  test("after ten rounds a gate is approved or rejected", async () => {
    const world = await atReview();
    for (let round = 1; round <= 10; round++) await change(world, `round ${round}`);
    const review = world.status.reviews?.find(({ gate }) => gate === "review");
    expect(review?.changeable).toBeUndefined();
    world.make("changesRequested", { comment: "once more" });
    await world.settle({ rounds: 5 });
    expect(world.status.changes).toHaveLength(10);
    expect(waiting(world)).toEqual(["review"]);
  });

  test("after the timeout they come too late", async () => {
    const world = await atReview();
    world.pass(25 * 3_600_000);
    world.make("changesRequested", { comment: "too late" });
    await world.settle();
    expect(world.status).toMatchObject({ phase: "Rejected" });
    expect(world.status.changes).toBeUndefined();
  });

  test("another spec has none of them", async () => {
    const world = await atReview();
    await change(world, "again");
    world.edit({ inputs: { items: ["http://c.example/"] } });
    await untilWaits(world, "early");
    world.decide("approved", "early");
    await untilWaits(world, "review");
    expect(world.status.changes).toBeUndefined();
    expect(doneBy(world, "read").at(-1)).toBeUndefined();
  });

  test("what they do not concern is reused however long the gate waited, and whatever its agent is by now", async () => {
    const world = await atReview({ spec: { inputs: { items: ITEMS }, review: { timeout: "10d" }, freshness: "1h" } });
    world.pass(5 * 24 * 3_600_000);
    const agent = world.objects.agents.get("agentic-system/fetch");
    if (agent)
      world.objects.agents.set("agentic-system/fetch", { ...agent, status: { revision: "r2", conditions: [] } });
    await change(world, "again");
    expect(doneBy(world, "fetch")).toHaveLength(2);
  });

  test.each(Array.from({ length: 12 }, (_, calls) => calls))(
    "are asked for once, and nothing is done twice, though the process died after %i calls",
    async (calls) => {
      const faults: { rate: number; callsLeft?: number | undefined } = { rate: 0 };
      const world = await atReview({ faults });
      const before = digestAt(world, "review");
      world.make("changesRequested", { comment: "again" });
      faults.callsLeft = calls;
      await world.look();
      faults.callsLeft = undefined;
      for (let round = 0; round < 20 && digestAt(world, "review") === before; round++)
        await world.settle({ rounds: 1 });
      await untilWaits(world, "review");
      expect(world.status.changes).toHaveLength(1);
      expect([...world.executions.values()].filter((times) => times > 1)).toEqual([]);
      expect(world.executions.size).toBe(2 + 2 + 2);
    },
  );

  test("the condition Reviewed says who asked for what", async () => {
    const world = await atReview();
    world.make("changesRequested", { comment: "look at yearly prices" });
    await world.look();
    expect(world.status.conditions?.find(({ type }) => type === "Reviewed")).toMatchObject({
      status: "False",
      reason: "ChangesRequested",
      message: "gate review opens again: ben asked for changes: look at yearly prices",
    });
  });
});
