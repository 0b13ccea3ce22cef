import { describe, expect, test } from "vitest";
import type { Position, RunEvent } from "../../cli/local/runner.ts";
import { progressOf, renderLine, renderProgress, secondsLeft } from "../../cli/progress.ts";
import { pipelineStepSchema } from "../../crd/agentpipeline.ts";
import { workloadSpecSchema } from "../../crd/agentworkload.ts";
import { type OutcomeTable, type StepOutcome, setOutcome } from "../../engine/outcomes.ts";
import { NO_USAGE } from "../../engine/result.ts";
import { type Run, runOf } from "../../engine/run.ts";
import type { Instance } from "../../engine/walk.ts";

function runWith(...steps: object[]): Run {
  const parsed = steps.map((step) => pipelineStepSchema.parse(step));
  return runOf(
    { namespace: "default", name: "demo", uid: "uid-1" },
    workloadSpecSchema.parse({ inputs: { items: ["a", "b", "c", "d"] } }),
    { namespace: "default", name: "demo", steps: parsed, output: "report", agents: {} },
  );
}

const run = runWith(
  { name: "look", agent: "look", forEach: "inputs.items" },
  { name: "think", agent: "think", after: ["look"], forEach: "inputs.items" },
  { name: "report", agent: "report", after: ["think"] },
);

const success: StepOutcome = { outcome: "succeeded", artifacts: {}, usage: { ...NO_USAGE, costUsd: 0.0004 } };
const failure: StepOutcome = {
  outcome: "failed",
  reason: "Blocked",
  message: "a captcha",
  artifacts: {},
  usage: NO_USAGE,
};

function instance(name: string, index?: number, of = run): Instance {
  const step = of.pipeline.steps.find((one) => one.name === name);
  if (!step) throw new Error(`no step ${name}`);
  return index === undefined ? { step } : { step, index, item: "abcd".charAt(index) };
}

const outcomes: OutcomeTable = new Map();
setOutcome(outcomes, "look", 0, success);
setOutcome(outcomes, "think", 0, success);
setOutcome(outcomes, "look", 1, failure);
setOutcome(outcomes, "look", 2, success);
const position: Position = { outcomes, running: [instance("think", 2)] };
const progress = progressOf(run, position);

describe("progress", () => {
  test("counts by step, and items over their whole chain", () => {
    expect(progress.items).toEqual({ total: 4, done: 1, failed: 1 });
    expect(
      progress.steps.map(({ name, total, running, succeeded, failed }) => [name, total, running, succeeded, failed]),
    ).toEqual([
      ["look", 4, 0, 2, 1],
      ["think", 4, 1, 1, 0],
      ["report", 1, 0, 0, 0],
    ]);
    expect(progress.usage.costUsd).toBeCloseTo(0.0012);
  });

  test("does not know the items of a list that no step has returned yet", () => {
    const found = runWith(
      { name: "find", agent: "find" },
      { name: "look", agent: "look", after: ["find"], forEach: "steps.find.items" },
    );
    const before = progressOf(found, { outcomes: new Map(), running: [] });
    expect([before.items.total, before.steps[1]?.total]).toEqual([0, 0]);
    const after = progressOf(found, {
      outcomes: new Map([["find", [{ ...success, items: ["x", "y"] }]]]),
      running: [],
    });
    expect([after.items.total, after.steps[1]?.total]).toEqual([2, 2]);
  });

  test("judges the time left by the pace of this command", () => {
    expect(secondsLeft(progress, 0, 10_000)).toBe(10);
    expect(secondsLeft(progress, 1, 10_000)).toBe(20);
    expect(secondsLeft(progress, 2, 10_000)).toBeUndefined();
  });

  test("is drawn within the terminal's width", () => {
    const drawn = renderProgress(progress, position.running, { elapsedMs: 10_000, width: 60, settledBefore: 0 });
    expect(drawn).toContain("2/4 items");
    expect(drawn).toContain("cost $0.0012");
    expect(drawn).toContain("think    c");
    expect(drawn.split("\n").every((line) => line.length <= 60)).toBe(true);
  });

  test("of a run without items counts its steps", () => {
    const single = runWith({ name: "one", agent: "one" }, { name: "two", agent: "two" });
    const half = progressOf(single, { outcomes: new Map([["one", [success]]]), running: [] });
    expect(renderProgress(half, [], { elapsedMs: 0, width: 80, settledBefore: 0 })).toContain("1/2 steps");
  });

  const ended = (of: Instance, over: Partial<Extract<RunEvent, { type: "ended" }>> = {}): RunEvent => ({
    type: "ended",
    instance: of,
    outcome: success,
    recorded: false,
    ms: 1200,
    ...over,
  });
  test.each<[string, RunEvent, string | undefined]>([
    ["a success", ended(instance("look", 0)), "[2/4] look     a  1.2 s"],
    [
      "a failure says why",
      ended(instance("look", 1), { outcome: failure }),
      "[2/4] look     b  failed: Blocked: a captcha",
    ],
    ["a single step has no count", ended(instance("report")), "report  1.2 s"],
    ["what was done before needs no line", ended(instance("look", 0), { recorded: true }), undefined],
    ["nor does a start", { type: "started", instance: instance("look", 0) }, undefined],
  ])("as a line: %s", (_name, event, expected) => {
    expect(renderLine(event, () => progress)).toBe(expected);
  });
});
