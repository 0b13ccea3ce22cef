import { expect, test } from "vitest";
import { quoteOf, quoteText } from "../../cli/quote.ts";
import type { Outcomes } from "../../engine/outcomes.ts";
import { costOfCall, costOfQuestion } from "../../lib/model/cost.ts";
import { bad, ok, outcomesOf, runWith } from "./engine/build.ts";

const STEPS = [
  { name: "look", forEach: "inputs.sites" },
  { name: "think", after: ["look"], forEach: "inputs.sites", with: ["model"] },
  { name: "review", gate: {}, after: ["think"] },
  { name: "report", after: ["review"], with: ["model"] },
];
const CALL = { inputTokens: 20_000, images: 1 };
const TERMS = { isReuseKnown: true, hasModel: true, spentUsd: 0 };
const runOf = (spec: object = {}, steps: Parameters<typeof runWith>[0] = STEPS) =>
  runWith(steps, { inputs: { sites: ["a", "b", "c"] }, ...spec });
const quote = (spec: object = {}, outcomes: Outcomes = new Map(), terms: object = {}) =>
  quoteOf(runOf(spec), outcomes, { ...TERMS, ...terms });
const { model } = runOf();
const call = costOfCall(model, CALL) ?? Number.NaN;
const question = costOfQuestion(model, CALL) ?? Number.NaN;
const counts = ({ steps }: ReturnType<typeof quote>) =>
  steps.map(({ step, total, reused, toRun }) => [step, total, reused, toRun]);

test("a run from nothing does everything", () => {
  const quoted = quote({ budget: { maxUsd: "100" } });
  expect(counts(quoted)).toEqual([
    ["look", 3, 0, 3],
    ["think", 3, 0, 3],
    ["review", 1, 0, 1],
    ["report", 1, 0, 1],
  ]);
  expect(quoted).toMatchObject({
    namespace: "default",
    name: "demo",
    pipeline: "default/pipeline",
    items: { total: 3, toDo: 3 },
    model: { names: ["gpt-6-luna"], callUsd: call },
    budgetUsd: 100,
    budgetIsBelowOneCall: false,
  });
  expect(quoted.worstUsd).toBeCloseTo(4 * question, 9);
  expect(quoted.steps.map(({ worstUsd }) => worstUsd)).toEqual([0, expect.closeTo(3 * question, 9), 0, question]);
});

test("what is recorded is not done again", () => {
  const quoted = quote({}, outcomesOf({ look: [ok(), ok(), null], think: [ok(), null, null] }));
  expect(counts(quoted).slice(0, 2)).toEqual([
    ["look", 3, 2, 1],
    ["think", 3, 1, 2],
  ]);
  expect(quoted.items).toEqual({ total: 3, toDo: 2 });
  expect(quoted.worstUsd).toBeCloseTo(3 * question, 9);
});

test.each<[string, object, Outcomes, object]>([
  ["that the command would not start", {}, new Map(), { isOver: true }],
  [
    "that has failed by what is recorded",
    { tolerate: { failedItems: 0 } },
    outcomesOf({ look: [bad(), bad(), bad()] }),
    {},
  ],
])("a run %s does nothing, and asks no model", (_what, spec, outcomes, terms) => {
  const quoted = quote(spec, outcomes, terms);
  expect([quoted.steps.map(({ toRun }) => toRun), quoted.items.toDo]).toEqual([[0, 0, 0, 0], 0]);
  expect([quoted.model, quoted.worstUsd]).toEqual([undefined, 0]);
});

test("a list that no step has returned yet counts as the longest", () => {
  const steps = [{ name: "find" }, { name: "each", after: ["find"], forEach: "steps.find.items", with: ["model"] }];
  const quoted = quoteOf(runOf({}, steps), new Map(), TERMS);
  expect(quoted.steps[1]).toMatchObject({ total: 500, atMost: true, toRun: 500 });
  expect(quoted.items).toEqual({ total: 500, toDo: 500, atMost: true });
  const known = quoteOf(runOf({}, steps), outcomesOf({ find: ok({ items: ["x"] }) }), TERMS);
  expect([known.steps[1]?.total, known.items]).toEqual([1, { total: 1, toDo: 1 }]);
});

test("a list that no step has returned yet counts as what its step may return, and as what fits beside the inputs", () => {
  const steps = (maxItems?: number) => [
    { name: "find", forEach: "inputs.sites", ...(maxItems === undefined ? {} : { maxItems }) },
    { name: "each", after: ["find"], forEach: "steps.find.items", with: ["model"] },
  ];
  const total = (maxItems?: number) => quoteOf(runOf({}, steps(maxItems)), new Map(), TERMS).steps[1]?.total;
  expect([total(4), total(200), total()]).toEqual([12, 497, 497]);
});

test("the worst case is never more than what is left of the budget", () => {
  expect(quote({ budget: { maxUsd: "0.02" } }, new Map(), { spentUsd: 0.015 }).worstUsd).toBeCloseTo(0.005, 9);
  expect(quote({ budget: { maxUsd: "0.02" } }, new Map(), { spentUsd: 0.05 }).worstUsd).toBe(0);
});

test.each([
  ["the budget", { maxUsd: (call * 0.9).toFixed(6) }, 0, true],
  ["what is left of it", { maxUsd: "1" }, 1 - call * 0.9, true],
  ["neither", { maxUsd: "1" }, 0, false],
])("%s is below one call", (_what, budget, spentUsd, isBelow) => {
  const quoted = quote({ budget }, new Map(), { spentUsd });
  expect(quoted.budgetIsBelowOneCall).toBe(isBelow);
  expect(quoteText(quoted).includes("BudgetExceeded")).toBe(isBelow);
});

test("without a model nothing is asked, and what is not known is absent", () => {
  const without = quote({}, new Map(), { hasModel: false });
  expect([without.worstUsd, "model" in without]).toEqual([0, false]);
  const unknown = quote({ model: { name: "somebody/else" } });
  expect([unknown.worstUsd, unknown.model]).toEqual([undefined, { names: ["somebody/else"] }]);
  expect(quote({}, new Map(), { isReuseKnown: false }).steps[0]).not.toHaveProperty("reused");
});

test("for people", () => {
  const priced = quote({ budget: { maxUsd: "0.02" } }, outcomesOf({ look: [ok(), null, null] }), { spentUsd: 0.001 });
  expect(quoteText(priced)).toBe(`\
STEP     AGENT    TOTAL   REUSED   TO RUN   WORST CASE
look     worker   3       1        2        $0.000000
think    worker   3       0        3        $0.021703
review   (gate)   1       0        1        $0.000000
report   worker   1       0        1        $0.007234

Items to work on: 3 of 3
Model: gpt-6-luna, at most $0.003484 a call of 20,000 tokens and a picture
Worst case: $0.019000, which is what is left of the budget
Ceiling: $0.020000 (spec.budget.maxUsd), of which $0.001000 are spent
`);
  const unknown = quoteText(quote({ model: { name: "x/y" } }, new Map(), { isReuseKnown: false }));
  expect(unknown).toContain("think    worker   3       ?        3        not known");
  expect(unknown).toContain("Ceiling: none. Set one: spec.budget.maxUsd");
});
