import type { FinalDecision, Findings } from "../../engine/findings.ts";
import { addUsage, NO_USAGE } from "../../engine/result.ts";
import type { Analysis } from "../../pipelines/market-analysis/analysis.ts";
import type { Capture } from "../../pipelines/market-analysis/capture.ts";
import { describePrice, money } from "../../pipelines/market-analysis/price.ts";
import { changesSince } from "./changes.ts";
import { numberClaims } from "./claims.ts";
import { coverageOf, isRead, siteShare } from "./coverage.ts";
import { type EntryGroup, entryGroups } from "./entry.ts";
import { historyOf } from "./history.ts";
import { gapsOf, saturatedOf, standoutsOf } from "./insights.ts";
import { mainCurrency, monthly } from "./price.ts";
import type { Competitor, Coverage, Dossier, EarlierReport, LadderEntry, NumberedClaim, SitePage } from "./report.ts";
import { mergePages, type ReadPage, type Subject } from "./site.ts";
import { callsOf, themesOf } from "./themes.ts";

/** What a report is written from. */
export interface ReportInput {
  readonly objective: string;
  readonly findings: Findings;
  readonly decision: FinalDecision;
  /** In the order of the findings. */
  readonly subjects: readonly Subject[];
  /** What this one is compared with; a sentence where there should be one and is none. */
  readonly earlier?: EarlierReport | string;
}

/** Everything that the report says without an author: figures, tables, what differs, what is open, what changed. */
export function compare({ objective, findings, decision, subjects, earlier }: ReportInput): Dossier {
  const merged = subjects.map(mergePages);
  const analyses = merged.map(({ analysis }) => analysis);
  const currency = mainCurrency(analyses.flatMap(({ offers }) => offers.flatMap(({ price }) => price ?? [])));
  const labels = labelsOf(subjects.map(({ item }, at) => ({ item, name: analyses[at]?.name ?? item })));
  const sites = subjects.map(({ item, pages }, at) => ({
    id: `s${at + 1}`,
    label: labels[at] ?? item,
    item,
    pages: pages.map((page, number) => ({ id: `s${at + 1}p${number + 1}`, ...page })),
    analysis: analyses[at] ?? pages[0].analysis,
  }));
  const claims = numberClaims(sites);
  const competitors = sites.map((site) => competitorOf(site, claims, currency));
  const prices = ladder(competitors, claims, currency);
  const coverage = coverageOf(findings, competitors);
  const share = siteShare(coverage);
  const market = { competitors, prices, currency, claims, readShare: share.all === 0 ? 0 : share.read / share.all };
  const now = { date: decision.at, workload: findings.workload, run: findings.run, competitors, claims, coverage };
  const before = typeof earlier === "object" ? earlier : undefined;
  const compared = before && changesSince(before, now);
  return {
    version: 2,
    workload: findings.workload,
    run: findings.run,
    objective,
    date: decision.at,
    analyst: {
      extractive: competitors.filter(({ pages }) => pages.every(({ analyst }) => analyst.kind === "extractive")).length,
      models: [
        ...new Set(
          competitors.flatMap(({ pages }) =>
            pages.flatMap(({ analyst }) => (analyst.kind === "model" ? analyst.model : [])),
          ),
        ),
      ].sort(),
    },
    currency,
    keyFigures: keyFigures({ competitors, prices, currency, coverage }),
    changes: compared?.changes ?? null,
    prices,
    history: historyOf(before?.history ?? [], { ...now, claims: compared?.claims ?? claims }, compared?.changes),
    standouts: standoutsOf(market),
    gaps: gapsOf(market),
    saturated: saturatedOf(market),
    competitors,
    claims: compared?.claims ?? claims,
    coverage,
    review: decision,
    usage: usageOf(subjects),
    caveats: [
      ...(typeof earlier === "string" ? [earlier] : []),
      ...(compared?.caveats ?? []),
      ...caveatsOf(competitors, prices, currency),
      ...merged.flatMap(({ contradictions }, at) => contradictions.map((sentence) => `${labels[at]}: ${sentence}`)),
    ],
  };
}

interface Site {
  readonly id: string;
  readonly label: string;
  readonly item: string;
  readonly pages: readonly (ReadPage & { readonly id: string })[];
  readonly analysis: Analysis;
}

function competitorOf(
  { id, label, item, pages, analysis }: Site,
  claims: readonly NumberedClaim[],
  currency: string,
): Competitor {
  const numberOf = offerNumbers(id, claims);
  const [entry] = analysis.offers
    .flatMap(({ price }, at) =>
      price ? [{ amount: monthly(price, currency) ?? 0, per: price.per, claim: numberOf(at) }] : [],
    )
    .filter(({ amount }) => amount > 0)
    .sort((a, b) => a.amount - b.amount);
  return {
    id,
    label,
    item,
    pages: pages.map(({ id: page, url, kind, capture, analysis: { analyst } }) => ({
      ...{ id: page, url, kind, analyst },
      capture: captureFacts(capture),
    })),
    analysis,
    entryMonthly: entry?.amount ?? null,
    ...(entry?.per === undefined ? {} : { entryPer: entry.per }),
    ...(entry === undefined ? {} : { entryClaim: entry.claim }),
    free: analysis.offers.some(({ price }) => price?.amount === 0),
    themes: themesOf(analysis),
    breadth: new Set(analysis.offers.flatMap(({ features }) => features.map((feature) => feature.toLowerCase()))).size,
    calls: callsOf(analysis),
  };
}

/** The numbers of a site's offers: they stand in the order of its analysis. */
function offerNumbers(site: string, claims: readonly NumberedClaim[]): (at: number) => string {
  const own = claims.filter((claim) => claim.site === site && claim.field === "offers");
  return (at) => own[at]?.id ?? "";
}

function captureFacts(capture: Capture): SitePage["capture"] {
  const { finalUrl, redirects, status, title, lang, capturedAt, timings, truncated, robots, egress } = capture;
  return {
    ...{ finalUrl, redirects, status, title, lang, capturedAt, timings, truncated, robots, egress },
    ...(capture.consentClosed === undefined ? {} : { consentClosed: capture.consentClosed }),
  };
}

/** Two sites may have the same name: the host, else the whole address, tells them apart. */
function labelsOf(sites: readonly { readonly item: string; readonly name: string }[]): string[] {
  const names = sites.map(({ name }) => clean(name));
  const count = (all: readonly string[], one: string) => all.filter((other) => other === one).length;
  const hosted = sites.map(({ item }, at) => {
    const name = names[at] ?? item;
    return count(names, name) > 1 ? `${name} (${host(item)})` : name;
  });
  return sites.map(({ item }, at) => {
    const label = hosted[at] ?? item;
    return count(hosted, label) > 1 ? `${names[at]} (${item.replace(/^https?:\/\//, "")})` : label;
  });
}

const clean = (text: string): string => text.replace(/\s+/g, " ").trim();
const host = (url: string): string => URL.parse(url)?.host ?? url;

function ladder(competitors: readonly Competitor[], claims: readonly NumberedClaim[], currency: string): LadderEntry[] {
  const entries = competitors.flatMap((competitor) => {
    const numberOf = offerNumbers(competitor.id, claims);
    return competitor.analysis.offers.flatMap(({ name, price }, at): LadderEntry[] =>
      price
        ? [
            {
              site: competitor.id,
              offer: clean(name),
              claim: numberOf(at),
              original: describePrice(price),
              monthly: monthly(price, currency),
              ...(price.per === undefined ? {} : { per: price.per }),
              from: price.from,
            },
          ]
        : [],
    );
  });
  const rank = ({ monthly: amount }: LadderEntry) => amount ?? Number.POSITIVE_INFINITY;
  return entries.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

interface Figures {
  readonly competitors: readonly Competitor[];
  readonly prices: readonly LadderEntry[];
  readonly currency: string;
  readonly coverage: readonly Coverage[];
}

function keyFigures({ competitors, prices, currency, coverage }: Figures): Dossier["keyFigures"] {
  const free = competitors.filter((c) => c.free).length;
  const proven = competitors.filter((c) => c.analysis.proof.length > 0).length;
  const of = (n: number) => `${n} of ${competitors.length}`;
  const { read, all } = siteShare(coverage);
  const pages = coverage.filter(isRead).length;
  const pagesRead = coverage.length > all ? `${pages} of ${coverage.length} pages` : "";
  const unread = all > read ? "the others are listed with their reasons" : "all of the workload";
  return [
    {
      label: "Sites read",
      value: `${read} of ${all}`,
      note: [`${Math.round((100 * read) / Math.max(1, all))}%`, pagesRead, unread].filter(Boolean).join("; "),
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

function usageOf(subjects: readonly Subject[]): Dossier["usage"] {
  return subjects.reduce(
    (all, { pages }) =>
      pages.reduce(
        (sum, { analysis, capture }) =>
          addUsage(sum, addUsage(analysis.usage, { ...NO_USAGE, browserSeconds: capture.browserSeconds })),
        all,
      ),
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
          `${foreign.length === 1 ? "1 price is" : `${foreign.length} prices are`} one-off, by the hour or not in ${currency}; the report shows what it says and does not compare it, because it assumes no exchange rate.`,
        ]
      : []),
    ...(seats.length
      ? [
          `${seats.length === 1 ? "1 price is" : `${seats.length} prices are`} for each ${[...new Set(seats.map(({ per }) => per))].join(" or ")}: what is paid grows with use, where flat prices do not.`,
        ]
      : []),
    "Prices are as published: taxes, discounts and minimum terms may not be on the page.",
    ...competitors.flatMap(({ label, analysis }) => analysis.caveats.map((caveat) => `${label}: ${caveat}`)),
  ];
}
