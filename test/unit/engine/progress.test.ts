import { describe, expect, test } from "vitest";
import { checkedResult } from "../../../engine/agent-output.ts";
import { findingsOf } from "../../../engine/findings.ts";
import { usageOf } from "../../../engine/outcomes.ts";
import { itemProgress, stepProgress } from "../../../engine/progress.ts";
import { NO_USAGE, type StepResult } from "../../../engine/result.ts";
import { stepText } from "../../../engine/status-text.ts";
import { walk } from "../../../engine/walk.ts";
import { bad, type Ended, ok, outcomesOf, runWith, skipped } from "./build.ts";

const WORKLOAD = { namespace: "team", uid: "uid" };
const OWN = `team/uid/${"0".repeat(64)}.png`;
const cost = (costUsd: number) => ({ usage: { ...NO_USAGE, costUsd } });

describe("progress", () => {
  const run = runWith(
    [
      { name: "fetch", forEach: "inputs.pages" },
      { name: "check", forEach: "inputs.pages", after: ["fetch"] },
      { name: "find", after: ["check"] },
      { name: "visit", forEach: "steps.find.items", after: ["find"] },
    ],
    { inputs: { pages: ["p0", "p1", "p2"] } },
  );
  const steps = (ended: Ended, running: readonly number[] = []) => {
    const outcomes = outcomesOf(ended);
    const fetch = run.pipeline.steps[0];
    const instances = running.flatMap((index) => (fetch ? [{ step: fetch, index, item: `p${index}` }] : []));
    return stepProgress(run, walk(run, outcomes), outcomes, instances).map(Object.values);
  };
  const items = (ended: Ended) => itemProgress(run, walk(run, outcomesOf(ended)), outcomesOf(ended));

  test("of steps: total, running, succeeded, failed, skipped, dollars", () => {
    expect(steps({ fetch: [ok(cost(0.5)), bad()], check: [skipped] }, [2])).toEqual([
      ["fetch", 3, 1, 1, 1, 0, 0.5],
      ["check", 3, 0, 0, 0, 1, 0],
      ["find", 1, 0, 0, 0, 0, 0],
      ["visit", 0, 0, 0, 0, 0, 0],
    ]);
  });

  test("of items: a returned list counts from when it is known", () => {
    const fetch = [ok(), bad(), ok()];
    expect(items({ fetch, check: [ok(), null, null] })).toEqual({ total: 3, done: 1, failed: 1 });
    const ended = { fetch, check: [ok(), null, ok()], find: ok({ items: ["a", "b"] }), visit: [ok()] };
    expect(items(ended)).toEqual({ total: 5, done: 3, failed: 1 });
  });

  test("of a list that is cut: what was left out", () => {
    const cut = runWith(
      [
        { name: "find", forEach: "inputs.pages" },
        { name: "visit", forEach: "steps.find.items", after: ["find"], optional: true },
      ],
      { inputs: { pages: Array.from({ length: 499 }, (_, at) => `p${at}`) } },
    );
    const outcomes = outcomesOf({
      find: cut.inputs["pages"] ? Array.from({ length: 499 }, () => ok({ items: ["x"] })) : [],
    });
    const [find, visit] = stepProgress(cut, walk(cut, outcomes), outcomes, []);
    expect(find).not.toHaveProperty("leftOut");
    expect(visit).toMatchObject({ total: 1, leftOut: 498 });
    expect(
      stepText({ ...(visit ?? { name: "", total: 0, running: 0, succeeded: 0, failed: 0, skipped: 0 }), costUsd: "0" }),
    ).toBe("0/1 succeeded, 498 left out");
    expect(findingsOf(cut, { name: "g", after: ["visit"], gate: {}, with: [] }, outcomes)).toMatchObject({
      leftOut: [{ step: "visit", items: 498 }],
    });
  });

  test("of usage: the sum of all steps", () => {
    expect(usageOf(outcomesOf({ a: ok(cost(0.25)), b: [ok(cost(0.5)), null, ok(cost(0.125))] })).costUsd).toBe(0.875);
  });
});

describe("an agent's result", () => {
  const agent = {
    namespace: "default",
    name: "worker",
    revision: "1",
    output: { type: "object", required: ["score"], properties: { score: { type: "number" } } },
  };
  const result = (data?: unknown): StepResult => ({
    outcome: "succeeded",
    artifacts: {},
    ...cost(0.5),
    ...(data === undefined ? {} : { data }),
  });

  test("that matches the output schema is left as it is", async () => {
    expect(await checkedResult(result({ score: 1 }), agent, WORKLOAD)).toEqual(result({ score: 1 }));
  });

  test.each([
    ["another type", { score: "high" }, "data.score must be number"],
    ["a missing field", {}, "data.score is missing"],
    ["no data", undefined, "data must be object"],
  ])("with %s fails its step, which still costs what it cost", async (_what, data, message) => {
    expect(await checkedResult(result(data), agent, WORKLOAD)).toMatchObject({
      outcome: "failed",
      reason: "InvalidOutput",
      message: `agent worker returned data that does not match its output schema: ${message}`,
      usage: { costUsd: 0.5 },
    });
  });

  test.each([
    ["succeeded", `team/other/${"0".repeat(64)}.png`],
    ["succeeded", `team-2/uid/${"0".repeat(64)}.png`],
    ["succeeded", `team/uid/../other/${"0".repeat(64)}.png`],
    ["succeeded", "picture.png"],
    ["failed", `team/other/${"0".repeat(64)}.png`],
  ] as const)(
    "that %s and names the artifact %s of nobody or another workload fails its step",
    async (outcome, key) => {
      const named: StepResult = { ...result({ score: 1 }), outcome, artifacts: { own: OWN, picture: key } };
      const checked = await checkedResult(named, agent, WORKLOAD);
      expect(checked).toMatchObject({
        outcome: "failed",
        reason: "InvalidArtifactKey",
        message: expect.stringContaining(`agent worker returned ${JSON.stringify(key)} as its artifact "picture"`),
        artifacts: {},
        usage: { costUsd: 0.5 },
      });
    },
  );

  test("that names its workload's artifacts is left as it is", async () => {
    const named: StepResult = { ...result({ score: 1 }), artifacts: { picture: OWN } };
    expect(await checkedResult(named, agent, WORKLOAD)).toEqual(named);
  });

  test("with more items than its step may return fails its step", async () => {
    const many: StepResult = { ...result({ score: 1 }), items: ["a", "b", "c"] };
    expect(await checkedResult(many, agent, WORKLOAD, { maxItems: 3 })).toEqual(many);
    expect(await checkedResult(many, agent, WORKLOAD, { maxItems: 2 })).toMatchObject({
      outcome: "failed",
      reason: "TooManyItems",
      message: "agent worker returned 3 items; maxItems of its step allows 2",
      usage: { costUsd: 0.5 },
    });
  });

  test("that failed, or of an agent without a schema, is not checked", async () => {
    const failed: StepResult = { ...result(), outcome: "failed", reason: "Blocked", message: "no access" };
    expect(await checkedResult(failed, agent, WORKLOAD)).toEqual(failed);
    const { output: _none, ...free } = agent;
    expect(await checkedResult(result("anything"), free, WORKLOAD)).toEqual(result("anything"));
  });
});
