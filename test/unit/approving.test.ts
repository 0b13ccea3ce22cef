import { expect, test } from "vitest";
import { pipelineStepSchema } from "../../crd/agentpipeline.ts";
import { workloadSpecSchema } from "../../crd/agentworkload.ts";
import type { Outcomes } from "../../engine/outcomes.ts";
import { NO_USAGE } from "../../engine/result.ts";
import { runOf } from "../../engine/run.ts";
import { costOfApproving } from "../../lib/model/approving.ts";
import { costOfQuestion } from "../../lib/model/cost.ts";

const STEPS = [
  { name: "look", agent: "a", forEach: "inputs.items", with: ["model"] },
  { name: "review", gate: {}, after: ["look"] },
  { name: "report", agent: "a", after: ["review"], with: ["model"] },
  { name: "mail", agent: "a", after: ["report"] },
];

function cost(spec: object = {}, steps: readonly object[] = STEPS, outcomes: Outcomes = new Map(), hasModel = true) {
  const run = runOf(
    { namespace: "default", name: "demo", uid: "uid" },
    workloadSpecSchema.parse({ inputs: { items: ["a", "b"] }, ...spec }),
    {
      namespace: "default",
      name: "demo",
      steps: steps.map((step) => pipelineStepSchema.parse(step)),
      output: "report",
      agents: {},
    },
  );
  return costOfApproving(run, { name: "review" }, outcomes, { hasModel });
}
const question = costOfQuestion(workloadSpecSchema.parse({}).model, { inputTokens: 20_000, images: 1 }) ?? Number.NaN;
const spent = (costUsd: number): Outcomes =>
  new Map([["look", [{ outcome: "succeeded", artifacts: {}, usage: { ...NO_USAGE, costUsd } }]]]);
const fanOut = (forEach: string) => [
  { name: "look", agent: "a" },
  { name: "review", gate: {}, after: ["look"] },
  { name: "each", agent: "a", after: ["look", "review"], forEach, with: ["model"] },
];

test("is one question for each step after the gate that gets the model", () => {
  expect(question).toBeGreaterThan(0);
  expect(cost()).toBeCloseTo(question, 9);
});

test.each([
  ["items that the spec lists", "inputs.items", new Map() as Outcomes, 2],
  ["a list that was not returned yet", "steps.look.items", new Map() as Outcomes, 500],
])("counts %s", (_what, forEach, outcomes, times) => {
  expect(cost({}, fanOut(forEach), outcomes)).toBeCloseTo(times * question, 6);
});

test("is never more than the rest of the budget", () => {
  expect(cost({ budget: { maxUsd: "0.05" } }, STEPS, spent(0.0499))).toBeCloseTo(0.0001, 9);
  expect(cost({ budget: { maxUsd: "0.05" } }, STEPS, spent(0.06))).toBe(0);
  expect(cost({ budget: { maxUsd: "100" } })).toBeCloseTo(question, 9);
});

test("of a model without a known price is the rest of the budget, or not known", () => {
  const model = { name: "somebody/else" };
  expect(cost({ model })).toBeUndefined();
  expect(cost({ model, budget: { maxUsd: "1" } }, STEPS, spent(0.25))).toBeCloseTo(0.75, 9);
});

test("is nothing without a model, and where no step after the gate asks one", () => {
  expect(cost({}, STEPS, new Map(), false)).toBe(0);
  expect(cost({}, STEPS.slice(0, 2))).toBe(0);
});
