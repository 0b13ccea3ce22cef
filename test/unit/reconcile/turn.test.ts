import { describe, expect, test } from "vitest";
import type { RunView } from "../../../functions/reconcile/run-engine.ts";
import { enginesTurnEndsAt, planStop, planTurn } from "../../../functions/reconcile/workload/turn.ts";
import { viewOf, workflowObject } from "./given.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 10, 0, seconds));
const empty = viewOf(workflowObject({}, "demo-0123456789"));
const settlement = { node: {} as never, phase: "Failed", output: "", message: "why" } as const;

describe("reconcile and the engine take turns", () => {
  test.each<[string, Partial<RunView>, number, { results: number }, string[]]>([
    ["reconcile's, with results", {}, 0, { results: 1 }, ["settle"]],
    ["reconcile's, without any", {}, 0, { results: 0 }, []],
    ["the engine's", { settledUnseenAt: at(0) }, 2, { results: 1 }, []],
    [
      "the engine's for too long: what there is to settle wakes it",
      { settledUnseenAt: at(0) },
      3,
      { results: 1 },
      ["settle"],
    ],
    ["the engine's for too long, with nothing to settle", { settledUnseenAt: at(0) }, 3, { results: 0 }, ["nudge"]],
    ["nudged just now", { settledUnseenAt: at(0), nudgedAt: at(3) }, 5, { results: 1 }, []],
    ["nudged in vain", { settledUnseenAt: at(0), nudgedAt: at(3) }, 6, { results: 0 }, ["nudge"]],
    ["in vain again: later each time", { settledUnseenAt: at(0), nudgedAt: at(12) }, 20, { results: 0 }, []],
    ["a nudge of an earlier turn", { settledUnseenAt: at(10), nudgedAt: at(3) }, 12, { results: 1 }, []],
  ])("%s", (_what, view, now, { results }, actions) => {
    const settlements = Array.from({ length: results }, () => settlement);
    const planned = planTurn({ ...empty, ...view }, settlements, at(now));
    expect(planned.map(({ type }) => type)).toEqual(actions);
  });

  test.each<[string, Partial<RunView>, string[]]>([
    ["that is to stop", {}, ["nudge"]],
    ["nudged just now", { nudgedAt: at(3) }, []],
    ["nudged in vain", { nudgedAt: at(0) }, ["nudge"]],
  ])("a run %s", (_what, view, actions) => {
    expect(planStop({ ...empty, shutdown: true, ...view }, at(10)).map(({ type }) => type)).toEqual(actions);
  });

  test("nothing is waited for where the engine has nothing to do", () => {
    expect(enginesTurnEndsAt(empty)).toBeUndefined();
  });
});

describe("what Argo has not gone on from", () => {
  /** A DAG of the chain's item, or of the whole run. */
  const dag = (phase: string, templateName = "item-fetch") => ({
    id: "x",
    name: "x",
    type: "DAG",
    templateName,
    phase,
  });
  const node = (task: string, phase: string, over: object = {}) => ({
    id: task,
    name: `x.${task}`,
    type: "Suspend",
    templateName: task,
    phase,
    startedAt: "2026-01-01T10:00:00Z",
    ...(phase === "Running" ? {} : { finishedAt: "2026-01-01T10:00:07Z" }),
    ...over,
  });
  test.each<[string, object[], Date | undefined]>([
    ["a node that runs", [dag("Running"), node("step-fetch", "Running")], undefined],
    ["a settled node, the next one has not started", [dag("Running"), node("step-fetch", "Succeeded")], at(7)],
    [
      "one that was settled by hand, without its end",
      [dag("Running"), node("step-fetch", "Succeeded", { finishedAt: null, startedAt: "2026-01-01T10:00:05Z" })],
      at(5),
    ],
    ["a failed one, the next one has not been omitted", [dag("Running"), node("step-fetch", "Failed")], at(7)],
    [
      "a failed one, and the next one was omitted: its DAG has not ended",
      [dag("Running"), node("step-fetch", "Failed"), node("step-read", "Omitted", { type: "Skipped" })],
      at(7),
    ],
    [
      "one with the next node behind it",
      [dag("Running"), node("step-fetch", "Succeeded"), node("step-read", "Running")],
      undefined,
    ],
    [
      "the last of a DAG that has ended",
      [dag("Succeeded"), node("step-fetch", "Succeeded"), node("step-read", "Succeeded")],
      undefined,
    ],
    [
      "the latest of several",
      [
        dag("Running"),
        node("step-fetch", "Succeeded"),
        node("step-read", "Succeeded", { finishedAt: "2026-01-01T10:00:09Z" }),
      ],
      at(9),
    ],
    [
      "one that all that comes next also waits for another beside",
      [
        dag("Running", "main"),
        node("each-fetch", "Running", { type: "DAG", templateName: "" }),
        node("gate-review", "Succeeded"),
      ],
      undefined,
    ],
    [
      "one before a task that waits for nothing else",
      [
        dag("Running", "main"),
        node("each-fetch", "Succeeded", { type: "DAG", templateName: "" }),
        node("gate-review", "Succeeded"),
      ],
      at(7),
    ],
    [
      "what Argo ended by itself",
      [dag("Running", "main"), node("each-fetch", "Succeeded", { type: "DAG", templateName: "" })],
      undefined,
    ],
  ])("%s", (_what, nodes, expected) => {
    const workflow = { nodes: Object.fromEntries(nodes.map((one) => [(one as { id: string }).id, one])) };
    expect(viewOf(workflowObject({ workflow }, "demo-0123456789")).settledUnseenAt).toEqual(expected);
  });
});
