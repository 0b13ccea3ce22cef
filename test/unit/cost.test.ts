import { describe, expect, test } from "vitest";
import { type CostBy, costReport, costTable, type RunCost } from "../../cli/cost.ts";
import { itemCosts } from "../../cli/item-cost.ts";
import { usageOf } from "../../engine/outcomes.ts";
import { NO_USAGE } from "../../engine/result.ts";
import { bad, ok, outcomesOf, runWith, skipped } from "./engine/build.ts";

const usd = (costUsd: number) => ({ usage: { ...NO_USAGE, costUsd } });

const RUNS: readonly RunCost[] = [
  {
    namespace: "a",
    name: "one",
    pipeline: "sys/market",
    startedAt: "2026-11-30T23:00:00.000Z",
    finishedAt: "2026-12-01T00:10:00.000Z",
    totalUsd: 0.003,
    steps: [
      { name: "look", costUsd: 0.001 },
      { name: "report", costUsd: 0.002 },
    ],
    items: [
      { list: "inputs.sites", item: "https://a.example/", costUsd: 0.0005 },
      { list: "inputs.sites", item: "https://a.example/", costUsd: 0.0005 },
      { step: "report", costUsd: 0.002 },
    ],
  },
  {
    namespace: "a",
    name: "two",
    pipeline: "sys/market",
    startedAt: "2026-11-30T10:00:00.000Z",
    totalUsd: 0.1,
    steps: [{ name: "look", costUsd: 0.1 }],
  },
  { namespace: "b", name: "three", totalUsd: 0, steps: [] },
];

describe("what runs cost", () => {
  test.each<[CostBy, object[]]>([
    [
      "run",
      [
        { namespace: "a", name: "one", costUsd: 0.003 },
        { namespace: "a", name: "two", costUsd: 0.1 },
        { namespace: "b", name: "three", costUsd: 0 },
      ],
    ],
    [
      "namespace",
      [
        { namespace: "a", costUsd: 0.103 },
        { namespace: "b", costUsd: 0 },
      ],
    ],
    [
      "pipeline",
      [
        { pipeline: "sys/market", costUsd: 0.103 },
        { pipeline: "(not begun)", costUsd: 0 },
      ],
    ],
    [
      "month",
      [
        { month: "(not begun)", costUsd: 0 },
        { month: "2026-11", costUsd: 0.1 },
        { month: "2026-12", costUsd: 0.003 },
      ],
    ],
    [
      "step",
      [
        { pipeline: "sys/market", step: "look", costUsd: 0.101 },
        { pipeline: "sys/market", step: "report", costUsd: 0.002 },
      ],
    ],
  ])("by %s", (by, rows) => {
    expect(costReport(by, RUNS)).toEqual({ by, rows, totalUsd: 0.103 });
  });

  test("what no row explains is said, so that rows and total are equal", () => {
    const { rows, notAttributedUsd = 0, totalUsd } = costReport("item", RUNS);
    expect([rows.length, notAttributedUsd, totalUsd]).toEqual([3, 0.1, 0.103]);
    expect(rows.reduce((sum, { costUsd }) => sum + costUsd, notAttributedUsd)).toBeCloseTo(totalUsd, 9);
  });

  test.each([
    [0.000_001, 0.000_001],
    [-0.000_001, -0.000_001],
    [0.000_000_4, undefined],
  ])("a difference of %d", (difference, said) => {
    const run = { namespace: "a", name: "one", totalUsd: 0.1 + difference, steps: [{ name: "look", costUsd: 0.1 }] };
    expect(costReport("step", [run]).notAttributedUsd).toBe(said);
  });

  test("as a table", () => {
    const [one] = RUNS;
    const items = [{ list: "inputs.sites", item: "\u001b[2J\u202ehttps://a.example/", costUsd: 0.0005 }];
    expect(costTable(costReport("item", one ? [{ ...one, items }] : []))).toBe(`\
ITEM                     LIST           STEP   COST
[2J https://a.example/   inputs.sites          $0.000500
(not attributed)                               $0.002500
total                                          $0.003000
`);
  });
});

describe("what items cost", () => {
  const run = runWith(
    [
      { name: "look", forEach: "inputs.sites" },
      { name: "think", after: ["look"], forEach: "inputs.sites" },
      { name: "review", gate: {}, after: ["think"] },
      { name: "find", after: ["review"] },
      { name: "each", after: ["find"], forEach: "steps.find.items" },
    ],
    { inputs: { sites: ["https://a.example/", { url: "https://b.example/" }] } },
  );
  const outcomes = outcomesOf({
    look: [ok(usd(0.25)), { ...bad(), ...usd(0.5) }],
    think: [ok(usd(1)), null],
    review: ok(),
    find: ok({ ...usd(2), items: ["x"] }),
    each: [ok(usd(4))],
  });

  test("is over all steps on the item, failed ones too", () => {
    expect(itemCosts(run, outcomes)).toEqual([
      { list: "inputs.sites", item: "https://a.example/", costUsd: 1.25 },
      { list: "inputs.sites", item: "https://b.example/", costUsd: 0.5 },
      { step: "find", costUsd: 2 },
      { list: "steps.find.items", item: "x", costUsd: 4 },
    ]);
  });

  test("adds up to the run's usage", () => {
    const sum = itemCosts(run, outcomes).reduce((all, { costUsd }) => all + costUsd, 0);
    expect(sum).toBeCloseTo(usageOf(outcomes).costUsd, 9);
  });

  test("of a list that is not known names the item by its number", () => {
    const lost = outcomesOf({ look: [ok(), skipped], each: [ok(usd(4))] });
    expect(itemCosts(run, lost).at(-1)).toEqual({ list: "steps.find.items", item: "item 0", costUsd: 4 });
  });
});
