import type { CoreV1Event } from "@kubernetes/client-node";
import { describe, expect, test } from "vitest";
import type { Review, WorkloadStatus } from "../../../crd/agentworkload.ts";
import { judgeDecision, recordDecision } from "../../../functions/reconcile/workload/decision-outcome.ts";
import { createHarness, done, type Harness, pipelineOf } from "./harness.ts";

const DIGEST = "a".repeat(64);
const AT = "2026-11-30T10:05:00.000Z";
const spec = { workload: "demo", digest: DIGEST, decision: "approved", by: "ben" } as const;
const open: Review = {
  gate: "ask",
  run: "r",
  digest: DIGEST,
  openedAt: "2026-11-30T10:00:00.000Z",
  timeoutAt: "2026-12-01T10:00:00.000Z",
  onTimeout: "Reject",
};
const decided = { ...open, decision: "approved", by: "ben", how: "AgentDecision", automatic: false, at: AT } as const;
const counted = { outcome: "Counted", reason: "First", gate: "ask" };
const before = { outcome: "Refused", reason: "AlreadyDecided", gate: "ask" };

test.each<[string, WorkloadStatus, object | undefined]>([
  ["its gate is open", { phase: "AwaitingReview", reviews: [open] }, undefined],
  ["it was the first", { phase: "Running", reviews: [decided] }, counted],
  ["it was the first, in a run of an earlier spec", { phase: "Running", earlierReviews: [decided] }, counted],
  [
    "somebody was faster",
    { reviews: [{ ...decided, by: "ann" }] },
    { ...before, message: `gate ask: approved by ann at ${AT}` },
  ],
  ["its maker made another before", { reviews: [{ ...decided, at: open.openedAt }] }, before],
  ["its maker decided otherwise before", { reviews: [{ ...decided, decision: "rejected" }] }, before],
  ["its maker used the link", { reviews: [{ ...decided, how: "ReviewLink" }] }, before],
  ["the timeout came before", { reviews: [{ ...decided, by: "the timeout", how: "Timeout" }] }, before],
  [
    "there are other findings now",
    { reviews: [{ ...open, digest: "b".repeat(64) }] },
    { outcome: "Refused", reason: "OtherFindings" },
  ],
  [
    "it asked for changes, in a run that is another one by now",
    { earlierReviews: [{ ...decided, decision: "changesRequested", steps: ["find"] }] },
    { ...before, message: `gate ask: changes requested by ben at ${AT}` },
  ],
  ["its workload is not there", {}, { outcome: "Refused", reason: "OtherFindings" }],
  [
    "the run ended before",
    { phase: "Failed", finishedAt: AT, reviews: [open] },
    { outcome: "Refused", reason: "RunEnded", message: "the run ended (Failed) before gate ask was decided" },
  ],
])("%s", (_what, status, expected) => {
  const judged = judgeDecision({ spec }, AT, status);
  if (expected === undefined) expect(judged).toBeUndefined();
  else expect(judged).toMatchObject(expected);
});

test.each<[string, object, string[] | undefined, string | undefined]>([
  ["of a step before the gate, which is not taken yet", { comment: "again", steps: ["find"] }, ["find"], undefined],
  [
    "of a step that is not before the gate",
    { comment: "again", steps: ["write"] },
    ["find"],
    "changes can be asked of the steps find, and not of write",
  ],
  [
    "where none can be asked for",
    { comment: "again" },
    undefined,
    "no changes can be asked for at gate ask: approve or reject",
  ],
  ["that says nothing", {}, ["find"], "it does not say what is to be changed"],
])("a request for changes %s", (_what, more, changeable, message) => {
  const reviews = [{ ...open, ...(changeable ? { changeable } : {}) }];
  const judged = judgeDecision({ spec: { ...spec, decision: "changesRequested", ...more } }, AT, { reviews });
  expect(judged).toEqual(message && { outcome: "Refused", reason: "NotChangeable", message, gate: "ask" });
});

test("an approval that names steps is told that it does not count", () => {
  const judged = judgeDecision({ spec: { ...spec, steps: ["find"] } }, AT, { reviews: [open] });
  expect(judged).toMatchObject({ outcome: "Refused", message: "only a request for changes names steps" });
});

describe("what becomes of decisions is recorded", () => {
  const pipeline = pipelineOf({
    steps: [
      { name: "find", agent: "find" },
      { name: "ask", after: ["find"], gate: {} },
      { name: "write", agent: "write", after: ["ask"] },
    ],
  });
  async function atGate(): Promise<Harness> {
    const world = createHarness({ pipeline, spec: {}, answer: () => done() });
    for (let round = 0; round < 20 && world.status.phase !== "AwaitingReview"; round++)
      await world.settle({ rounds: 1 });
    return world;
  }
  /** As an event about the decision has it done. */
  async function record(world: Harness, name: string): Promise<CoreV1Event[]> {
    const events: CoreV1Event[] = [];
    const kube = { ...world.deps.kube, event: async (event: CoreV1Event) => void events.push(event) };
    await recordDecision({ namespace: "team-a", name }, { ...world.deps, kube });
    return events;
  }
  const statusOf = ({ objects }: Harness, name: string) => objects.decisions.get(name)?.status;

  test("of the first that it counts, of the second why not, once", async () => {
    const world = await atGate();
    world.make("approved");
    world.make("rejected");
    expect(await record(world, "decision-0")).toEqual([]);
    expect(statusOf(world, "decision-0")).toBeUndefined();
    await world.settle({ rounds: 2 });
    expect(await record(world, "decision-0")).toEqual([]);
    expect(statusOf(world, "decision-0")).toMatchObject({ outcome: "Counted", gate: "ask" });
    const [event] = await record(world, "decision-1");
    expect(event).toMatchObject({
      type: "Warning",
      reason: "DecisionRefused",
      involvedObject: { kind: "AgentWorkload", name: "demo" },
      message: expect.stringMatching(
        /^ben decided "rejected" by AgentDecision decision-1, which does not count: gate ask: approved by ben at /,
      ),
    });
    expect(statusOf(world, "decision-1")).toMatchObject({ outcome: "Refused", reason: "AlreadyDecided" });
    expect(await record(world, "decision-1")).toEqual([]);
  });

  test("a process that dies before the status makes the same Event again, and then the status", async () => {
    const world = await atGate();
    world.make("approved");
    world.make("rejected");
    await world.settle({ rounds: 2 });
    const { decisions } = world.deps.kube;
    const events: CoreV1Event[] = [];
    const dies = { ...decisions, putStatus: () => Promise.reject(new Error("dead")) };
    const event = async (one: CoreV1Event) => void events.push(one);
    const kube = { ...world.deps.kube, event, decisions: dies };
    await expect(
      recordDecision({ namespace: "team-a", name: "decision-1" }, { ...world.deps, kube }),
    ).rejects.toThrow();
    events.push(...(await record(world, "decision-1")));
    expect(events.map(({ metadata }) => metadata.name)).toEqual([events[0]?.metadata.name, events[0]?.metadata.name]);
    expect(statusOf(world, "decision-1")).toMatchObject({ outcome: "Refused" });
  });
});
