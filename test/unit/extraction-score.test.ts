import { describe, expect, it } from "vitest";
import type { PageTruth } from "../../bench/extraction/corpus/page.ts";
import { type Class, countOf, score } from "../../bench/extraction/score.ts";
import { NO_USAGE } from "../../engine/result.ts";
import { type Analysis, analysisSchema } from "../../pipelines/market-analysis/analysis.ts";

const evidence = { text: "", screenshot: "s", url: "https://acme.example/", at: "2026-11-20T10:00:00.000Z" };
const month = { amount: 9, currency: "USD", period: "month", from: false } as const;
const truth: PageTruth = {
  positioning: ["Pay as you grow", "With our no hassle pricing plans"],
  audience: [],
  offers: [
    {
      name: "Pro",
      price: { ...month, per: "user" },
      listPrice: 12,
      otherPrices: [{ ...month, amount: 90, period: "year" }],
    },
    { name: "Enterprise", price: null },
  ],
  callsToAction: [
    { text: "Choose plan", primary: true },
    { text: "Contact us", primary: false },
  ],
  proof: [{ kind: "customer", text: "IBM" }],
};

function analysisOf(found: Partial<Analysis>): Analysis {
  const nothing = {
    positioning: null,
    audience: [],
    offers: [],
    callsToAction: [],
    proof: [],
    technology: [],
    caveats: [],
  };
  const design = { palette: [], layout: [], screenshot: "s" };
  return analysisSchema.parse({
    site: "s",
    name: "n",
    analyst: { kind: "extractive" },
    design,
    usage: NO_USAGE,
    ...nothing,
    ...found,
  });
}

function counts(kind: Class, found: Partial<Analysis>) {
  return countOf(score(truth, analysisOf(found))[kind]);
}

describe("score", () => {
  it("misses all of a page that could not be read", () => {
    const all = score(truth, undefined);
    expect(countOf(all["plan names"])).toEqual({ right: 0, found: 0, there: 2 });
    expect(countOf(all.positioning)).toEqual({ right: 0, found: 0, there: 1 });
  });

  it("takes a price for right by name, amount, currency and period, and in full by its unit", () => {
    const offers = [{ name: "PRO", price: month, features: [], evidence }];
    expect(counts("prices", { offers })).toEqual({ right: 1, found: 1, there: 1 });
    expect(counts("prices in full", { offers })).toEqual({ right: 0, found: 1, there: 1 });
  });

  it.each([
    { ...month, amount: 12 },
    { ...month, currency: "EUR" },
    { ...month, period: "year" as const },
  ])("takes %j for wrong", (price) => {
    expect(counts("prices", { offers: [{ name: "Pro", price, features: [], evidence }] }).right).toBe(0);
  });

  it("counts list prices and the prices of another period by themselves", () => {
    const offer = { name: "Pro", price: month, listPrice: { ...month, amount: 12 }, features: [], evidence };
    const offers = [{ ...offer, alternatives: [{ ...month, amount: 90, period: "year" as const }] }];
    expect(counts("list prices", { offers })).toEqual({ right: 1, found: 1, there: 1 });
    expect(counts("other prices", { offers })).toEqual({ right: 1, found: 1, there: 1 });
  });

  it("counts an offer that is found twice as right once", () => {
    const offer = { name: "Pro", price: null, features: [], evidence };
    expect(counts("plan names", { offers: [offer, offer] })).toEqual({ right: 1, found: 2, there: 2 });
  });

  it("counts each text of a call to action once, and the primary ones by themselves", () => {
    const callsToAction = ["Choose plan", "choose plan!", "Log in"].map((text) => ({
      text,
      prominence: "primary" as const,
      evidence,
    }));
    expect(counts("calls to action", { callsToAction })).toEqual({ right: 1, found: 2, there: 2 });
    expect(counts("primary calls to action", { callsToAction })).toEqual({ right: 1, found: 2, there: 1 });
  });

  it("is content with any of the texts that say the main claim", () => {
    const value = "With our no hassle pricing plans";
    expect(counts("positioning", { positioning: { value, evidence } })).toEqual({ right: 1, found: 1, there: 1 });
  });

  it("finds proof of the same kind alone", () => {
    expect(counts("proof", { proof: [{ kind: "customer", value: "IBM", evidence }] }).right).toBe(1);
    expect(counts("proof", { proof: [{ kind: "award", value: "IBM", evidence }] }).right).toBe(0);
  });
});
