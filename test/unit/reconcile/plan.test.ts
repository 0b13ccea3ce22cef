import { describe, expect, test } from "vitest";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { argoEngine } from "../../../functions/reconcile/argo/engine.ts";
import { plan } from "../../../functions/reconcile/workload/plan.ts";
import { statusOf } from "../../../functions/reconcile/workload/status.ts";
import {
  AT_GATE,
  agentObject,
  bad,
  GATE_AT,
  type Given,
  ITEMS,
  LOST,
  NOW,
  ok,
  READ,
  runFor,
  say,
  see,
  workflowObject,
} from "./given.ts";
import { pipelineOf } from "./harness.ts";

const RUN = argoEngine.nameOf(runFor({}));
const OTHER = "demo-0123456789";
/** Earlier than what given.ts makes. */
const BEFORE = "2025-12-31T00:00:00Z";

const planned = async (given: Given) => say(plan(await see(given), argoEngine, given.now ?? NOW));

/** The status that reconcile writes for these findings, with a decision laid over its review. */
async function reviewed(given: Given, over: object = {}): Promise<Given> {
  const observed = await see(given);
  const context = { costOfApproving: () => 0, engine: argoEngine, now: NOW };
  const { reviews = [] } = statusOf(observed, context);
  return { ...given, status: { reviews: reviews.map((review) => ({ ...review, ...over })) } };
}
const decided = {
  decision: "approved",
  by: "ann",
  how: "ReviewLink",
  automatic: false,
  at: "2026-01-01T10:10:00.000Z",
};
const finished = (over: WorkloadStatus): WorkloadStatus => ({
  workflow: RUN,
  finishedAt: "2026-01-01T09:00:00.000Z",
  phase: "Succeeded",
  ...over,
});
const TOO_MANY = "2 of 5 items failed (1 × Timeout, 1 × RobotsDisallowed); spec.tolerate.failedItems allows 1";
const superseded = { "agentic.dev/superseded": "true" };

const parallel = pipelineOf({
  steps: [
    { name: "left", agent: "fetch" },
    { name: "right", agent: "read" },
    { name: "ask", gate: {}, after: ["left"] },
  ],
  output: "left",
});
const dynamic = pipelineOf({
  steps: [
    { name: "find", agent: "fetch" },
    { name: "check", agent: "read", after: ["find"], forEach: "steps.find.items" },
  ],
});

describe("plan", () => {
  test.each<[string, Given | Promise<Given>, string[]]>([
    ["a new workload gets the finalizer first", { metadata: { finalizers: [] } }, ["addFinalizer"]],
    ["then its Workflow", {}, ["createRun", "expect fetch"]],
    ["not while the spec says suspend", { spec: { suspend: true } }, []],
    ["not for an invalid spec", { spec: { replicas: 0 } }, []],
    ["not for inputs that the pipeline's schema refuses", { spec: { inputs: { items: ITEMS, question: 1 } } }, []],
    ["not for an item that is a private address", { spec: { inputs: { items: ["http://10.0.0.1/"] } } }, []],
    ["not for a pipeline that is not there", { spec: { pipeline: "other" } }, []],
    ["not without each agent", { agents: { read: undefined } }, []],
    ["not with an agent that has no revision yet", { agents: { read: agentObject("read", { status: {} }) } }, []],
    ["the Agent of an image is made first", { spec: imageSpec() }, ["applyAgent demo"]],
    ["not again once it has finished and its Workflow is gone", { status: finished({}) }, []],
    [
      "a failed one is, when its Workflow was deleted before its time",
      { status: finished({ phase: "Failed" }) },
      ["createRun", "expect fetch"],
    ],
    [
      "and not when its time was over",
      {
        status: finished({
          phase: "Failed",
          finishedAt: "2025-11-01T09:00:00.000Z",
          conditions: [expired()],
        }),
      },
      [],
    ],
    ["but again where it went away before its end", { status: { workflow: RUN } }, ["createRun", "expect fetch"]],
    ["nothing to do until Argo has seen it", { nodes: [] }, []],
    [
      "steps whose nodes run are requested",
      { nodes: ["fetch/0 Running", "fetch/1 Running"] },
      ["dispatch fetch/0", "dispatch fetch/1", "expect read"],
    ],
    [
      "not one whose request is on its way, nor one that is worked on",
      {
        nodes: ["fetch/0 Running", "fetch/1 Running"],
        states: { "fetch/0": { requested: true }, "fetch/1": { held: true } },
      },
      [],
    ],
    [
      "all that have ended are settled in one write, the rest requested",
      {
        nodes: ["fetch/0 Running", "fetch/1 Running", "fetch/2 Running"],
        states: { "fetch/0": { ended: true }, "fetch/1": { ended: true } },
        results: { "fetch/1": bad("RobotsDisallowed") },
      },
      [
        "dispatch fetch/2",
        "settle fetch/0 Succeeded succeeded",
        "settle fetch/1 Failed RobotsDisallowed: why",
        "expect read",
      ],
    ],
    [
      "the next step on an item gets what the one before it left",
      { nodes: ["fetch/0 settled", "read/0 Running"] },
      ["dispatch read/0", "expect write"],
    ],
    [
      "a fresh success of an earlier run is used again",
      { nodes: ["fetch/0 Running"], states: { "fetch/0": { ended: true, attempt: "another" } } },
      ["settle fetch/0 Succeeded succeeded"],
    ],
    [
      "a stale one is not",
      {
        nodes: ["fetch/0 Running"],
        states: { "fetch/0": { ended: new Date("2025-12-30T00:00:00Z"), attempt: "another" } },
      },
      ["dispatch fetch/0", "expect read"],
    ],
    [
      "a failure of an earlier run, or before Argo's retry, is tried anew",
      {
        nodes: ["fetch/0 Running"],
        states: { "fetch/0": { ended: true, attempt: "another" } },
        results: { "fetch/0": bad("Timeout") },
      },
      ["dispatch fetch/0", "expect read"],
    ],
    [
      "a settled step whose bytes are gone is done again: what comes after it needs it",
      { nodes: [`fetch/0 Succeeded ${LOST}`, "read/0 Running"] },
      ["dispatch fetch/0"],
    ],
    [
      "one that somebody resumed in Argo without a result has failed: it is not done again",
      { nodes: ["fetch/0 Succeeded", "fetch/1 Running"], states: { "fetch/1": { held: true } } },
      [],
    ],
    [
      "what Argo started after it has nothing to work on",
      {
        nodes: ["fetch/0 Succeeded", "read/0 Running", "fetch/1 Running"],
        states: { "fetch/1": { held: true } },
      },
      ["settle read/0 Failed NothingToWorkOn: step fetch before it failed, and was resumed in Argo (stored)"],
    ],
    [
      "nothing new starts once the budget is spent, and what nobody works on is settled",
      {
        nodes: ["fetch/0 settled", "read/0 Running", "fetch/1 Running", "fetch/2 Running", "fetch/3 Running"],
        states: { "read/0": { ended: true }, "fetch/2": { held: true }, "fetch/3": { requested: true } },
        results: { "read/0": bad("BudgetExceeded") },
      },
      ["settle fetch/1 Failed the run fails: BudgetExceeded: why", "settle read/0 Failed BudgetExceeded: why"],
    ],
    [
      "an agent that never answers ends its step at the deadline",
      {
        spec: { deadlines: { item: "2m" } },
        nodes: ["fetch/0 Running", "fetch/1 Running", "fetch/2 Running"],
        states: {
          "fetch/0": asked("2026-01-01T10:03:29Z"),
          "fetch/1": asked("2026-01-01T10:03:31Z"),
          "fetch/2": { ...asked("2026-01-01T10:00:00Z"), held: true },
        },
      },
      ["settle fetch/0 Failed DeadlineExceeded: agent fetch left no result within 120 s of the first request (stored)"],
    ],
    [
      "the deadline of an earlier attempt says nothing",
      {
        spec: { deadlines: { item: "2m" } },
        nodes: ["fetch/0 Running"],
        states: { "fetch/0": { ...asked("2026-01-01T09:00:00Z"), requested: false, attempt: "another" } },
      },
      ["dispatch fetch/0", "expect read"],
    ],
    [
      "the gate: findings are published, and a review is requested",
      AT_GATE,
      ["publish review", "requestReview review"],
    ],
    [
      "a first step that is a gate is published too",
      {
        pipeline: pipelineOf({
          steps: [
            { name: "ask", gate: {} },
            { name: "do", agent: "fetch", after: ["ask"] },
          ],
        }),
        nodes: ["ask Running"],
      },
      ["publish ask", "requestReview ask"],
    ],
    [
      "no review is requested where none is required",
      { ...AT_GATE, spec: { review: { required: false } } },
      ["publish review and approved by spec.review.required: false", "expect write"],
    ],
    ["an open review waits", reviewed(AT_GATE), []],
    ["a decision settles the gate", reviewed(AT_GATE, decided), ["settle review Succeeded approved", "expect write"]],
    [
      "so does a rejection",
      reviewed(AT_GATE, { ...decided, decision: "rejected" }),
      ["settle review Failed Rejected by ann"],
    ],
    [
      "a decision on other findings does not",
      reviewed(AT_GATE, { ...decided, digest: "0".repeat(64) }),
      ["publish review", "requestReview review"],
    ],
    [
      "nor one of another run",
      reviewed(AT_GATE, { ...decided, run: "0123456789" }),
      ["publish review", "requestReview review"],
    ],
    [
      "the timeout is decided, and settled once the status says so",
      reviewed(AT_GATE).then((given) => ({ ...given, now: new Date("2026-01-02T10:05:00Z") })),
      [],
    ],
    [
      "a gate is not judged while a step before it is done again",
      reviewed(AT_GATE).then((given) => ({
        ...given,
        nodes: AT_GATE.nodes?.map((line) => (line === "fetch/1 settled" ? `fetch/1 Succeeded ${LOST}` : line)) ?? [],
      })),
      ["dispatch fetch/1"],
    ],
    [
      "too many failed items fail the run: its gate and its end are settled",
      {
        nodes: [...READ.slice(0, 5), ...READ.slice(7), "review Running"],
        results: { "fetch/0": bad("Timeout"), "fetch/1": bad("RobotsDisallowed") },
      },
      [`settle review Failed the run fails: TooManyFailedItems: ${TOO_MANY}`],
    ],
    [
      "the run fails at its end with the reason",
      {
        nodes: [...READ.slice(0, 5), ...READ.slice(7), "review Failed not-run", "end Running"],
        results: { "fetch/0": bad("Timeout"), "fetch/1": bad("RobotsDisallowed") },
      },
      ["announce Failed", `settle end Failed TooManyFailedItems: ${TOO_MANY}`],
    ],
    [
      "a failure beside an open gate: steps in flight may end, nothing new starts",
      {
        pipeline: parallel,
        nodes: ["left settled", "right settled", "ask Running"],
        results: { right: bad("Broken") },
      },
      ["settle ask Failed the run fails: Broken: step right: why"],
    ],
    [
      "a list says how many items a fan-out has",
      {
        pipeline: dynamic,
        nodes: ["find settled", "list-check Running"],
        results: { find: ok("k", { items: ["x", "y", "z"] }) },
      },
      ["settle list-check Succeeded 3"],
    ],
    [
      "501 returned items fail the run before any of them starts",
      {
        pipeline: dynamic,
        nodes: ["find settled", "list-check Running"],
        results: { find: ok("k", { items: Array.from({ length: 501 }, (_, at) => `x${at}`) }) },
      },
      [
        "settle list-check Failed the run fails: TooManyItems: step find: agent fetch returned 501 items; maxItems of its step allows 500",
      ],
    ],
    [
      "the report is requested with findings and decision published",
      reviewed(AT_GATE, decided).then((given) => ({
        ...given,
        nodes: [...READ, "review Succeeded approved", "write Running"],
      })),
      ["publish review and approved by ann", "dispatch write"],
    ],
    [
      "where Argo's own timeout was first, that is who decided",
      {
        spec: { review: { timeout: "10m", onTimeout: "Approve" } },
        nodes: [...READ, "review Succeeded approved", "write Running"],
      },
      ["publish review and approved by the timeout of the review (onTimeout: Approve)", "dispatch write"],
    ],
    [
      "a gate that somebody settled in Argo is no approval: what Argo started after it does nothing",
      { nodes: [...READ, "review Succeeded approved", "write Running"] },
      [expect.stringMatching(/^settle write Failed TamperedGate: the node of gate review says approved in Argo/)],
    ],
    ["nothing while the spec says suspend", { ...AT_GATE, spec: { suspend: true } }, []],
    ["nothing while Argo's own suspend holds it", { ...AT_GATE, workflow: { spec: { suspend: true } } }, []],
    [
      "a Workflow that was stopped in Argo is woken until it ends",
      { ...AT_GATE, workflow: { spec: { shutdown: "Stop" } } },
      ["nudge"],
    ],
    ["nothing on a Workflow that has ended", { ...AT_GATE, workflow: { phase: "Failed" } }, []],
    [
      "nothing on one that is being deleted",
      { ...AT_GATE, workflow: { metadata: { deletionTimestamp: GATE_AT } } },
      [],
    ],
    [
      "a changed spec: the old run is stopped, the new one made",
      { others: [workflowObject({ workflow: { phase: "Running" } }, OTHER)] },
      [`stopRun ${OTHER}`, "createRun", "expect fetch"],
    ],
    [
      "one that is stopping is woken until it ends",
      {
        nodes: [],
        others: [workflowObject({ workflow: { phase: "Running", spec: { shutdown: "Terminate" } } }, OTHER)],
      },
      ["nudge"],
    ],
    [
      "one that has ended is left for people to look at",
      { nodes: [], others: [workflowObject({ workflow: { phase: "Failed" } }, OTHER)] },
      [],
    ],
    [
      "an invalid edit stops nothing",
      { spec: { replicas: 0 }, others: [workflowObject({ workflow: { phase: "Running" } }, OTHER)] },
      [],
    ],
    [
      "an invalid edit after one whose stop of the run before was lost: that stop is made up for",
      {
        spec: { replicas: 0 },
        others: [
          workflowObject({ workflow: { phase: "Running" } }, RUN),
          workflowObject({ workflow: { phase: "Running", metadata: { creationTimestamp: BEFORE } } }, OTHER),
        ],
      },
      [`stopRun ${OTHER}`],
    ],
    [
      "back to the spec of a superseded run: its Workflow makes room for the new one",
      { nodes: [], workflow: { phase: "Failed", metadata: { annotations: superseded } } },
      [`deleteRun ${RUN}`],
    ],
    [
      "once it is going, nothing more is asked",
      { nodes: [], workflow: { phase: "Failed", metadata: { annotations: superseded, deletionTimestamp: GATE_AT } } },
      [],
    ],
    [
      "one of an earlier workload of that name is not its own",
      { others: [workflowObject({ workflow: { metadata: { ownerReferences: [] } } }, OTHER)] },
      ["createRun", "expect fetch"],
    ],
    [
      "a Workflow without its frozen pipeline is left alone",
      { nodes: ["fetch/0 Running"], workflow: { metadata: { annotations: {} } } },
      [],
    ],
    [
      "after its time to live: artifacts and Workflow go",
      { nodes: [], workflow: { phase: "Succeeded" }, status: finished({ finishedAt: "2025-11-01T09:00:00.000Z" }) },
      ["expireArtifacts", `deleteRun ${RUN}`],
    ],
    [
      "deleted: what it used is recorded while its Workflow tells, which goes first",
      { nodes: [], metadata: { deletionTimestamp: GATE_AT } },
      ["recordDeleted", `deleteRun ${RUN}`],
    ],
    [
      "waits for it to go",
      { nodes: [], workflow: { metadata: { deletionTimestamp: GATE_AT } }, metadata: { deletionTimestamp: GATE_AT } },
      [],
    ],
    ["then what is kept of it, then itself", { metadata: { deletionTimestamp: GATE_AT } }, ["cleanUp"]],
    [
      "nothing when somebody else still holds it",
      { metadata: { deletionTimestamp: GATE_AT, finalizers: ["theirs"] } },
      [],
    ],
  ])("%s", async (_what, given, expected) => {
    expect(await planned(await given)).toEqual(expected);
  });

  test("a run's Workflow carries on a spec's edit of suspend and ttlAfterFinished", async () => {
    expect(await planned({ nodes: ["fetch/0 Running"], spec: { ttlAfterFinished: "1h" } })).toEqual([
      "dispatch fetch/0",
      "expect read",
    ]);
  });
});

function imageSpec() {
  return { pipeline: undefined, image: "example/worker:1", inputs: { items: ["x"] } };
}

function expired() {
  return {
    type: "Completed",
    status: "False",
    reason: "Expired",
    message: "",
    lastTransitionTime: "2025-12-01T09:00:00Z",
  } as const;
}

function asked(at: string) {
  return { requested: true, requestedAt: new Date(at), attempt: "wf-uid-1/2026-01-01T10:00:00Z" };
}
