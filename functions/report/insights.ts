import { money } from "../../pipelines/market-analysis/price.ts";
import { entryGroups } from "./entry.ts";
import { median } from "./price.ts";
import type { Competitor, Confidence, Insight, LadderEntry, NumberedClaim } from "./report.ts";
import { ALL_AUDIENCES, ALL_THEMES, audiencesOf, isAbout, isCall } from "./themes.ts";

/** The input of the rules. `prices`: every offer with a price, lowest monthly price first. */
export interface Market {
  readonly competitors: readonly Competitor[];
  readonly prices: readonly LadderEntry[];
  readonly currency: string;
  readonly claims: readonly NumberedClaim[];
  /** Of the sites that the workload names, how many were read: 0 to 1. */
  readonly readShare: number;
}

/** What a rule finds. */
interface Drawn extends Pick<Insight, "title" | "text" | "sites"> {
  /** It rests on what other pages do not say. */
  readonly isAbsence?: boolean;
  /** Which claims of its sites it rests on. */
  readonly about?: (claim: NumberedClaim, site: Competitor | undefined) => boolean;
}

/** Claims that one insight cites at most. */
const MAX_CITED = 12;

function grounded(market: Market, { about, isAbsence = false, ...drawn }: Drawn): Insight {
  const site = new Map(market.competitors.map((c) => [c.id, c]));
  const claims = about ? market.claims.filter((c) => drawn.sites.includes(c.site) && about(c, site.get(c.site))) : [];
  return {
    ...drawn,
    claims: claims.slice(0, MAX_CITED).map(({ id }) => id),
    confidence: confidenceOf(market, isAbsence),
  };
}

/**
 * Low: of fewer than three sites, or with half of the named sites unread. High: five sites at least, four fifths read. What is missing
 * on all pages is surely missing only where a model looked: rules overlook what is said in other words.
 */
export function confidenceOf(
  { competitors, readShare }: Pick<Market, "competitors" | "readShare">,
  isAbsence: boolean,
): Confidence {
  if (competitors.length < ENOUGH || readShare <= 0.5) return "low";
  const byRules = competitors.some(({ pages }) => pages.some(({ analyst }) => analyst.kind === "extractive"));
  return competitors.length >= 5 && readShare >= 0.8 && !(isAbsence && byRules) ? "high" : "medium";
}

const isOffer = ({ field }: NumberedClaim): boolean => field === "offers";
const isProof = ({ field }: NumberedClaim): boolean => field === "proof";
const isEntry = ({ id }: NumberedClaim, site: Competitor | undefined): boolean => id === site?.entryClaim;
const isFree = ({ field, value }: NumberedClaim): boolean => field === "offers" && value === "free";

/** From this share of the sites on a claim or habit sets nobody apart. */
const NEARLY_ALL = 0.6;
/** Neighbouring prices with this ratio leave room for an offer between them. */
const GAP_RATIO = 1.6;
/** Sites at least for a statement about a market. */
export const ENOUGH = 3;

const ids = (competitors: readonly Competitor[]): string[] => competitors.map(({ id }) => id);

export function names(competitors: readonly Competitor[], most = 4): string {
  const labels = competitors.slice(0, most).map(({ label }) => label);
  const rest = competitors.length - labels.length;
  if (rest > 0) labels.push(`${rest} more`);
  return labels.length > 1 ? `${labels.slice(0, -1).join(", ")} and ${labels.at(-1)}` : (labels[0] ?? "nobody");
}

/** What the market leaves open, strongest first. */
export function gapsOf(market: Market): Insight[] {
  const { competitors } = market;
  const total = competitors.length;
  if (total < ENOUGH) return [];
  const [first, ...others] = priceGaps(market);
  return [
    ...(first ? [first] : []),
    ...freeGap(market),
    ...guaranteeGap(market),
    ...opacityGap(market),
    ...audienceGaps(market),
    ...proofGap(market),
    ...themeGaps(market),
    ...others,
  ].map((one) => grounded(market, one));
}

function priceGaps({ prices, currency, competitors }: Market): Drawn[] {
  const steps = prices.filter(({ monthly, per }) => monthly !== null && monthly > 0 && !per);
  const usual = median(steps.map(({ monthly }) => monthly ?? 0));
  const gaps = steps.slice(1).flatMap((upper, at) => {
    const lower = steps[at];
    const low = lower?.monthly ?? 0;
    const high = upper.monthly ?? 0;
    return lower && high / low >= GAP_RATIO ? [{ lower, upper, low, high }] : [];
  });
  const label = (entry: LadderEntry) => competitors.find(({ id }) => id === entry.site)?.label ?? entry.site;
  return (
    gaps
      // Gaps between two sellers first, then gaps near the usual price.
      .sort(
        (a, b) =>
          Number(a.lower.site === a.upper.site) - Number(b.lower.site === b.upper.site) ||
          distance(Math.sqrt(a.low * a.high), usual) - distance(Math.sqrt(b.low * b.high), usual),
      )
      .slice(0, 2)
      .map(({ lower, upper, low, high }) => ({
        title: `No offer between ${money(low, currency)} and ${money(high, currency)} a month`,
        text: `Of ${steps.length} flat prices a month none lies between ${label(lower)}’s ${lower.offer} (${money(low, currency)}) and ${label(upper)}’s ${upper.offer} (${money(high, currency)}). A plan at about ${money(niceMiddle(low, high), currency)} would stand there alone.`,
        sites: [...new Set([lower.site, upper.site])],
        about: ({ id }: NumberedClaim) => id === lower.claim || id === upper.claim,
      }))
  );
}

/** The ratio of the larger to the smaller. */
const distance = (a: number, b: number): number => Math.max(a / b, b / a);

/** The geometric mean, rounded as prices are. */
function niceMiddle(low: number, high: number): number {
  const middle = Math.sqrt(low * high);
  return middle > 20 ? Math.round(middle / 5) * 5 - 1 : Math.round(middle);
}

function freeGap({ competitors }: Market): Drawn[] {
  const free = competitors.filter((c) => c.free);
  if (free.length / competitors.length > 1 / 3) return [];
  return [
    {
      title: free.length ? "A free offer is rare" : "Nobody has a free offer",
      text: `${free.length ? `Only ${names(free)} (${free.length} of ${competitors.length})` : `None of ${competitors.length} sites`} ${free.length > 1 ? "name" : "names"} an offer at no cost. A free tier lowers the first step where the others ask for a card or a call.`,
      sites: ids(free.length ? free : competitors),
      isAbsence: true,
      ...(free.length ? { about: isFree } : {}),
    },
  ];
}

function guaranteeGap({ competitors }: Market): Drawn[] {
  const giving = competitors.filter((c) => c.analysis.proof.some(({ kind }) => kind === "guarantee"));
  if (giving.length / competitors.length > 1 / 3) return [];
  return [
    {
      title: giving.length ? "Few give a guarantee" : "Nobody gives a guarantee",
      text: `${giving.length ? `Only ${names(giving)}` : `None of ${competitors.length} sites`} ${giving.length > 1 ? "take" : "takes"} the risk off the buyer with a guarantee. It costs little where the product holds, and the others would have to follow.`,
      sites: ids(giving.length ? giving : competitors),
      isAbsence: true,
      ...(giving.length ? { about: ({ kind }: NumberedClaim) => kind === "guarantee" } : {}),
    },
  ];
}

function opacityGap({ competitors }: Market): Drawn[] {
  const hidden = competitors.filter((c) => !c.free && !c.analysis.offers.some(({ price }) => price));
  if (hidden.length === 0) return [];
  return [
    {
      title: `${hidden.length} of ${competitors.length} show no price`,
      text: `${names(hidden)} ${hidden.length > 1 ? "leave" : "leaves"} the visitor to ask. Open prices win those who compare before they talk to anyone.`,
      sites: ids(hidden),
      isAbsence: true,
      about: isOffer,
    },
  ];
}

function audienceGaps({ competitors }: Market): Drawn[] {
  const speaking = competitors.filter((c) => c.analysis.audience.length > 0);
  if (speaking.length < ENOUGH) return [];
  const missing = ALL_AUDIENCES.filter((name) => !speaking.some((c) => audiencesOf(c.analysis).includes(name)));
  if (missing.length === 0) return [];
  return [
    {
      title: `Not addressed: ${missing.slice(0, 3).join(", ")}`,
      text: `${speaking.length} sites say whom they are for; none of them speaks to ${missing.slice(0, 3).join(", or to ")}.`,
      sites: ids(speaking),
      isAbsence: true,
      about: ({ field }) => field === "audience",
    },
  ];
}

function proofGap({ competitors }: Market): Drawn[] {
  const without = competitors.filter((c) => c.analysis.proof.length === 0);
  if (without.length / competitors.length < 0.4) return [];
  return [
    {
      title: "Claims without proof",
      text: `${names(without)} (${without.length} of ${competitors.length}) ${without.length > 1 ? "show" : "shows"} no testimonial, customer, figure, rating or guarantee. Named customers and measured results would set an entrant apart at once.`,
      sites: ids(without),
      isAbsence: true,
    },
  ];
}

function themeGaps({ competitors }: Market): Drawn[] {
  const unused = ALL_THEMES.filter((theme) => !competitors.some((c) => c.themes.includes(theme)));
  if (unused.length === 0 || unused.length === ALL_THEMES.length) return [];
  return [
    {
      title: `Nobody leads with ${unused.slice(0, 3).join(", ")}`,
      text: `Of ${ALL_THEMES.length} themes looked for in main claims, features, proof and calls to action, none touches ${unused.join(", ")}. Whether buyers care is to be asked; whoever says it first owns it.`,
      sites: ids(competitors),
      isAbsence: true,
    },
  ];
}

/** What nearly all say or do. */
export function saturatedOf(market: Market): Insight[] {
  const { competitors } = market;
  if (competitors.length < ENOUGH) return [];
  const share = (of: readonly Competitor[]) => of.length / competitors.length;
  const habits = [
    ...ALL_THEMES.map((theme) => ({
      what: `claim ${theme}`,
      of: competitors.filter((c) => c.themes.includes(theme)),
      about: ({ value, details }: NumberedClaim) => isAbout(theme, `${value}\n${details["features"] ?? ""}`),
    })),
    ...[...new Set(competitors.flatMap((c) => c.calls))].map((call) => ({
      what: `ask visitors to ${call}`,
      of: competitors.filter((c) => c.calls.includes(call)),
      about: ({ field, value }: NumberedClaim) => field === "callsToAction" && isCall(call, value),
    })),
    { what: "have a free offer", of: competitors.filter((c) => c.free), about: isFree },
  ];
  return habits
    .filter(({ of }) => share(of) >= NEARLY_ALL)
    .sort((a, b) => b.of.length - a.of.length)
    .slice(0, 5)
    .map(({ what, of, about }) =>
      grounded(market, {
        title: `${of.length} of ${competitors.length} ${what}`,
        text: `${names(of, 6)} all ${what}: expected by now, and no reason to choose one of them.`,
        sites: ids(of),
        about,
      }),
    );
}

/** Which sites differ from the others, and in what. */
export function standoutsOf(market: Market): Insight[] {
  const { competitors, currency } = market;
  if (competitors.length < 2) return [];
  const found: Drawn[] = [];
  const [group, apart] = entryGroups(competitors);
  const cheapest = group?.sites[0];
  const dearest = group?.sites.at(-1);
  if (group && cheapest && dearest && dearest.entryMonthly > cheapest.entryMonthly) {
    const kind = group.per ? `price per ${group.per}` : "flat price";
    found.push(
      {
        title: apart ? `${cheapest.label} has the lowest ${kind}` : `${cheapest.label} is the cheapest way in`,
        text: `Its paid offers start at ${money(cheapest.entryMonthly, currency)} a month, against a median of ${money(group.median, currency)} over ${group.sites.length} sites.`,
        sites: [cheapest.id],
        about: isEntry,
      },
      {
        title: apart ? `${dearest.label} has the highest ${kind}` : `${dearest.label} asks the most`,
        text: `Its paid offers start at ${money(dearest.entryMonthly, currency)} a month, ${(dearest.entryMonthly / cheapest.entryMonthly).toFixed(1)} times ${cheapest.label}’s${dearest.analysis.proof.length ? `, and it shows ${dearest.analysis.proof.length} pieces of proof for it` : ", and it shows no proof for it"}.`,
        sites: [dearest.id, cheapest.id],
        about: isEntry,
      },
    );
  }
  const top = (value: (c: Competitor) => number) => [...competitors].sort((a, b) => value(b) - value(a)).slice(0, 2);
  const [broadest, second] = top((c) => c.breadth);
  if (broadest && second && broadest.breadth > second.breadth)
    found.push({
      title: `${broadest.label} offers the most`,
      text: `Its offers name ${broadest.breadth} features; the next, ${second.label}, names ${second.breadth}.`,
      sites: [broadest.id, second.id],
      about: isOffer,
    });
  const proofs = (c: Competitor) => c.analysis.proof.length;
  const [proven, next] = top(proofs);
  if (proven && next && proofs(proven) > proofs(next))
    found.push({
      title: `${proven.label} proves the most`,
      text: `${proofs(proven)} pieces of proof (${[...new Set(proven.analysis.proof.map(({ kind }) => kind))].join(", ")}); the next, ${next.label}, shows ${proofs(next)}.`,
      sites: [proven.id, next.id],
      about: isProof,
    });
  if (competitors.length >= ENOUGH)
    for (const theme of ALL_THEMES) {
      const [only, ...others] = competitors.filter((c) => c.themes.includes(theme));
      if (only && others.length === 0 && found.length < 8)
        found.push({
          title: `Only ${only.label} leads with ${theme}`,
          text: `None of the other ${competitors.length - 1} sites speaks of it in its main claim, features, proof or calls to action.`,
          sites: [only.id],
          isAbsence: true,
          about: ({ value, details }) => isAbout(theme, `${value}\n${details["features"] ?? ""}`),
        });
    }
  return found.map((one) => grounded(market, one));
}
