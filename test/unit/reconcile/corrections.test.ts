import { expect, test } from "vitest";
import type { Correction } from "../../../crd/agentworkload.ts";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { canonicalJson, sha256 } from "../../../engine/canonical.ts";
import { decisionSchema } from "../../../engine/findings.ts";
import { recordDecision } from "../../../functions/reconcile/workload/decision-outcome.ts";
import { evidenceOfRun } from "../../../functions/reconcile/workload/ended-run.ts";
import { createHarness, done, type Harness, pipelineOf, WORKLOAD } from "./harness.ts";

// What comes of corrections by AgentDecision. Those by the review page are in the status as approve took them.

const pipeline = pipelineOf({
  steps: [
    { name: "find", agent: "find" },
    { name: "ask", after: ["find"], gate: {} },
    { name: "write", agent: "write", after: ["ask"] },
  ],
});
const SUMMARY = canonicalJson({
  title: "What was found",
  facts: [{ id: "price", label: "Price", value: "$9" }],
  pictures: [],
  caveats: [],
});
const strike: Correction = { step: "find", fact: "price", of: "$9", action: "strike" };

async function atGate(): Promise<Harness> {
  const summary = artifactKey(WORKLOAD, sha256(SUMMARY), "json");
  const world = createHarness({
    pipeline,
    spec: {},
    answer: ({ step }) => done(step === "find" ? { artifacts: { summary } } : {}),
  });
  await world.deps.artifacts.put(WORKLOAD, SUMMARY, "json");
  for (let round = 0; round < 20 && world.status.phase !== "AwaitingReview"; round++) await world.settle({ rounds: 1 });
  return world;
}
const statusOf = ({ objects }: Harness, name: string) => objects.decisions.get(name)?.status;
const record = (world: Harness, name = "decision-0") =>
  recordDecision({ namespace: "team-a", name }, { ...world.deps, kube: { ...world.deps.kube, event: async () => {} } });

test("they go with the decision into the status, to the steps after the gate, and into the evidence", async () => {
  const world = await atGate();
  world.make("approved", { corrections: [strike] });
  await world.settle();
  expect(world.status).toMatchObject({
    phase: "Succeeded",
    reviews: [{ decision: "approved", corrections: [strike] }],
  });
  await record(world);
  expect(statusOf(world, "decision-0")).toMatchObject({ outcome: "Counted" });
  const key = world.requests.find(({ step }) => step === "write")?.input.from["ask"]?.[0]?.artifacts["decision"] ?? "";
  const bytes = await world.deps.artifacts.get(WORKLOAD, key);
  expect(decisionSchema.parse(JSON.parse(new TextDecoder().decode(bytes)))).toMatchObject({ corrections: [strike] });
  const [run] = world.recordedRuns;
  expect(run && evidenceOfRun(run).predicate.chain.at(-1)?.entry).toMatchObject({
    kind: "decision",
    decision: { corrections: [strike] },
  });
});

test.each<[string, object]>([
  ["of what the findings do not have", { corrections: [{ ...strike, fact: "size" }] }],
  ["of another value than is there", { corrections: [{ ...strike, of: "$8" }] }],
])("a decision with corrections %s does not count, and says why, once", async (_what, more) => {
  const world = await atGate();
  world.make("approved", more);
  await world.settle({ rounds: 2 });
  expect(world.status).toMatchObject({ phase: "AwaitingReview" });
  await record(world);
  expect(statusOf(world, "decision-0")).toMatchObject({
    outcome: "Refused",
    reason: "InvalidCorrections",
    gate: "ask",
    message: expect.stringMatching(/^fact "\w+" of step "find": /),
  });
  // What was refused is not read again; the next one counts.
  const reads: string[] = [];
  const { get } = world.deps.artifacts;
  Object.assign(world.deps.artifacts, {
    get: (...asked: Parameters<typeof get>) => {
      reads.push(asked[1]);
      return get(...asked);
    },
  });
  await world.look();
  expect(reads).not.toContain(artifactKey(WORKLOAD, sha256(SUMMARY), "json"));
  world.make("approved", { corrections: [strike] });
  await world.settle();
  expect(world.status).toMatchObject({ phase: "Succeeded", reviews: [{ corrections: [strike] }] });
});

test("a rejection says why of single facts: in its review, in the conditions, and in the evidence", async () => {
  const world = await atGate();
  world.make("rejected", { comment: "not like this", corrections: [{ ...strike, comment: "last year's" }] });
  await world.settle();
  await record(world);
  expect(statusOf(world, "decision-0")).toMatchObject({ outcome: "Counted" });
  expect(world.status).toMatchObject({ phase: "Rejected", reviews: [{ corrections: [{ fact: "price" }] }] });
  const why = 'ben rejected gate ask: not like this ("$9" struck: last year\'s)';
  expect(world.status.conditions).toContainEqual(expect.objectContaining({ type: "Ready", message: why }));
  const [run] = world.recordedRuns;
  expect(run && evidenceOfRun(run).predicate.chain.at(-1)?.entry).toMatchObject({
    decision: { decision: "rejected", corrections: [{ fact: "price" }] },
  });
});

test("a request for changes gives them to the steps that run again, each those of its item", async () => {
  const world = await atGate();
  world.make("changesRequested", { comment: "look again", corrections: [strike] });
  for (let round = 0; round < 20 && world.requests.filter(({ step }) => step === "find").length < 2; round++)
    await world.settle({ rounds: 1 });
  expect(world.status.changes).toMatchObject([{ comment: "look again", corrections: [strike] }]);
  expect(world.requests.findLast(({ step }) => step === "find")?.input.changes).toEqual([
    { gate: "ask", comment: "look again", corrections: [strike] },
  ]);
});

test("a second decision that is the same but for its corrections does not count", async () => {
  const world = await atGate();
  world.make("approved", { corrections: [strike] });
  world.make("approved");
  await world.settle({ rounds: 3 });
  await record(world, "decision-0");
  await record(world, "decision-1");
  expect([statusOf(world, "decision-0"), statusOf(world, "decision-1")]).toMatchObject([
    { outcome: "Counted" },
    { outcome: "Refused", reason: "AlreadyDecided" },
  ]);
});

test("nothing is judged while the store is away, or has lost the findings of an open gate", async () => {
  const world = await atGate();
  world.make("approved", { corrections: [strike] });
  world.loseBytes(() => false);
  await record(world);
  expect(statusOf(world, "decision-0")).toBeUndefined();
});
