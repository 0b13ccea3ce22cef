import { describe, expect, test } from "vitest";
import { DEFAULT_MODEL, modelChoiceOf, REASONING_EFFORTS } from "../../lib/model/choice.ts";
import { costOf, costOfCall, costOfQuestion, type TokenUsage } from "../../lib/model/cost.ts";
import { parametersFor } from "../../lib/model/parameters.ts";
import { MOST_IMAGE_TOKENS, type ModelPrice, modelEnd, priceOf } from "../../lib/model/prices.ts";

function price(model: string): ModelPrice {
  const known = priceOf(model);
  if (!known) throw new Error(`${model} is not in the price table`);
  return known;
}
function usage(more: Partial<TokenUsage>): TokenUsage {
  return { inputTokens: 0, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 0, reasoningTokens: 0, ...more };
}

describe("prices", () => {
  test("of the default model", () => {
    expect(DEFAULT_MODEL).toBe("gpt-6-luna");
    expect(price(DEFAULT_MODEL)).toMatchObject({ input: 0.1, cachedInput: 0.01, cacheWrite: 0.125, output: 0.5 });
    expect(price(DEFAULT_MODEL)).toMatchObject({
      source: expect.any(String),
      asOf: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    });
  });

  test.each(["openai/gpt-6-luna", "gpt-6-luna-2026-09-22", "azure/eu/gpt-6-luna"])("of %s", (name) => {
    expect(priceOf(name)).toBe(priceOf("gpt-6-luna"));
  });

  test.each(["gpt-6-luna-fast", "gpt-6", "toString", ""])("of %j are unknown", (name) => {
    expect(priceOf(name)).toBeUndefined();
  });

  test.each<[string, string, ReturnType<typeof modelEnd>]>([
    ["gpt-4o-mini", "2027-01-13T23:59:59Z", { endsOn: "2027-01-14", ended: false }],
    ["gpt-4o-mini", "2027-01-14T00:00:00Z", { endsOn: "2027-01-14", ended: true }],
    ["openai/gpt-4.1-nano", "2026-11-24T00:00:00Z", { endsOn: "2026-10-23", ended: true }],
    ["gpt-5-nano", "2026-11-24T00:00:00Z", { endsOn: "2026-12-11", ended: false }],
    ["gpt-6-luna", "2030-01-01T00:00:00Z", undefined],
    ["llama-at-home", "2030-01-01T00:00:00Z", undefined],
  ])("%s at %s", (name, now, end) => {
    expect(modelEnd(name, new Date(now))).toEqual(end);
  });
});

describe("the cost of a call", () => {
  test.each<[string, string, Partial<TokenUsage>, usd: number]>([
    ["plain tokens", "gpt-6-luna", { inputTokens: 1_000_000 / 4, outputTokens: 1_000_000 }, 0.525],
    ["cached input", "gpt-6-luna", { inputTokens: 100_000, cachedInputTokens: 100_000 }, 0.001],
    ["cache writes", "gpt-6-luna", { inputTokens: 100_000, cacheWriteTokens: 100_000 }, 0.0125],
    [
      "cache writes without a price of their own",
      "gpt-4o-mini",
      { inputTokens: 1000, cacheWriteTokens: 1000 },
      0.00015,
    ],
    ["cached input at half price", "gpt-4o-mini", { inputTokens: 1000, cachedInputTokens: 1000 }, 0.000075],
    [
      "more cached than read",
      "gpt-6-luna",
      { inputTokens: 1000, cachedInputTokens: 5000, cacheWriteTokens: 5000 },
      0.00001,
    ],
    ["reasoning is part of the output", "gpt-6-luna", { outputTokens: 1000, reasoningTokens: 900 }, 0.0005],
    ["the longest ordinary prompt", "gpt-6-luna", { inputTokens: 272_000, outputTokens: 1000 }, 0.0277],
    ["a longer prompt", "gpt-6-luna", { inputTokens: 272_001, outputTokens: 1000 }, 0.0551502],
  ])("%s", (_what, model, tokens, usd) => {
    expect(costOf(price(model), usage(tokens))).toBeCloseTo(usd, 10);
  });

  const choice = { name: "gpt-6-luna", fallbacks: [], maxOutputTokens: 1000 };

  test("at most: everything is written to the cache, and output is as long as it may be", () => {
    expect(costOfCall(choice, { inputTokens: 2000, images: 0 })).toBeCloseTo(0.00075, 10);
  });

  test("at most: an image of unpublished size counts as the largest known", () => {
    expect(price("gpt-6-luna").imageTokens).toBeUndefined();
    expect(MOST_IMAGE_TOKENS).toBe(3779);
    expect(costOfCall(choice, { inputTokens: 0, images: 2 })).toBeCloseTo(0.0005 + 2 * 3779 * 0.125e-6, 10);
    const mini = { ...choice, name: "gpt-4o-mini" };
    expect(costOfCall(mini, { inputTokens: 0, images: 1 })).toBeCloseTo(0.0006 + 2833 * 0.15e-6, 10);
  });

  test("at most: the dearest of the models", () => {
    const call = { inputTokens: 2000, images: 0 };
    expect(costOfCall({ ...choice, fallbacks: ["gpt-4o", "gpt-4o-mini"] }, call)).toBeCloseTo(0.015, 10);
    expect(costOfCall({ ...choice, fallbacks: ["llama-at-home"] }, call)).toBeUndefined();
    expect(costOfQuestion({ ...choice, fallbacks: ["llama-at-home"] }, call)).toBeUndefined();
  });

  test("at most for a question: the call and its repair, which repeats the answer", () => {
    const call = { inputTokens: 2000, images: 1 };
    const first = costOfCall(choice, call) ?? Number.NaN;
    const both = costOfQuestion(choice, call) ?? Number.NaN;
    expect(both).toBeGreaterThan(2 * first + 1000 * 0.125e-6);
    expect(both).toBeLessThan(2 * first + 2500 * 0.125e-6);
  });
});

describe("parameters", () => {
  const maxOutputTokens = 100;

  test.each<[string, (typeof REASONING_EFFORTS)[number] | undefined, object]>([
    ["gpt-6-luna", undefined, { max_completion_tokens: 100, reasoning_effort: "none" }],
    ["gpt-6-luna", "xhigh", { max_completion_tokens: 100, reasoning_effort: "xhigh" }],
    ["openai/gpt-5-nano", undefined, { max_completion_tokens: 100, reasoning_effort: "minimal" }],
    ["gpt-4o-mini", undefined, { max_tokens: 100, temperature: 0 }],
    ["gpt-4o-mini", "high", { max_tokens: 100, temperature: 0 }],
    ["llama-at-home", undefined, { max_tokens: 100 }],
    ["llama-at-home", "low", { max_completion_tokens: 100, reasoning_effort: "low" }],
  ])("of %s with effort %s", (model, reasoningEffort, parameters) => {
    expect(parametersFor(model, { maxOutputTokens, reasoningEffort })).toEqual(parameters);
  });
});

describe("a workload's choice", () => {
  test("comes from the step's params", () => {
    const model = { name: "gpt-6-luna", maxOutputTokens: 800 };
    expect(modelChoiceOf({ model })).toEqual({ ...model, fallbacks: [] });
    expect(modelChoiceOf({ objective: "x" })).toBeUndefined();
    for (const reasoningEffort of REASONING_EFFORTS)
      expect(modelChoiceOf({ model: { ...model, reasoningEffort } })).toMatchObject({ reasoningEffort });
  });

  test.each<[string, unknown]>([
    ["no name", { maxOutputTokens: 800 }],
    ["no ceiling", { name: "gpt-6-luna" }],
    ["an unknown effort", { name: "gpt-6-luna", maxOutputTokens: 800, reasoningEffort: "huge" }],
    ["no object", "gpt-6-luna"],
  ])("%s: ends the step with a sentence", (_what, model) => {
    expect(() => modelChoiceOf({ model })).toThrowError(/^params\.model is invalid: /);
  });
});
