import { addUsage, NO_USAGE } from "../../engine/result.ts";
import type { Analysis, Price } from "../../pipelines/market-analysis/analysis.ts";
import type { Capture, PageKind } from "../../pipelines/market-analysis/capture.ts";
import { describePrice } from "../../pipelines/market-analysis/price.ts";

/** One page that was captured and analyzed. */
export interface ReadPage {
  /** As it was named or discovered. */
  readonly url: string;
  readonly kind: PageKind;
  readonly capture: Capture;
  readonly analysis: Analysis;
}

/** One site of the workload, of which at least one page was read. */
export interface Subject {
  /** As the workload names it. */
  readonly item: string;
  /** The named page first. */
  readonly pages: readonly [ReadPage, ...ReadPage[]];
}

/** Pages that say most of an offer first: the pricing page's price counts where a teaser elsewhere says another. */
const OFFERS_FROM: readonly PageKind[] = ["pricing", "product", "home"];

export interface SiteFindings {
  readonly analysis: Analysis;
  /** Where its pages contradict each other. */
  readonly contradictions: readonly string[];
}

/** The findings of all pages as one analysis: what stands on two pages once, an offer as the page says it that says most of offers. */
export function mergePages({ item, pages }: Subject): SiteFindings {
  const [home] = pages;
  const analyses = pages.map(({ analysis }) => analysis);
  const { offers, contradictions } = mergeOffers(pages);
  return {
    analysis: {
      ...home.analysis,
      site: item,
      positioning: analyses.find(({ positioning }) => positioning)?.positioning ?? null,
      audience: distinct(
        analyses.flatMap(({ audience }) => audience),
        ({ value }) => value,
      ),
      offers,
      callsToAction: distinct(
        analyses.flatMap(({ callsToAction }) => callsToAction),
        ({ text }) => text,
      ),
      proof: distinct(
        analyses.flatMap(({ proof }) => proof),
        ({ kind, value }) => `${kind} ${value}`,
      ),
      technology: distinct(
        analyses.flatMap(({ technology }) => technology),
        ({ value }) => value,
      ),
      caveats: pages.flatMap(({ url, analysis, capture }, at) =>
        [...analysis.caveats, ...(capture.discovery?.caveats ?? [])].map((caveat) =>
          at === 0 ? caveat : `${pathOf(url)}: ${caveat}`,
        ),
      ),
      usage: analyses.reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE),
    },
    contradictions,
  };
}

type Offer = Analysis["offers"][number];

function mergeOffers(pages: readonly ReadPage[]): { offers: Offer[]; contradictions: string[] } {
  const rank = ({ kind }: ReadPage) => {
    const at = OFFERS_FROM.indexOf(kind);
    return at < 0 ? OFFERS_FROM.length : at;
  };
  const kept = new Map<string, Offer>();
  const contradictions: string[] = [];
  for (const page of [...pages].sort((a, b) => rank(a) - rank(b))) {
    // Offers of one name on one page are different ones.
    const seen = new Map<string, number>();
    for (const offer of page.analysis.offers) {
      const name = plain(offer.name);
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      const key = `${name}~${count}`;
      const first = kept.get(key);
      if (!first) {
        kept.set(key, offer);
        continue;
      }
      if (first.price && offer.price && !pricesOf(first).includes(describePrice(offer.price)))
        contradictions.push(
          `${first.name} costs ${describePrice(first.price)} on ${pathOf(first.evidence.url)} and ${describePrice(offer.price)} on ${pathOf(page.url)}; the report uses the first.`,
        );
      kept.set(key, withMore(first, offer));
    }
  }
  return { offers: [...kept.values()], contradictions };
}

/** What the first leaves open the other may say: a price, a trial, features. */
function withMore(first: Offer, other: Offer): Offer {
  const { price, evidence } = first.price || !other.price ? first : other;
  const trialDays = first.trialDays ?? other.trialDays;
  const listPrice = first.listPrice ?? (first.price ? undefined : other.listPrice);
  const alternatives = first.alternatives ?? other.alternatives;
  return {
    name: first.name,
    price,
    ...(alternatives === undefined ? {} : { alternatives }),
    ...(listPrice === undefined ? {} : { listPrice }),
    ...(trialDays === undefined ? {} : { trialDays }),
    features: distinct([...first.features, ...other.features], (feature) => feature),
    evidence,
  };
}

const pricesOf = ({ price, alternatives = [], listPrice }: Offer): string[] =>
  [price, listPrice, ...alternatives].filter((one): one is Price => Boolean(one)).map(describePrice);

const plain = (text: string): string => text.toLowerCase().replace(/\s+/g, " ").trim();

function distinct<T>(all: readonly T[], keyOf: (one: T) => string): T[] {
  const kept = new Map<string, T>();
  for (const one of all) if (!kept.has(plain(keyOf(one)))) kept.set(plain(keyOf(one)), one);
  return [...kept.values()];
}

/** "/pricing": pages of one site differ in their path. */
export function pathOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed ? `${parsed.pathname}${parsed.search}` : url;
}

/** Short and readable: the path of a page, the host of a site's first. */
export function shortAddress(url: string): string {
  const parsed = URL.parse(url);
  return parsed?.pathname === "/" && parsed.search === "" ? parsed.host : pathOf(url);
}
