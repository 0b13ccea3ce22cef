import { describe, expect, test } from "vitest";
import type { Summary } from "../../engine/summary.ts";
import { columnsOf, type SummaryView, summaryView } from "../../functions/approve/summary-view.ts";

const summary = (facts: readonly [label: string, value: string][], over: Partial<Summary> = {}): Summary => ({
  title: "A title",
  facts: facts.map(([label, value]) => ({ label, value })),
  pictures: [],
  caveats: [],
  ...over,
});
const view = (...args: Parameters<typeof summary>): SummaryView => summaryView(summary(...args), 10_000);

describe("summaryView", () => {
  test("facts of one label are a group, in the order in which the labels appear", () => {
    const { single, groups } = view([
      ["Offers", "a"],
      ["Prices", "b"],
      ["Offers", "c"],
      ["__proto__", "d"],
    ]);
    expect(single.map(({ label }) => label)).toEqual(["Prices", "__proto__"]);
    expect(groups).toEqual([{ label: "Offers", count: 2, facts: [expect.anything(), expect.anything()] }]);
  });

  test("what does not fit is counted; caveats go first, and a group keeps its count", () => {
    const long = "x".repeat(500);
    const facts = Array.from({ length: 10 }, (): [string, string] => ["Many", long]);
    const cut = summaryView(summary([["One", long], ...facts], { caveats: ["Mind this.", long] }), 2500);
    expect(cut.caveats).toEqual(["Mind this.", long]);
    expect(cut.single).toHaveLength(1);
    expect(cut.groups).toMatchObject([{ label: "Many", count: 10 }]);
    expect(cut.groups[0]?.facts).toHaveLength(2);
    expect(cut.hidden).toBe(8);
    expect(summaryView(summary([["One", long], ...facts]), 10_000).hidden).toBe(0);
  });
});

describe("columnsOf", () => {
  test.each<[string, SummaryView[], string[]]>([
    ["none without summaries", [], []],
    ["labels in order of appearance", [view([["B", ""]]), view([["A", ""], ["B", ""]])], ["B", "A"]], // biome-ignore format: a row
    ["no label that stands twice in one of them", [view([["A", ""]]), view([["A", ""], ["A", ""]])], []], // biome-ignore format: a row
    [
      "four at most",
      [view(["A", "B", "C", "D", "E"].map((label): [string, string] => [label, ""]))],
      ["A", "B", "C", "D"],
    ],
  ])("%s", (_name, views, columns) => {
    expect(columnsOf(views)).toEqual(columns);
  });
});
