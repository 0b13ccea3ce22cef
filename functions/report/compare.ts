import type { FinalDecision, Finding, Findings } from "../../engine/findings.ts";
import { addUsage, NO_USAGE } from "../../engine/result.ts";
import type { Analysis } from "../../pipelines/market-analysis/analysis.ts";
import type { Capture } from "../../pipelines/market-analysis/capture.ts";
import { describePrice, money } from "../../pipelines/market-analysis/price.ts";
import { type EntryGroup, entryGroups } from "./entry.ts";
import { gapsOf, saturatedOf, standoutsOf } from "./insights.ts";
import { mainCurrency, monthly } from "./price.ts";
import type { Competitor, Dossier, LadderEntry } from "./report.ts";
import { callsOf, themesOf } from "./themes.ts";

/** One site that was captured and analyzed. */
export interface Subject {
  readonly item: string;
  readonly capture: Capture;
  readonly analysis: Analysis;
}

/** What a report is written from. */
export interface ReportInput {
  readonly objective: string;
  readonly findings: Findings;
  readonly decision: FinalDecision;
  /** In the order of the findings. */
  readonly subjects: readonly Subject[];
}

/** Everything that the report says without an author: figures, tables, what differs, what is open. */
export function compare({ objective, findings, decision, subjects }: ReportInput): Dossier {
  const currency = mainCurrency(
    subjects.flatMap(({ analysis }) => analysis.offers.flatMap(({ price }) => price ?? [])),
  );
  const labels = labelsOf(subjects);
  const competitors = subjects.map((subject, at) =>
    competitorOf(subject, `s${at + 1}`, labels[at] ?? subject.item, currency),
  );
  const prices = ladder(competitors, currency);
  const market = { competitors, prices, currency };
  const failures = failuresOf(findings);
  return {
    version: 1,
    workload: findings.workload,
    run: findings.run,
    objective,
    date: decision.at,
    analyst: {
      extractive: subjects.filter(({ analysis }) => analysis.analyst.kind === "extractive").length,
      models: [
        ...new Set(subjects.flatMap(({ analysis: { analyst } }) => (analyst.kind === "model" ? analyst.model : []))),
      ].sort(),
    },
    currency,
    keyFigures: keyFigures(competitors, prices, currency, findings.results.length),
    prices,
    standouts: standoutsOf(market),
    gaps: gapsOf(market),
    saturated: saturatedOf(market),
    competitors,
    failures,
    review: decision,
    usage: usageOf(subjects),
    caveats: caveatsOf(competitors, prices, currency),
  };
}

function competitorOf({ item, capture, analysis }: Subject, id: string, label: string, currency: string): Competitor {
  const { finalUrl, redirects, status, title, lang, capturedAt, timings, truncated, robots, egress } = capture;
  const [entry] = analysis.offers
    .flatMap(({ price }) => (price ? [{ amount: monthly(price, currency) ?? 0, per: price.per }] : []))
    .filter(({ amount }) => amount > 0)
    .sort((a, b) => a.amount - b.amount);
  return {
    id,
    label,
    item,
    analysis,
    capture: {
      ...{ finalUrl, redirects, status, title, lang, capturedAt, timings, truncated, robots, egress },
      ...(capture.consentClosed === undefined ? {} : { consentClosed: capture.consentClosed }),
    },
    entryMonthly: entry?.amount ?? null,
    ...(entry?.per === undefined ? {} : { entryPer: entry.per }),
    free: analysis.offers.some(({ price }) => price?.amount === 0),
    themes: themesOf(analysis),
    breadth: new Set(analysis.offers.flatMap(({ features }) => features.map((feature) => feature.toLowerCase()))).size,
    calls: callsOf(analysis),
  };
}

/** Two sites may have the same name: the host, else the whole address, tells them apart. */
function labelsOf(subjects: readonly Subject[]): string[] {
  const names = subjects.map(({ analysis }) => clean(analysis.name));
  const count = (all: readonly string[], one: string) => all.filter((other) => other === one).length;
  const hosted = subjects.map(({ item }, at) => {
    const name = names[at] ?? item;
    return count(names, name) > 1 ? `${name} (${host(item)})` : name;
  });
  return subjects.map(({ item }, at) => {
    const label = hosted[at] ?? item;
    return count(hosted, label) > 1 ? `${names[at]} (${item.replace(/^https?:\/\//, "")})` : label;
  });
}

const clean = (text: string): string => text.replace(/\s+/g, " ").trim();
const host = (url: string): string => URL.parse(url)?.host ?? url;

function ladder(competitors: readonly Competitor[], currency: string): LadderEntry[] {
  const entries = competitors.flatMap((competitor) =>
    competitor.analysis.offers.flatMap(({ name, price }): LadderEntry[] =>
      price
        ? [
            {
              site: competitor.id,
              offer: clean(name),
              original: describePrice(price),
              monthly: monthly(price, currency),
              ...(price.per === undefined ? {} : { per: price.per }),
              from: price.from,
            },
          ]
        : [],
    ),
  );
  const rank = ({ monthly: amount }: LadderEntry) => amount ?? Number.POSITIVE_INFINITY;
  return entries.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

function keyFigures(
  competitors: readonly Competitor[],
  prices: readonly LadderEntry[],
  currency: string,
  sites: number,
): Dossier["keyFigures"] {
  const free = competitors.filter((c) => c.free).length;
  const proven = competitors.filter((c) => c.analysis.proof.length > 0).length;
  const of = (n: number) => `${n} of ${competitors.length}`;
  return [
    {
      label: "Sites analyzed",
      value: `${competitors.length} of ${sites}`,
      note: sites > competitors.length ? "the others are listed below with their reasons" : "all of the workload",
    },
    ...entryFigures(competitors, currency),
    {
      label: "Offers with a price",
      value: String(prices.length),
      note: `of ${competitors.reduce((n, c) => n + c.analysis.offers.length, 0)} offers found`,
    },
    { label: "Free offer", value: of(free), note: "sites name one" },
    { label: "Show proof", value: of(proven), note: "testimonials, customers, figures, ratings, guarantees" },
  ];
}

function entryFigures(competitors: readonly Competitor[], currency: string): Dossier["keyFigures"] {
  const [first, second] = entryGroups(competitors);
  if (!first) return [{ label: "Entry price", value: "none shown", note: "no site names a monthly price" }];
  const count = ({ sites }: EntryGroup) => (sites.length === 1 ? "1 site" : `${sites.length} sites`);
  const range = ({ sites }: EntryGroup) =>
    [...new Set([sites[0], sites.at(-1) ?? sites[0]].map((site) => money(site.entryMonthly, currency)))].join(" – ");
  if (second)
    return [first, second].map((group) => ({
      label: group.per ? `Entry price per ${group.per}` : "Entry price, flat",
      value: range(group),
      note: `a month, ${count(group)}${group.sites.length > 1 ? `; median ${money(group.median, currency)}` : ""}`,
    }));
  const per = first.per ? ` per ${first.per}` : "";
  return [
    {
      label: `Median entry price${per}`,
      value: money(first.median, currency),
      note: `a month, over ${count(first)} with a paid monthly price`,
    },
    { label: `Entry prices${per}`, value: range(first), note: "lowest to highest, a month" },
  ];
}

function failuresOf({ results }: Findings): Dossier["failures"] {
  return results.flatMap((finding) => {
    if (analysisOf(finding)) return [];
    const { step, outcome, reason, message } = finding;
    const why =
      outcome === "failed"
        ? { reason: reason ?? "Failed", message: message ?? "the step gave no message" }
        : { reason: "NotAnalyzed", message: `step ${step} ${outcome} without an analysis of the site` };
    return [{ item: itemOf(finding), step, ...why }];
  });
}

/** The artifact keys of a site that was captured and analyzed. */
export function analysisOf({
  step,
  outcome,
  artifacts,
}: Finding): { readonly capture: string; readonly analysis: string } | undefined {
  const { capture, analysis } = { capture: artifacts["capture"], analysis: artifacts["analysis"] };
  return step === "analyze" && outcome === "succeeded" && capture && analysis ? { capture, analysis } : undefined;
}

/** The site that a finding is about. */
export function itemOf({ item }: Finding): string {
  return typeof item === "string" ? item : JSON.stringify(item ?? null);
}

function usageOf(subjects: readonly Subject[]): Dossier["usage"] {
  return subjects.reduce(
    (sum, { analysis, capture }) =>
      addUsage(sum, addUsage(analysis.usage, { ...NO_USAGE, browserSeconds: capture.browserSeconds })),
    NO_USAGE,
  );
}

function caveatsOf(competitors: readonly Competitor[], prices: readonly LadderEntry[], currency: string): string[] {
  const foreign = prices.filter(({ monthly: amount }) => amount === null);
  const seats = prices.filter(({ per, monthly: amount }) => per && amount !== null);
  return [
    ...(competitors.length === 1 ? ["Only one site was analyzed: there is nothing to compare it with."] : []),
    ...(foreign.length
      ? [
          `${foreign.length} prices are one-off, by the hour or not in ${currency}; the report shows them as they are and does not compare them, because it assumes no exchange rate.`,
        ]
      : []),
    ...(seats.length
      ? [
          `${seats.length} prices are for each ${[...new Set(seats.map(({ per }) => per))].join(" or ")}; they grow with use, where flat prices do not.`,
        ]
      : []),
    "Prices are as published: taxes, discounts and minimum terms may not be on the page.",
    ...competitors.flatMap(({ label, analysis }) => analysis.caveats.map((caveat) => `${label}: ${caveat}`)),
  ];
}
