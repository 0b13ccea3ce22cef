import { describe, expect, test } from "vitest";
import { viewWorkflow, type WorkflowView } from "../../../functions/reconcile/nodes.ts";
import { argosTurnEndsAt, planStop, planTurn } from "../../../functions/reconcile/turn.ts";
import { workflowObject } from "./world.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 10, 0, seconds));
const empty = viewWorkflow(workflowObject({ nodes: [] }, "demo-0123456789"));
const settlement = { node: {} as never, phase: "Failed", message: "why" } as const;

describe("turns", () => {
  test.each<[string, Partial<WorkflowView>, number, { results: number }, string[]]>([
    ["ours, with something to say", {}, 0, { results: 1 }, ["settle"]],
    ["ours, with nothing to say", {}, 0, { results: 0 }, []],
    ["Argo's", { settledUnseenAt: at(0) }, 2, { results: 1 }, []],
    [
      "Argo's for too long: what there is to settle wakes it",
      { settledUnseenAt: at(0) },
      3,
      { results: 1 },
      ["settle"],
    ],
    ["Argo's for too long, with nothing to settle", { settledUnseenAt: at(0) }, 3, { results: 0 }, ["nudge"]],
    ["nudged just now", { settledUnseenAt: at(0), nudgedAt: at(3) }, 5, { results: 1 }, []],
    ["nudged in vain", { settledUnseenAt: at(0), nudgedAt: at(3) }, 6, { results: 0 }, ["nudge"]],
    ["in vain again: later each time", { settledUnseenAt: at(0), nudgedAt: at(12) }, 20, { results: 0 }, []],
    ["a nudge of an earlier turn", { settledUnseenAt: at(10), nudgedAt: at(3) }, 12, { results: 1 }, []],
  ])("%s", (_what, view, now, { results }, actions) => {
    const settlements = Array.from({ length: results }, () => settlement);
    const planned = planTurn({ ...empty, ...view }, settlements, at(now));
    expect(planned.map(({ type }) => type)).toEqual(actions);
  });

  test.each<[string, Partial<WorkflowView>, string[]]>([
    ["that is to stop", {}, ["nudge"]],
    ["nudged just now", { nudgedAt: at(3) }, []],
    ["nudged in vain", { nudgedAt: at(0) }, ["nudge"]],
  ])("one %s", (_what, view, actions) => {
    expect(planStop({ ...empty, shutdown: true, ...view }, at(10)).map(({ type }) => type)).toEqual(actions);
  });

  test("nothing is waited for where Argo has nothing to do", () => {
    expect(argosTurnEndsAt(empty)).toBeUndefined();
  });
});

describe("what Argo has not gone on from", () => {
  const dag = (id: string, phase: string) => ({ id, type: "DAG", phase });
  const node = (phase: string, over: object = {}) => ({
    id: "scrape",
    type: "Suspend",
    templateName: "scrape",
    phase,
    boundaryID: "entry",
    ...(phase === "Running" ? {} : { finishedAt: "2026-01-01T10:00:07Z" }),
    ...over,
  });
  test.each<[string, object[], Date | undefined]>([
    ["a node that runs", [dag("entry", "Running"), node("Running")], undefined],
    ["a settled node", [dag("entry", "Running"), node("Succeeded")], at(7)],
    [
      "one that was settled by hand, without its end",
      [dag("entry", "Running"), node("Succeeded", { finishedAt: null, startedAt: "2026-01-01T10:00:05Z" })],
      at(5),
    ],
    ["a failed one", [dag("entry", "Running"), node("Failed")], at(7)],
    [
      "one with the next node behind it",
      [dag("entry", "Running"), node("Succeeded", { children: ["analyze"] })],
      undefined,
    ],
    ["the last of an entry that has ended", [dag("entry", "Succeeded"), node("Succeeded")], undefined],
    [
      "the latest of several",
      [
        dag("entry", "Running"),
        node("Succeeded", { id: "a" }),
        node("Succeeded", { id: "b", finishedAt: "2026-01-01T10:00:09Z" }),
      ],
      at(9),
    ],
  ])("%s", (_what, nodes, expected) => {
    const object = workflowObject({ nodes: [] }, "demo-0123456789");
    const status = {
      phase: "Running",
      nodes: Object.fromEntries(nodes.map((one) => [(one as { id: string }).id, one])),
    };
    expect(viewWorkflow({ ...object, status }).settledUnseenAt).toEqual(expected);
  });
});
