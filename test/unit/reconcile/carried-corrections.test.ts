import { describe, expect, test } from "vitest";
import type { Correction, Review } from "../../../crd/agentworkload.ts";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { canonicalJson, sha256 } from "../../../engine/canonical.ts";
import { type Findings, findingsSchema, type MadeCorrection } from "../../../engine/findings.ts";
import type { Run } from "../../../engine/run.ts";
import { createHarness, done, type Harness, pipelineOf, WORKLOAD } from "./harness.ts";

// What a reviewer said is remembered in the run that is compared with theirs.

const pipeline = pipelineOf({
  steps: [
    { name: "find", agent: "find" },
    { name: "ask", after: ["find"], gate: {} },
    { name: "write", agent: "write", after: ["ask"] },
  ],
});
const PRICE: Correction = { step: "find", fact: "price", of: "$9", action: "strike", comment: "last year's" };
const SIZE: Correction = { step: "find", fact: "size", of: "4", action: "correct", value: "5" };

/** A workload whose step finds what `found` says when it runs. */
async function start(found: Record<string, string>): Promise<Harness> {
  const text = (): string =>
    canonicalJson({
      title: "What was found",
      facts: Object.entries(found).map(([id, value]) => ({ id, label: id, value })),
      pictures: [],
      caveats: [],
    });
  const world = createHarness({
    pipeline,
    spec: {},
    answer: ({ step }) => {
      if (step !== "find") return done();
      const summary = artifactKey(WORKLOAD, sha256(text()), "json");
      return done({ artifacts: { summary } });
    },
    onRequest: () => void world.deps.artifacts.put(WORKLOAD, text(), "json"),
  });
  await toGate(world);
  return world;
}
async function toGate(world: Harness): Promise<void> {
  for (let round = 0; round < 30 && world.status.phase !== "AwaitingReview"; round++) await world.settle({ rounds: 1 });
  expect(world.status.phase).toBe("AwaitingReview");
}
async function approve(world: Harness, corrections?: Correction[]): Promise<void> {
  world.make("approved", corrections ? { corrections } : {});
  await world.settle();
  expect(world.status.phase).toBe("Succeeded");
}
async function again(world: Harness): Promise<void> {
  world.pass(60_000);
  world.edit({ rerun: { at: world.deps.now().toISOString() } });
  await world.settle({ rounds: 2 });
  await toGate(world);
}
const runWith = (comparison: Run["comparison"]): Run =>
  ({ workload: WORKLOAD, run: "this", earlier: [], changes: [], comparison }) as unknown as Run;
const digestOf = (world: Harness): string => world.status.reviews?.at(-1)?.digest ?? "";
async function findingsOf(world: Harness): Promise<Findings> {
  const bytes = await world.deps.artifacts.get(WORKLOAD, artifactKey(WORKLOAD, digestOf(world), "json"));
  return findingsSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
const withoutTime = ({ at: _at, ...one }: MadeCorrection) => one;
const carriedTo = async (world: Harness) => (await findingsOf(world)).carried?.map(withoutTime);
const notedIn = async (world: Harness) => (await findingsOf(world)).noted?.map(withoutTime);
async function decide(world: Harness, decision: "rejected" | "changesRequested", corrections: Correction[]) {
  world.make(decision, { comment: "not so", corrections });
  for (let round = 0; round < 30; round++) {
    await world.settle({ rounds: 1 });
    if (decision === "rejected" ? world.status.phase === "Rejected" : world.status.changes) return;
  }
  expect.fail(`it is ${world.status.phase}`);
}

test("to facts that are as they were, again and again, in the name of who said it", async () => {
  const found = { price: "$9", size: "4" };
  const world = await start(found);
  expect((await findingsOf(world)).carried).toBeUndefined();
  await approve(world, [PRICE, SIZE]);
  found.size = "6";
  await again(world);
  expect(await carriedTo(world)).toEqual([{ ...PRICE, by: "ben" }]);
  const { at } = (await findingsOf(world)).carried?.[0] ?? {};
  await approve(world);
  // The step after the gate gets what the digest covers.
  const input = world.requests.findLast(({ step }) => step === "write")?.input.from["ask"]?.[0];
  expect(input?.artifacts["findings"]).toBe(artifactKey(WORKLOAD, digestOf(world), "json"));
  await again(world);
  expect((await findingsOf(world)).carried).toEqual([{ ...PRICE, by: "ben", at }]);
});

test("unless the reviewer dropped it, or said something else", async () => {
  const world = await start({ price: "$9", size: "4" });
  await approve(world, [PRICE, SIZE]);
  await again(world);
  const other: Correction = { ...SIZE, value: "7" };
  await approve(world, [{ step: "find", fact: "price", of: "$9", action: "keep" }, other]);
  await again(world);
  expect(await carriedTo(world)).toEqual([{ ...other, by: "ben" }]);
});

test("also when the run that it is of goes while the gate is open: the findings stay what they are", async () => {
  const world = await start({ price: "$9" });
  const before = digestOf(world);
  await approve(world, [PRICE]);
  await again(world);
  const digest = digestOf(world);
  world.loseBytes((key) => !key.includes(before) && key !== world.status.comparedWith?.results);
  // Another process, which remembers nothing.
  for (let round = 0; round < 3; round++) await world.settle({ rounds: 1 });
  expect([digestOf(world), world.status.phase]).toEqual([digest, "AwaitingReview"]);
  await approve(world);
  expect(world.status.reviews).toMatchObject([{ digest, decision: "approved" }]);
});

test("and nothing of it where the run is compared with none, or its review is gone", async () => {
  const world = await start({ price: "$9" });
  const before = digestOf(world);
  await approve(world, [PRICE]);
  world.edit({ inputs: { other: true } });
  await world.settle({ rounds: 2 });
  await toGate(world);
  expect((await findingsOf(world)).carried).toBeUndefined();
  await approve(world, [PRICE]);
  const decided = digestOf(world);
  world.loseBytes((key) => !key.includes(before) && !key.includes(decided));
  await again(world);
  expect((await findingsOf(world)).carried).toBeUndefined();
});

test("and where a run's folder still has the review of the run before, what was said in it counts, and not what it carried", async () => {
  const world = await start({ price: "$9" });
  const before = digestOf(world);
  const findings = await findingsOf(world);
  await approve(world, [PRICE]);
  const results = world.status.results ?? "";
  const run = runWith({ workload: "demo", uid: WORKLOAD.uid, results });
  const review = { ...world.status.reviews?.at(-1), run: run.run, digest: before } as Review;
  const { carried } = await world.deps.carryCorrections(run, findings, [review]);
  expect(carried).toMatchObject([PRICE]);
});

test("but nothing that is of another workload than the one that is compared with", async () => {
  const world = await start({ price: "$9" });
  const findings = await findingsOf(world);
  await approve(world, [PRICE]);
  const results = world.status.results ?? "";
  const run = runWith({ workload: "other", uid: "other-uid", results });
  expect(await world.deps.carryCorrections(run, findings, [])).toEqual(findings);
});

describe("of a review that was no approval", () => {
  test("a rejection is remembered by the workload's next run; of another value once", async () => {
    const found = { price: "$9", size: "4" };
    const world = await start(found);
    const rejected = digestOf(world);
    await decide(world, "rejected", [PRICE, SIZE]);
    found.size = "6";
    await again(world);
    expect([await carriedTo(world), await notedIn(world)]).toEqual([
      [{ ...PRICE, by: "ben" }],
      [{ ...SIZE, by: "ben" }],
    ]);
    const digest = digestOf(world);
    // Another process, which remembers nothing, and the run that was rejected is gone.
    world.loseBytes((key) => !key.includes(rejected));
    for (let round = 0; round < 3; round++) await world.settle({ rounds: 1 });
    expect([digestOf(world), world.status.phase]).toEqual([digest, "AwaitingReview"]);
    await approve(world);
    await again(world);
    expect([await carriedTo(world), await notedIn(world)]).toEqual([[{ ...PRICE, by: "ben" }], undefined]);
  });

  test("nor is it where a later one was approved", async () => {
    const world = await start({ price: "$9" });
    await decide(world, "rejected", [PRICE]);
    world.edit({ inputs: { other: true } });
    await world.settle({ rounds: 2 });
    await toGate(world);
    await approve(world, [{ step: "find", fact: "price", of: "$9", action: "keep" }]);
    world.edit({ inputs: { other: "still" } });
    await world.settle({ rounds: 2 });
    await toGate(world);
    expect(await carriedTo(world)).toBeUndefined();
  });

  test("also where the store has lost what it was said of: the words stand in the status", async () => {
    const world = await start({ price: "$9" });
    const before = digestOf(world);
    await decide(world, "rejected", [PRICE]);
    world.loseBytes((key) => !key.includes(before));
    world.edit({ inputs: { other: true } });
    await world.settle({ rounds: 2 });
    await toGate(world);
    expect(await carriedTo(world)).toEqual([{ ...PRICE, by: "ben" }]);
  });

  test("a request for changes stands beside the facts when the gate opens again", async () => {
    const found = { price: "$9", size: "4" };
    const world = await start(found);
    const before = digestOf(world);
    found.size = "6";
    await decide(world, "changesRequested", [PRICE, SIZE]);
    for (let round = 0; round < 30 && [before, ""].includes(digestOf(world)); round++)
      await world.settle({ rounds: 1 });
    await toGate(world);
    expect((await findingsOf(world)).changes).toMatchObject([{ comment: "not so", corrections: [PRICE, SIZE] }]);
    expect([await carriedTo(world), await notedIn(world)]).toEqual([
      [{ ...PRICE, by: "ben" }],
      [{ ...SIZE, by: "ben" }],
    ]);
    await approve(world);
    const input = world.requests.findLast(({ step }) => step === "write")?.input.from["ask"]?.[0];
    expect(input?.artifacts["findings"]).toBe(artifactKey(WORKLOAD, digestOf(world), "json"));
  });
});
