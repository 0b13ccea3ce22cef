import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { madeCorrections } from "../../engine/corrections.ts";
import type { Finding, Findings } from "../../engine/findings.ts";
import { loadSubjects } from "../../functions/report/load.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { type Analysis, analysisSchema, type Price } from "../../pipelines/market-analysis/analysis.ts";
import { claimsOf, statementOf } from "../../pipelines/market-analysis/claims.ts";
import { correctedPages } from "../../pipelines/market-analysis/corrected.ts";
import { parsePrice } from "../../pipelines/market-analysis/parse-price.ts";
import { describePrice } from "../../pipelines/market-analysis/price.ts";
import { analysisOf, captureOf, TEN, WORKLOAD } from "./report-fixture.ts";

const evidence = {
  text: "as quoted",
  screenshot: "ns/uid/0.png",
  url: "https://acme.example/",
  at: "2026-11-20T10:00:00.000Z",
};
const offer = (name: string, price: Price | null): Analysis["offers"][number] => ({
  name,
  price,
  features: [],
  evidence,
});
const usd = (amount: number, more: Partial<Price> = {}): Price => ({
  amount,
  currency: "USD",
  period: "month",
  from: false,
  ...more,
});
const analysis: Analysis = analysisSchema.parse({
  site: "https://www.acme.example/",
  name: "Acme",
  analyst: { kind: "extractive" },
  positioning: { value: "Billing that runs itself", evidence },
  audience: [
    { value: "Freelancers", evidence },
    { value: "Studios", evidence },
  ],
  offers: [offer("Solo", usd(9)), offer("Pro", usd(29, { per: "user" })), offer("Pro", usd(290, { period: "year" }))],
  callsToAction: [{ text: "Start free", target: "https://www.acme.example/start", evidence }],
  proof: [{ kind: "metric", value: "9,000 teams", evidence }],
  technology: [],
  design: { palette: [], layout: [], screenshot: evidence.screenshot },
  caveats: ["The page was cut."],
  usage: { inputTokens: 0, outputTokens: 0, costUsd: 0, browserSeconds: 0 },
});

type Said = Record<string, "strike" | { to: string } | { comment: string }>;
/** By fact: struck, corrected to a value, or commented. */
const corrections = (said: Said) =>
  madeCorrections(
    {},
    {
      ...{ decision: "approved", by: "ada", at: "2026-11-30T10:00:00.000Z" },
      corrections: Object.entries(said).map(([fact, what]) => {
        const claim = claimsOf(analysis).find(({ id }) => id === fact);
        return {
          step: "analyze",
          item: analysis.site,
          fact,
          of: claim ? statementOf(claim) : "",
          ...(what === "strike"
            ? { action: "strike" }
            : "to" in what
              ? { action: "correct", value: what.to }
              : { action: "comment", ...what }),
        };
      }),
    },
  );
const by = (said: Said): Analysis =>
  correctedPages([{ analysis, corrections: corrections(said) }])[0] ?? expect.unreachable();

test("without corrections an analysis is as it was", () => {
  expect(by({})).toBe(analysis);
});

test("struck claims are gone, also the second of one name, and a caveat says who struck them", () => {
  const result = by({ positioning: "strike", "audience/freelancers": "strike", "offers/pro~2": "strike" });
  expect(result.positioning).toBeNull();
  expect(result.audience.map(({ value }) => value)).toEqual(["Studios"]);
  expect(result.offers.map(({ price }) => price?.amount)).toEqual([9, 29]);
  expect(result.caveats).toEqual([
    "The page was cut.",
    'Positioning "Billing that runs itself" was struck by ada',
    'Audience "Freelancers" was struck by ada',
    'Offer "Pro: $290 a year" was struck by ada',
  ]);
});

test("corrected claims say what the reviewer says, marked, beside the page's own words", () => {
  const result = by({
    positioning: { to: "Billing for studios" },
    "offers/pro": { to: "Pro: from $39 per seat a year" },
    "callsToAction/start-free": { to: "Start now" },
    "proof/9-000-teams": { to: "900 teams" },
  });
  const marked = { ...evidence, correctedBy: "ada" };
  expect(result.positioning).toEqual({ value: "Billing for studios", evidence: marked });
  expect(result.offers[1]).toMatchObject({
    name: "Pro",
    price: { amount: 39, currency: "USD", per: "seat", period: "year", from: true },
    evidence: marked,
  });
  expect(result.offers[0]).toEqual(analysis.offers[0]);
  expect(result.callsToAction).toEqual([{ ...analysis.callsToAction[0], text: "Start now", evidence: marked }]);
  expect(result.proof).toEqual([{ kind: "metric", value: "900 teams", evidence: marked }]);
  expect(result.caveats[2]).toBe(
    'Offer "Pro: $29 per user a month" was corrected by ada to "Pro: from $39 per seat a year"',
  );
  expect(analysisSchema.safeParse(result).success).toBe(true);
});

test("a price in words that nobody can compare is none, and the words stand in a caveat", () => {
  const result = by({ "offers/solo": { to: "nine dollars, haggle" } });
  expect(result.offers[0]?.price).toBeNull();
  expect(result.caveats.at(-1)).toBe(
    'Offer "Solo: $9 a month" was corrected by ada to "nine dollars, haggle", which is not compared as a price',
  );
});

test("a commented claim stands, and the comment is a caveat", () => {
  const result = by({ "offers/solo": { comment: "only until May" } });
  expect(result.offers).toEqual(analysis.offers);
  expect(result.caveats.at(-1)).toBe('Offer "Solo: $9 a month" was commented by ada: only until May');
});

test("a claim that stands on several pages of a site is corrected on all that say the same, with one caveat", () => {
  const offers = [offer("Solo", usd(9)), offer("Pro", usd(31))];
  const pricing: Analysis = { ...analysis, positioning: null, offers, caveats: [] };
  const elsewhere: Analysis = { ...pricing, site: "https://www.other.example/" };
  const said = corrections({ "offers/solo": { to: "$12 a month" }, "offers/pro": "strike" });
  const own = corrections({ "offers/solo": "strike" });
  const prices = (pages: readonly Analysis[]) => pages.map((page) => page.offers.map(({ price }) => price?.amount));
  const pages = [pricing, analysis, elsewhere].map((page) => ({
    analysis: page,
    corrections: page === analysis ? said : [],
  }));
  const result = correctedPages(pages);
  // Of another value there, Pro stands.
  expect(prices(result)).toEqual([
    [12, 31],
    [12, 290],
    [9, 31],
  ]);
  expect(result.map(({ caveats }) => caveats.length)).toEqual([0, 3, 0]);
  // What is said of the page itself comes first.
  const both = correctedPages([
    { analysis: pricing, corrections: own },
    { analysis, corrections: said },
  ]);
  expect(prices(both)).toEqual([[31], [12, 290]]);
});

test("corrections of facts that are no claims change nothing", () => {
  expect(by({ __proto__: "strike", "offers/none": "strike" })).toEqual(analysis);
});

describe("prices as they are typed", () => {
  const prices: Price[] = [
    usd(29),
    usd(0),
    usd(1200.5, { period: "year" }),
    usd(9, { per: "user", from: true }),
    usd(4, { period: "hour" }),
    usd(499, { period: "once" }),
    { amount: 30, currency: "CAD", period: "week", from: false },
    { amount: 12, currency: "CHF", period: "month", from: false },
    { amount: 1_000_000, currency: "JPY", period: "year", from: false, per: "seat" },
  ];
  test.each(prices.map((price) => [describePrice(price), price] as const))("%s, as it is shown", (words, price) => {
    expect(parsePrice(words, null)).toEqual(price);
  });

  test.each<[string, Partial<Price> | undefined]>([
    ["€9.50/mo", { amount: 9.5, currency: "EUR", period: "month" }],
    [" 99 EUR per year ", { amount: 99, currency: "EUR", period: "year" }],
    ["$39", { amount: 39, currency: "USD", period: "week", per: "seat", from: false }],
    ["Free", { amount: 0, currency: "GBP", period: "week" }],
    ["9.50", undefined],
    ["$9 or $10 a month", undefined],
    ["1.200,50 € a month", undefined],
    ["$9 a fortnight", undefined],
    ["$$$ a month", undefined],
    ["$1,23 a month", undefined],
    ["$9 EUR a month", undefined],
    ["$9 per fortnight", undefined],
    ["contact us", undefined],
    ["", undefined],
  ])("%j", (words, expected) => {
    const found: Price = { amount: 7, currency: "GBP", period: "week", per: "seat", from: true };
    const parsed = parsePrice(words, found);
    if (expected === undefined) expect(parsed).toBeUndefined();
    else expect(parsed).toMatchObject(expected);
  });

  test("of a page without a currency have none", () => {
    const found: Price = { amount: 7, currency: "XXX", period: "month", from: false };
    expect(parsePrice("9.50 a month", found)).toEqual({ ...found, amount: 9.5 });
    expect(parsePrice("9", found)).toEqual({ ...found, amount: 9 });
    expect(parsePrice("9 a month", null)).toBeUndefined();
  });

  test("a figure alone is none where nothing was found", () => {
    expect(parsePrice("$39", null)).toBeUndefined();
  });

  test("hostile words take no time", () => {
    const before = performance.now();
    for (const words of ["$".repeat(1000), `$9${" per x".repeat(200)}`, "9".repeat(1000)])
      expect(parsePrice(words, null)).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(100);
  });
});

test("a report loads each page with the corrections of its own finding", async () => {
  const folder = await mkdtemp(join(tmpdir(), "agentic-corrected-"));
  const artifacts = createFolderArtifacts(folder);
  const findings = await Promise.all(
    TEN.slice(0, 2).map(async (site): Promise<Finding> => {
      const keep = (what: object) => artifacts.put(WORKLOAD, JSON.stringify(what), "json");
      const keys = { capture: await keep(captureOf(site)), analysis: await keep(analysisOf(site)) };
      return { step: "analyze", item: site.url, outcome: "succeeded", artifacts: keys };
    }),
  );
  const strike = {
    step: "analyze",
    fact: "positioning",
    of: "",
    action: "strike",
    by: "ada",
    at: "2026-11-30T10:00:00.000Z",
  } as const;
  const all: Findings = {
    ...{ workload: WORKLOAD, run: "r", gate: "review", inputs: {}, results: findings },
    pipeline: { namespace: "agentic-system", name: "market-analysis" },
  };
  const subjects = JSON.stringify(
    await loadSubjects(artifacts, WORKLOAD, all, [{ ...strike, item: TEN[1]?.url ?? "" }]),
  );
  expect(subjects).toContain("Simple invoicing for freelancers");
  expect(subjects).not.toContain('"value":"Get paid in minutes, automatically"');
  await rm(folder, { recursive: true });
});
