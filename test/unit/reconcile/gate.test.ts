import { describe, expect, test } from "vitest";
import type { Review, WorkloadStatus } from "../../../crd/agentworkload.ts";
import { argoEngine } from "../../../functions/reconcile/argo/engine.ts";
import { statusOf } from "../../../functions/reconcile/workload/status.ts";
import { AT_GATE, bad, type Given, LOST, NOW, READ, see } from "./given.ts";
import { pipelineOf } from "./harness.ts";

const context = { costOfApproving: () => 0.0042, engine: argoEngine, now: NOW };
const statusAt = async (given: Given): Promise<WorkloadStatus> =>
  statusOf(await see(given), { ...context, now: given.now ?? NOW });
const condition = ({ conditions = [] }: WorkloadStatus, type: string) => conditions.find((one) => one.type === type);

const ann = { by: "ann", how: "ReviewLink", automatic: false, at: "2026-01-01T10:10:00.000Z" } as const;
const approved = { ...ann, decision: "approved" } as const;
const rejected = { ...ann, decision: "rejected" } as const;
const OTHER_FINDINGS = "0".repeat(64);
/** After the timeout of the default 24 hours, and Argo's grace. */
const LATE = new Date("2026-01-02T10:30:00Z");

/** The review as reconcile opened it, with a decision laid over it. */
async function opened(spec: Record<string, unknown> = {}, over: Partial<Review> = {}): Promise<WorkloadStatus> {
  const { reviews = [] } = await statusAt({ ...AT_GATE, spec });
  return { reviews: reviews.map((review) => ({ ...review, ...over })) };
}

const skipping = pipelineOf({
  steps: [
    { name: "first", agent: "fetch" },
    { name: "ask", gate: {}, after: ["first"], when: "steps.first.failed > 0" },
    { name: "last", agent: "write", after: ["ask"] },
  ],
});
const two = pipelineOf({
  steps: [
    { name: "first", agent: "fetch" },
    { name: "yes", gate: {}, after: ["first"] },
    { name: "no", gate: {}, after: ["first"] },
    { name: "last", agent: "write", after: ["yes", "no"] },
  ],
});

/** The gate's node as Argo has it, beside those before it. */
const node = (line: string, finishedAt?: string) => ({
  nodes: [...READ, `review ${line}`],
  ...(finishedAt ? { workflow: { nodes: { "id-review": { ...failedNode(line), finishedAt } } } } : {}),
});
function failedNode(line: string) {
  const [phase = "", output] = line.split(" ");
  const outputs = output ? { outputs: { parameters: [{ name: "result", value: output }] } } : {};
  return {
    id: "id-review",
    type: "Suspend",
    templateName: "gate-review",
    phase,
    startedAt: "2026-01-01T10:05:00Z",
    ...outputs,
  };
}

describe("what a gate's node, its review and the clock mean", () => {
  const AFTER = "2026-01-02T10:15:00Z";
  const BEFORE = "2026-01-02T10:04:59Z";
  test.each<[string, Given | Promise<Given>, string]>([
    ["it opens", AT_GATE, "waiting"],
    ["a person approves", withReview(AT_GATE, {}, approved), "approved by ann (ReviewLink)"],
    ["a person rejects", withReview(AT_GATE, {}, rejected), "rejected by ann (ReviewLink)"],
    [
      "the timeout, which rejects",
      withReview({ ...AT_GATE, now: LATE }),
      "rejected by the timeout of the review (onTimeout: Reject) (Timeout, automatic)",
    ],
    [
      "the timeout, where it approves",
      withReview({ ...AT_GATE, now: LATE }, { review: { onTimeout: "Approve" } }),
      "approved by the timeout of the review (onTimeout: Approve) (Timeout, automatic)",
    ],
    [
      "a decision that was acknowledged before the timeout, seen after it",
      withReview({ ...AT_GATE, now: LATE }, {}, approved),
      "approved by ann (ReviewLink)",
    ],
    [
      "a review that is not required",
      { ...AT_GATE, spec: { review: { required: false } } },
      "approved by spec.review.required: false (Setting, automatic)",
    ],
    [
      "settled by reconcile: approved",
      withReview(node("Succeeded approved"), {}, approved),
      "approved by ann (ReviewLink)",
    ],
    [
      "settled by reconcile: rejected",
      withReview(node("Failed rejected"), {}, rejected),
      "rejected by ann (ReviewLink)",
    ],
    [
      "settled after the timeout by Argo, everything slept: it approves",
      withReview({ ...node("Succeeded approved", AFTER), now: LATE }, { review: { onTimeout: "Approve" } }),
      "approved by the timeout of the review (onTimeout: Approve) (Argo, automatic)",
    ],
    [
      "settled after the timeout by Argo, everything slept: it rejects",
      withReview({ ...node("Error", AFTER), now: LATE }),
      "rejected by the timeout of the review (onTimeout: Reject) (Argo, automatic)",
    ],
    ["approved by hand", withReview(node("Succeeded approved")), "tampered: says approved"],
    ["approved by hand, nobody was asked yet", node("Succeeded approved"), "tampered: says approved"],
    ["resumed by hand, without an output", withReview(node("Succeeded")), "tampered: is Succeeded"],
    ["failed by hand", withReview(node("Failed")), "tampered: is Failed"],
    ["skipped by hand", withReview(node("Succeeded skipped")), "tampered: says skipped"],
    [
      "skipped, its `when` is false",
      { pipeline: skipping, nodes: ["first settled", "ask Succeeded skipped"] },
      "skipped",
    ],
    [
      "approved by hand where a person rejected",
      withReview(node("Succeeded approved"), {}, rejected),
      "tampered: says approved",
    ],
    [
      "rejected by hand where a person approved",
      withReview(node("Failed rejected"), {}, approved),
      "tampered: says rejected",
    ],
    [
      "approved by hand before the timeout that approves, seen after it",
      withReview({ ...node("Succeeded approved", BEFORE), now: LATE }, { review: { onTimeout: "Approve" } }),
      "tampered: says approved",
    ],
    [
      "approved by hand after the timeout that rejects",
      withReview({ ...node("Succeeded approved", AFTER), now: LATE }),
      "tampered: says approved",
    ],
    [
      "approved by hand or by Argo after the timeout, where a person rejected",
      withReview({ ...node("Succeeded approved", AFTER), now: LATE }, { review: { onTimeout: "Approve" } }, rejected),
      "overtaken: rejected by ann",
    ],
    [
      "an approval of findings that are lost, whose steps left others",
      withReview(node("Succeeded approved"), {}, { ...approved, digest: OTHER_FINDINGS }),
      "overtaken: approved by ann",
    ],
    [
      "a rejection of findings that are lost, whose steps left others",
      withReview(node("Failed rejected"), {}, { ...rejected, digest: OTHER_FINDINGS }),
      "rejected by ann (ReviewLink)",
    ],
    [
      "approved by hand, where a person rejected other findings",
      withReview(node("Succeeded approved"), {}, { ...rejected, digest: OTHER_FINDINGS }),
      "tampered: says approved",
    ],
    [
      "rejected by hand, where a person rejected in another run",
      withReview(node("Failed rejected"), {}, { ...rejected, digest: OTHER_FINDINGS, run: "another" }),
      "tampered: says rejected",
    ],
    [
      "rejected by hand, where a person rejected at another gate",
      withReview(node("Failed rejected"), {}, { ...rejected, digest: OTHER_FINDINGS, gate: "another" }),
      "tampered: says rejected",
    ],
    ["a decision without who made it", withReview(AT_GATE, {}, { decision: "approved" }), "waiting"],
  ])("%s", async (_what, given, expected) => {
    const { progress } = await see(await given);
    const verdict = progress?.gates[0]?.verdict;
    expect(
      verdict?.state === "decided"
        ? `${verdict.decision.decision} by ${verdict.decision.by} (${verdict.decision.how}${verdict.decision.automatic ? ", automatic" : ""})`
        : verdict?.state === "overtaken"
          ? `overtaken: ${verdict.decision.decision} by ${verdict.decision.by}`
          : verdict?.state === "tampered"
            ? `tampered: ${/review ((says|is) \w+)/.exec(verdict.message)?.[1]}`
            : verdict?.state,
    ).toBe(expected);
  });

  async function withReview(
    given: Given,
    spec: Record<string, unknown> = {},
    over: Partial<Review> = {},
  ): Promise<Given> {
    return { ...given, spec, status: await opened(spec, over) };
  }
});

describe("decisions that were made with kubectl", () => {
  /** After the gate opened, and before its timeout. */
  const IN_TIME = "2026-01-01T10:10:00Z";
  const digest = async (): Promise<string> => (await opened()).reviews?.[0]?.digest ?? "";

  async function verdictAt(
    decisions: readonly { at: string; spec?: object }[],
    over: Partial<Given> = {},
    review: Partial<Review> = {},
  ): Promise<string | undefined> {
    const made = { digest: await digest() };
    const given = decisions.map(({ at, spec }) => ({ at, spec: { ...made, ...spec } }));
    const { progress } = await see({ ...AT_GATE, status: await opened({}, review), ...over, decisions: given });
    const verdict = progress?.gates[0]?.verdict;
    return verdict && "decision" in verdict
      ? `${verdict.state}: ${verdict.decision.decision} by ${verdict.decision.by} (${verdict.decision.how}) at ${verdict.decision.at}`
      : verdict?.state;
  }

  test.each([
    ["one counts", [{ at: IN_TIME }], "decided: approved by ben (AgentDecision) at 2026-01-01T10:10:00.000Z"],
    [
      "the first counts",
      [{ at: "2026-01-01T10:11:00Z", spec: { decision: "rejected" } }, { at: IN_TIME }],
      "decided: approved by ben (AgentDecision) at 2026-01-01T10:10:00.000Z",
    ],
    ["one on other findings counts for nothing", [{ at: IN_TIME, spec: { digest: OTHER_FINDINGS } }], "waiting"],
    ["one on another workload counts for nothing", [{ at: IN_TIME, spec: { workload: "another" } }], "waiting"],
    ["one that no schema takes counts for nothing", [{ at: IN_TIME, spec: { by: 7 } }], "waiting"],
  ])("%s", async (_what, decisions, expected) => {
    expect(await verdictAt(decisions)).toBe(expected);
  });

  test("one that was made in time counts, though it is seen after the timeout; one that was made later does not", async () => {
    expect(await verdictAt([{ at: IN_TIME }], { now: LATE })).toMatch(/^decided: approved by ben/);
    expect(await verdictAt([{ at: "2026-01-02T10:05:00Z" }], { now: LATE })).toMatch(
      /^decided: rejected by the timeout/,
    );
  });

  test("the engine's own timer does not overrule it", async () => {
    expect(await verdictAt([{ at: IN_TIME }], { ...node("Error", "2026-01-02T10:15:00Z"), now: LATE })).toMatch(
      /^overtaken: approved by ben/,
    );
  });

  test("none is looked for once the status has a decision", async () => {
    expect(await verdictAt([{ at: "2026-01-01T10:06:00Z" }], {}, rejected)).toMatch(/^decided: rejected by ann/);
  });
});

describe("status.reviews and the condition Reviewed", () => {
  test("an open review says until when, and what approving costs at most", async () => {
    const status = await statusAt(AT_GATE);
    expect(status.reviews).toEqual([
      {
        gate: "review",
        run: expect.stringMatching(/^[0-9a-f]{10}$/),
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        openedAt: "2026-01-01T10:05:00.000Z",
        timeoutAt: "2026-01-02T10:05:00.000Z",
        onTimeout: "Reject",
        costOfApproving: "0.004200",
        changeable: ["fetch", "read"],
      },
    ]);
    expect(condition(status, "Reviewed")).toMatchObject({
      status: "False",
      reason: "Waiting",
      message: "gate review waits for a decision until 2026-01-02T10:05:00.000Z (then: rejected)",
    });
  });

  test("its terms are the spec's while it waits; its cost, and the terms of a gate that is settled, stay as they were told", async () => {
    const told = { timeoutAt: "2026-01-01T12:00:00.000Z", onTimeout: "Approve", costOfApproving: "0.0001" } as const;
    const open = await statusAt({ ...AT_GATE, status: await opened({}, told) });
    expect(open.reviews).toMatchObject([
      { timeoutAt: "2026-01-02T10:05:00.000Z", onTimeout: "Reject", costOfApproving: "0.0001" },
    ]);
    const settled = await statusAt({
      ...node("Succeeded approved"),
      status: await opened({}, { ...told, ...approved }),
    });
    expect(settled.reviews).toMatchObject([told]);
  });

  test.each<[string, Given | Promise<Given>, string, RegExp]>([
    ["its node has not started", { nodes: READ }, "False NotYet", /^$/],
    [
      "approved with a comment",
      opened({}, { ...approved, comment: "b.example is wrong" }).then((status) => ({ ...AT_GATE, status })),
      "True Approved",
      /^review: approved by ann: b\.example is wrong$/,
    ],
    ["rejected", opened({}, rejected).then((status) => ({ ...AT_GATE, status })), "True Rejected", /rejected by ann/],
    [
      "tampered with",
      { nodes: [...READ, "review Succeeded approved"] },
      "False TamperedGate",
      /kubectl delete workflow/,
    ],
    [
      "the run failed before it",
      { nodes: [...READ, "review Failed not-run", "end Failed failed"], workflow: { phase: "Failed" } },
      "False NotReached",
      /ended before/,
    ],
    ["skipped", { pipeline: skipping, nodes: ["first settled", "ask Running"] }, "True NoGate", /skipped/],
    [
      "no gate at all",
      { pipeline: pipelineOf({ steps: [{ name: "do", agent: "fetch" }] }), nodes: ["do Running"] },
      "True NoGate",
      /has no gate/,
    ],
    [
      "one of two gates waits",
      { pipeline: two, nodes: ["first settled", "yes Running", "no Running"] },
      "False Waiting",
      /gate yes waits.*; gate no waits/,
    ],
  ])("%s", async (_what, given, expected, message) => {
    const reviewed = condition(await statusAt(await given), "Reviewed");
    expect(`${reviewed?.status} ${reviewed?.reason}`).toBe(expected);
    expect(reviewed?.message).toMatch(message);
  });

  test("a review is not open in a status that could not do all it wanted, nor while the run is held", async () => {
    const stall = { reason: "StoreUnavailable", message: "away" };
    expect(statusOf(await see(AT_GATE), { ...context, stall }).reviews).toBeUndefined();
    expect((await statusAt({ ...AT_GATE, spec: { suspend: true } })).reviews).toBeUndefined();
    const status = await opened();
    expect(statusOf(await see({ ...AT_GATE, status }), { ...context, stall }).reviews).toEqual(status.reviews);
  });

  test("a review stays as it is while a step before its gate is done again", async () => {
    const status = await opened({}, approved);
    const nodes = [`fetch/0 Succeeded ${LOST}`, ...READ.slice(1)];
    expect((await statusAt({ nodes: [...nodes, "review Running"], status })).reviews).toEqual(status.reviews);
    expect((await statusAt({ nodes: [...nodes, "review Succeeded approved"], status })).reviews).toEqual(
      status.reviews,
    );
  });

  test("a review stays as it is when Argo cuts the run short", async () => {
    const status = await opened();
    const workflow = { phase: "Failed", message: "Max duration limit exceeded" };
    const cut = await statusAt({ nodes: [...READ, "review Failed"], workflow, status });
    expect(cut.reviews).toEqual(status.reviews);
    expect(condition(cut, "Reviewed")).toMatchObject({ reason: "NotReached" });
  });

  test("no review opens once the run fails", async () => {
    const results = { "fetch/0": bad("Timeout"), "fetch/1": bad("Timeout") };
    const nodes = [...READ.slice(0, 5), ...READ.slice(7), "review Running"];
    expect((await statusAt({ nodes, results })).reviews).toBeUndefined();
  });
});
