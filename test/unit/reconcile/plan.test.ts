import { describe, expect, test } from "vitest";
import { plan } from "../../../functions/reconcile/plan.ts";
import { statusOf } from "../../../functions/reconcile/status.ts";
import { workflowName } from "../../../functions/reconcile/workflow.ts";
import { bad, final, GATE_AT, type Given, ok, orderFor, say, see, specOf, workflowObject } from "./world.ts";

const NOW = new Date("2026-01-01T10:06:00Z");
const RUN = workflowName(orderFor(specOf()));
const OTHER = "demo-0123456789";

const all = (step: string, phase: string) => [0, 1, 2, 3, 4].map((index) => `${step}/${index} ${phase}`);
const records = (step: string, state = final(ok(step))) =>
  Object.fromEntries([0, 1, 2, 3, 4].map((index) => [`${step}/${index}`, state]));
/** Every site is through. */
const analyzed: Pick<Given, "records"> & { nodes: string[] } = {
  nodes: [...all("scrape", "Succeeded"), ...all("analyze", "Succeeded")],
  records: { ...records("scrape"), ...records("analyze", final(ok("analysis"))) },
};
const atGate: Given = { ...analyzed, nodes: [...analyzed.nodes, "review Running"] };

/** status.review as reconcile writes it for these findings, with a decision laid over it. */
async function reviewed(given: Given, over: Record<string, unknown> = {}): Promise<Given> {
  const observed = await see(given);
  const status = statusOf(observed, { costOfApproving: 0, now: NOW });
  return { ...given, status: { review: { ...status.review, ...over, run: "another" } } };
}
const decided = { decision: "approved", by: "ann", at: "2026-01-01T10:10:00.000Z" };

describe("plan", () => {
  test.each<[string, Given | Promise<Given>, string[]]>([
    ["a new workload is held by the finalizer first", { metadata: { finalizers: [] } }, ["addFinalizer"]],
    ["then its Workflow is made", {}, ["createWorkflow", "expect scrape"]],
    ["not while the spec says suspend", { spec: { suspend: true } }, []],
    ["not for a spec that does not hold", { spec: { sites: ["http://10.0.0.1/"] } }, []],
    [
      "not again once it has finished and its Workflow is gone",
      { status: { workflow: RUN, finishedAt: NOW.toISOString() } },
      [],
    ],
    [
      "a failed one is, when its Workflow was deleted before its time",
      { status: { workflow: RUN, finishedAt: "2026-01-01T09:00:00.000Z", phase: "Failed" } },
      ["createWorkflow", "expect scrape"],
    ],
    [
      "and not when its time was over",
      { status: { workflow: RUN, finishedAt: "2025-11-01T09:00:00.000Z", phase: "Failed" } },
      [],
    ],
    ["but again where it went away before its end", { status: { workflow: RUN } }, ["createWorkflow", "expect scrape"]],
    ["nothing to do until Argo has seen it", { nodes: [] }, []],
    [
      "steps whose nodes run are requested",
      { nodes: ["scrape/0 Running", "scrape/1 Running"] },
      ["dispatch scrape/0", "dispatch scrape/1", "expect analyze"],
    ],
    [
      "not one whose request is on its way, nor one that is worked on",
      {
        nodes: ["scrape/0 Running", "scrape/1 Running"],
        records: { "scrape/0": { requested: true }, "scrape/1": { held: true } },
      },
      [],
    ],
    [
      "all that have ended are settled in one write, the rest requested",
      {
        nodes: ["scrape/0 Running", "scrape/1 Running", "scrape/2 Running"],
        records: { "scrape/0": final(ok()), "scrape/1": final(bad("RobotsDisallowed")) },
      },
      [
        "dispatch scrape/2",
        "settle scrape/0 Succeeded succeeded",
        "settle scrape/1 Failed RobotsDisallowed: why",
        "expect analyze",
      ],
    ],
    [
      "a link of the chain gets what the one before it left",
      { nodes: ["scrape/0 Succeeded", "analyze/0 Running"], records: { "scrape/0": final(ok()) } },
      ["dispatch analyze/0"],
    ],
    [
      "a fresh success of an earlier run is used again",
      { nodes: ["scrape/0 Running"], records: { "scrape/0": final(ok(), { attempt: "another" }) } },
      ["settle scrape/0 Succeeded succeeded"],
    ],
    [
      "a stale one is not",
      {
        nodes: ["scrape/0 Running"],
        records: { "scrape/0": final(ok(), { attempt: "another", finishedAt: new Date("2025-12-30T00:00:00Z") }) },
      },
      ["dispatch scrape/0", "expect analyze"],
    ],
    [
      "a failure of an earlier run, or before Argo's retry, is tried anew",
      { nodes: ["scrape/0 Running"], records: { "scrape/0": final(bad("Timeout"), { attempt: "another" }) } },
      ["dispatch scrape/0", "expect analyze"],
    ],
    [
      "a settled step whose record is lost is done again: what comes after it needs it",
      { nodes: ["scrape/0 Succeeded ours", "analyze/0 Running"] },
      ["dispatch scrape/0"],
    ],
    [
      "one that somebody resumed in Argo without a result is not: its site has failed",
      { nodes: ["scrape/0 Succeeded", "scrape/1 Running"], records: { "scrape/1": { held: true } } },
      [],
    ],
    [
      "what Argo started after it has nothing to work on",
      {
        nodes: ["scrape/0 Succeeded", "analyze/0 Running", "scrape/1 Running"],
        records: { "scrape/1": { held: true } },
      },
      ["settle analyze/0 Failed NothingToWorkOn: the step before it was resumed in Argo without a result"],
    ],
    [
      "nothing new starts once the budget is spent",
      {
        nodes: ["scrape/0 Succeeded", "analyze/0 Running", "scrape/1 Running", "scrape/2 Running"],
        records: { "scrape/0": final(ok()), "analyze/0": final(bad("BudgetExceeded")), "scrape/2": { held: true } },
      },
      [
        "settle scrape/1 Failed BudgetExceeded: nothing new starts: the budget is spent",
        "settle analyze/0 Failed BudgetExceeded: why",
      ],
    ],
    ["the gate: the findings are put down, and a reviewer is asked", atGate, ["publish findings", "askForReview"]],
    ["no reviewer where none is required", { ...atGate, spec: { review: { required: false } } }, ["publish findings"]],
    ["an open review waits", reviewed(atGate), []],
    ["a decision settles the gate", reviewed(atGate, decided), ["settle review Succeeded approved", "expect report"]],
    [
      "so does a rejection",
      reviewed(atGate, { ...decided, decision: "rejected" }),
      ["settle review Succeeded rejected"],
    ],
    [
      "a decision on other findings does not",
      reviewed(atGate, { ...decided, digest: "0".repeat(64) }),
      ["publish findings", "askForReview"],
    ],
    [
      "too many failed sites fail the gate",
      {
        ...analyzed,
        nodes: [
          ...all("scrape", "Failed").slice(0, 2),
          ...all("scrape", "Succeeded").slice(2),
          ...all("analyze", "Succeeded").slice(2),
          "review Running",
        ],
        records: { ...analyzed.records, "scrape/0": final(bad("Timeout")), "scrape/1": final(bad("RobotsDisallowed")) },
      },
      [
        "settle review Failed TooManyFailedSites: 2 of 5 sites failed (1 × Timeout, 1 × RobotsDisallowed); spec.tolerate.failedSites allows 1",
      ],
    ],
    [
      "the report is requested with findings and decision put down",
      reviewed({ ...atGate, nodes: [...analyzed.nodes, "review Succeeded approved", "report Running"] }, decided),
      ["publish findings and approved by ann", "dispatch report"],
    ],
    [
      "where Argo's timeout was first, that is who decided",
      {
        ...atGate,
        spec: { review: { timeout: "10m", onTimeout: "Approve" } },
        nodes: [...analyzed.nodes, "review Succeeded approved", "report Running"],
      },
      ["publish findings and approved by timeout of spec.review (onTimeout)", "dispatch report"],
    ],
    ["nothing while the spec says suspend", { ...atGate, spec: { suspend: true } }, []],
    ["nothing while Argo's own suspend holds it", { ...atGate, workflow: { spec: { suspend: true } } }, []],
    ["nothing on a Workflow that has ended", { ...atGate, workflow: { phase: "Failed" } }, []],
    [
      "a changed spec: the old run is stopped, the new one made",
      { others: [workflowObject({ workflow: { phase: "Running" } }, OTHER)] },
      [`stopWorkflow ${OTHER}`, "createWorkflow", "expect scrape"],
    ],
    [
      "one that has ended is left for people to look at",
      { nodes: [], others: [workflowObject({ workflow: { phase: "Failed" } }, OTHER)] },
      [],
    ],
    [
      "one of an earlier workload of that name is not ours",
      { others: [workflowObject({ workflow: { metadata: { ownerReferences: [] } } }, OTHER)] },
      ["createWorkflow", "expect scrape"],
    ],
    [
      "deleted: its Workflow goes first",
      { nodes: [], metadata: { deletionTimestamp: GATE_AT } },
      [`deleteWorkflow ${RUN}`],
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
    expect(say(plan(await see(await given), NOW))).toEqual(expected);
  });
});
