import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../lib/canonical.ts";
import { identityOf, type StepOutcome, stepInput } from "../../pipeline/dispatch.ts";
import { marketAnalysis } from "../../pipeline/market-analysis.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import { stagesOf } from "../../pipeline/stages.ts";
import { toleratedFailures } from "../../pipeline/tolerance.ts";

const NO_USAGE = { inputTokens: 0, outputTokens: 0, costUsd: 0, browserSeconds: 0 };

function step(name: string): Step {
  const found = marketAnalysis.steps.find((s) => s.name === name);
  if (!found) throw new Error(`no step ${name}`);
  return found;
}

const scraped = (item: string, capture: string, costUsd = 0): StepOutcome => ({
  item,
  outcome: "succeeded",
  artifacts: { capture },
  usage: { ...NO_USAGE, costUsd },
});

describe("stages", () => {
  test("neighbouring steps over the same list are one chain", () => {
    const shape = stagesOf(marketAnalysis).map((s) => ("chain" in s ? s.chain.map((c) => c.name) : s.step.name));
    expect(shape).toEqual([["scrape", "analyze"], "review", "report"]);
  });
});

describe("identity", () => {
  const params = { objective: "who is cheapest?", model: { name: "gpt-4o-mini" } };
  const id = (name: string, over: { params?: typeof params; outcomes?: StepOutcome[]; item?: string } = {}): string =>
    identityOf(
      "uid",
      step(name),
      stepInput(
        step(name),
        over.params ?? params,
        new Map([["scrape", over.outcomes ?? [scraped("a", "k1")]]]),
        over.item ?? "a",
      ),
    );
  const base = { scrape: id("scrape"), analyze: id("analyze") };

  test.each([
    ["the objective does not matter to scrape", "scrape", { params: { ...params, objective: "other" } }, true],
    ["the objective matters to analyze", "analyze", { params: { ...params, objective: "other" } }, false],
    ["the model matters to analyze", "analyze", { params: { ...params, model: { name: "gpt-4o" } } }, false],
    ["another page is another analysis", "analyze", { outcomes: [scraped("a", "k2")] }, false],
    ["what the capture cost does not matter", "analyze", { outcomes: [scraped("a", "k1", 1)] }, true],
    ["another site's capture does not matter", "analyze", { outcomes: [scraped("a", "k1"), scraped("b", "k9")] }, true],
  ] as const)("%s", (_name, stepName, over, same) => {
    expect(id(stepName, over as Parameters<typeof id>[1]) === base[stepName]).toBe(same);
  });

  test("canonical JSON does not depend on the order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
      }),
    );
  });
});

describe("tolerated failures", () => {
  test.each([
    ["20%", 50, 10],
    ["20%", 3, 0],
    ["0%", 50, 0],
    ["100%", 7, 7],
    ["12.5%", 80, 10],
    [3, 50, 3],
    ["3", 50, 3],
  ])("%s of %i sites: %i", (rule, total, expected) => {
    expect(toleratedFailures(rule, total)).toBe(expected);
  });

  test("anything else is an error", () => {
    expect(() => toleratedFailures("many", 10)).toThrow("neither a number nor a percentage");
  });
});
