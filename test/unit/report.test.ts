import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FinalDecision, Finding, Findings } from "../../engine/findings.ts";
import { overlap, placeLabels } from "../../functions/report/charts/place-labels.ts";
import { positioningChart } from "../../functions/report/charts/positioning-chart.ts";
import { priceCharts } from "../../functions/report/charts/price-chart.ts";
import { compare } from "../../functions/report/compare.ts";
import { safeLink } from "../../functions/report/link.ts";
import { escapeMarkdown } from "../../functions/report/markdown.ts";
import { mainCurrency, median, monthly } from "../../functions/report/price.ts";
import { reportJsonSchema } from "../../functions/report/report.ts";
import { strategize } from "../../functions/report/strategist.ts";
import { reviewSentence } from "../../functions/report/wording.ts";
import { describePrice } from "../../pipelines/market-analysis/price.ts";
import { decisionOn, dossierOf, findingsOf, many, OBJECTIVE, price, type Site, TEN } from "./report-fixture.ts";

describe("prices", () => {
  it.each([
    [price(29), 29, "$29 a month"],
    [price(120, { period: "year" }), 10, "$120 a year"],
    [price(2, { period: "week" }), 8.67, "$2 a week"],
    [price(1, { period: "day" }), 30.42, "$1 a day"],
    [price(9.5, { per: "user" }), 9.5, "$9.50 per user a month"],
    [price(79, { from: true }), 79, "from $79 a month"],
    [price(45, { period: "hour" }), null, "$45 an hour"],
    [price(300, { period: "once" }), null, "$300 once"],
    [price(14, { currency: "EUR" }), null, "€14 a month"],
    [price(0, { currency: "EUR" }), 0, "free"],
  ])("%o is %s a month: %s", (given, amount, words) => {
    expect(monthly(given, "USD")).toBe(amount);
    expect(describePrice(given)).toBe(words);
  });

  it("are compared in the currency of most", () => {
    expect(mainCurrency([price(1), price(2, { currency: "EUR" }), price(3, { currency: "EUR" })])).toBe("EUR");
    expect(mainCurrency([])).toBe("");
    expect([median([1, 2, 9]), median([1, 2, 4, 9])]).toEqual([2, 3]);
  });
});

describe("gaps", () => {
  const priced = (name: string, amount: number, more: Partial<Site> = {}): Site => ({
    name,
    url: `https://${name}.example/`,
    offers: [["Plan", { amount }]],
    ...more,
  });
  const titles = (sites: readonly Site[]) => dossierOf(sites).gaps.map(({ title }) => title);
  const free: Partial<Site> = { offers: [["Free", { amount: 0 }]] };

  it.each<[string, Site[], string, boolean]>([
    [
      "a hole in the prices",
      [priced("a", 10), priced("b", 12), priced("c", 50)],
      "No offer between $12 and $50 a month",
      true,
    ],
    ["even prices", [priced("a", 10), priced("b", 12), priced("c", 15)], "No offer between", false],
    [
      "a price per user is no neighbour of a flat one",
      [priced("a", 10), priced("b", 12), priced("c", 0, { offers: [["P", { amount: 50, per: "user" }]] })],
      "No offer between",
      false,
    ],
    ["nobody free", [priced("a", 10), priced("b", 12), priced("c", 15)], "Nobody has a free offer", true],
    ["most free", [priced("a", 1, free), priced("b", 1, free), priced("c", 15)], "free offer", false],
    [
      "a guarantee by all",
      ["a", "b", "c"].map((name) => priced(name, 5, { proof: [["guarantee", "30 days"]] })),
      "guarantee",
      false,
    ],
    ["a guarantee by none", [priced("a", 10), priced("b", 12), priced("c", 15)], "Nobody gives a guarantee", true],
    [
      "a hidden price",
      [priced("a", 10), priced("b", 12), priced("c", 1, { offers: [["Ask us", null]] })],
      "1 of 3 show no price",
      true,
    ],
    [
      "audiences",
      ["a", "b", "c"].map((name) => priced(name, 5, { audience: ["freelancers"] })),
      "Not addressed: small businesses",
      true,
    ],
    ["too few sites", [priced("a", 10), priced("b", 90)], "", false],
  ])("%s", (_name, sites, title, expected) => {
    expect(titles(sites).some((found) => found.includes(title))).toBe(expected);
  });
});

describe("the comparison", () => {
  it("tells equal names apart by the host, and says why a site is missing", () => {
    const twins = [1, 2].map((n): Site => ({ name: "Twin", url: `https://t${n}.example/` }));
    const dossier = dossierOf(twins);
    expect(dossier.competitors.map(({ label }) => label)).toEqual(["Twin (t1.example)", "Twin (t2.example)"]);
    expect(dossier.coverage.at(-1)).toEqual({
      site: "https://blocked.example/",
      url: "https://blocked.example/",
      kind: "home",
      state: "blocked",
      reason: "Blocked",
      message: "the site answered with a captcha",
    });
  });

  it.each<[string, Partial<Finding>, Partial<Finding>]>([
    ["failed without a reason", { outcome: "failed" }, { reason: "Failed" }],
    [
      "was skipped",
      { outcome: "skipped" },
      { reason: "NotAnalyzed", message: expect.stringMatching(/analyze skipped/) },
    ],
    ["left no analysis", { outcome: "succeeded" }, { reason: "NotAnalyzed" }],
  ])("lists a site whose analysis %s", (_what, ended, expected) => {
    const findings = findingsOf([], () => ({ capture: "c", analysis: "a" }));
    const results = [{ step: "analyze", item: "https://odd.example/", artifacts: {}, ...ended }] as Findings["results"];
    const decision = decisionOn(findings);
    const { coverage } = compare({ objective: OBJECTIVE, findings: { ...findings, results }, decision, subjects: [] });
    expect(coverage).toEqual([
      expect.objectContaining({
        url: "https://odd.example/",
        state: "failed",
        message: expect.any(String),
        ...expected,
      }),
    ]);
  });

  it("adds up what captures and analyses cost", () => {
    expect(dossierOf(TEN.slice(0, 2)).usage).toEqual({
      inputTokens: 200,
      outputTokens: 20,
      costUsd: 0.0002,
      browserSeconds: 5,
    });
  });

  it.each([1, 2, 10, 50])("of %i sites has an answer, a recommendation and claims on known sites", (count) => {
    const dossier = dossierOf(many(count));
    const { answer, recommendation, claims } = strategize(dossier);
    expect(answer).not.toBe("");
    expect(recommendation).not.toBe("");
    const known = new Set(dossier.competitors.map(({ id }) => id));
    for (const site of claims.flatMap(({ sites }) => sites)) expect(known).toContain(site);
  });
});

describe("the review", () => {
  it.each<[Partial<FinalDecision>, string]>([
    [
      { how: "ReviewLink", by: "erika@example.com" },
      "erika@example.com approved the findings through the review link on 2026-11-21 09:30 UTC, without a comment.",
    ],
    [
      { how: "CommandLine", by: "erika@example.com", comment: "Look at freelancers." },
      "erika@example.com approved the findings on the command line on 2026-11-21 09:30 UTC, with this comment:",
    ],
    [
      { how: "Setting", by: "review.required: false", automatic: true },
      "No person reviewed the findings. They were approved automatically by a setting of the run (review.required: false) on 2026-11-21 09:30 UTC.",
    ],
    [
      { how: "Timeout", by: "review.onTimeout", automatic: true },
      "No person reviewed the findings. They were approved automatically because nobody decided before the review’s timeout (review.onTimeout) on 2026-11-21 09:30 UTC.",
    ],
    [
      { how: "Argo", by: "Argo", automatic: true },
      "No person reviewed the findings. They were approved automatically by resuming the gate in Argo Workflows (Argo) on 2026-11-21 09:30 UTC.",
    ],
    // Names decide nothing: only the decision itself says that nobody was asked.
    [
      { how: "CommandLine", by: "agentic run --approve" },
      "agentic run --approve approved the findings on the command line on 2026-11-21 09:30 UTC, without a comment.",
    ],
  ])("%j is told as it was", (decided, sentence) => {
    const { review } = dossierOf(TEN, decided);
    expect(reviewSentence({ review })).toBe(sentence);
    expect(review).toMatchObject({ automatic: false, ...decided });
  });
});

describe("charts", () => {
  it.each([2, 10, 50])("of %i sites name every site", (count) => {
    const dossier = dossierOf(many(count));
    const map = positioningChart(dossier);
    const drawn = String(map?.picture).match(/<text class="label"/g)?.length ?? 0;
    expect(drawn + (map?.unplaced.length ?? 0)).toBe(count);
    const charts = priceCharts(dossier).map(String);
    expect(charts.join("").match(/<text class="label"/g)?.length).toBe(count);
    // Each fits on a printed page, and all have one scale.
    expect(charts).toHaveLength(count > 25 ? 2 : 1);
    for (const chart of charts) expect(Number(/viewBox="0 0 760 (\d+)"/.exec(chart)?.[1])).toBeLessThan(800);
    expect(new Set(charts.map((chart) => chart.match(/<line class="grid" x1="[\d.]+"/g)?.join())).size).toBe(1);
  });

  it("are not drawn without prices, or without anyone to compare with", () => {
    const dossier = dossierOf([{ name: "One", url: "https://one.example/" }]);
    expect([priceCharts(dossier), positioningChart(dossier)]).toEqual([[], undefined]);
  });

  it("never put a label over another or out of bounds", () => {
    const anchor = fc.record({
      x: fc.integer({ min: 0, max: 700 }),
      y: fc.integer({ min: 0, max: 400 }),
      width: fc.integer({ min: 10, max: 160 }),
      height: fc.constant(16),
    });
    fc.assert(
      fc.property(fc.array(anchor, { maxLength: 60 }), (anchors) => {
        const placed = placeLabels(anchors, 6, { x: 0, y: 0, width: 700, height: 400 }).flatMap((box) => box ?? []);
        expect(
          placed.every(
            (box, at) =>
              box.x >= 0 && box.x + box.width <= 700 && !placed.slice(at + 1).some((other) => overlap(box, other)),
          ),
        ).toBe(true);
      }),
    );
  });
});

it.each([
  ["javascript:alert(1)", undefined],
  [" JaVaScRiPt:alert(1)", undefined],
  ["data:text/html,x", undefined],
  ["/relative", undefined],
  [undefined, undefined],
  ["https://a.example/x?y=1", "https://a.example/x?y=1"],
])("links %j only when a reader may follow it", (address, link) => {
  expect(safeLink(address)).toBe(link);
});

it.each([
  ["<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"],
  ["a | b\n# c", "a \\| b # c"],
  ["# a", "\\# a"],
  ["- a", "\\- a"],
  ["> a", "\\> a"],
  ["1. a", "1\\. a"],
  ["1) a", "1\\) a"],
  ["---", "\\---"],
  ["*a* _b_ ~~c~~ `d`", "\\*a\\* \\_b\\_ \\~\\~c\\~\\~ \\`d\\`"],
  ["[x](javascript:y)", "\\[x\\](javascript:y)"],
  ["![x](https://a.example)", "!\\[x\\](https&#58;//a.example)"],
  ["[c12]: https://a.example", "\\[c12\\]: https&#58;//a.example"],
  ["starts at $9 (Solo) [c12], -7%", "starts at $9 (Solo) [c12], -7%"],
  ["&lt;", "&amp;lt;"],
  ["Penny & Co", "Penny & Co"],
])("writes %j into Markdown as text", (text, escaped) => {
  expect(escapeMarkdown(text)).toBe(escaped);
});

it("publishes the schema that it writes by", () => {
  const published: unknown = JSON.parse(
    readFileSync(new URL("../../docs/report.schema.json", import.meta.url), "utf8"),
  );
  expect(published).toEqual(reportJsonSchema());
});
