import type { MadeCorrection } from "../../engine/findings.ts";
import type { Analysis, Evidence } from "./analysis.ts";
import { type Claim, type ClaimField, claimsOf, statementOf } from "./claims.ts";
import { parsePrice } from "./parse-price.ts";

/** A page that was analyzed, and what a reviewer said of its facts. */
export interface ReviewedPage {
  readonly analysis: Analysis;
  readonly corrections: readonly MadeCorrection[];
}

/**
 * Pages as a reviewer left them, in their order. Who corrects a claim on one page of a site corrects it on all that say the same: nobody
 * should have to strike a price on five pages.
 */
export function correctedPages(pages: readonly ReviewedPage[]): Analysis[] {
  const bySite = Map.groupBy(pages, ({ analysis }) => analysis.site);
  return pages.map(({ analysis, corrections: own }) => {
    const said = new Set(own.map(({ fact }) => fact));
    const statements = new Map(claimsOf(analysis).map((claim) => [claim.id, statementOf(claim)]));
    const others = (bySite.get(analysis.site) ?? []).flatMap(({ corrections }) =>
      corrections.filter(({ fact, of }) => !said.has(fact) && statements.get(fact) === of),
    );
    return corrected(analysis, own, others);
  });
}

/**
 * An analysis as a reviewer left it: struck claims are gone, corrected ones say what the reviewer says, each with a caveat that names who.
 * `others`: of other pages, where the caveats stand.
 */
function corrected(analysis: Analysis, own: readonly MadeCorrection[], others: readonly MadeCorrection[]): Analysis {
  const corrections = [...own, ...others];
  if (corrections.length === 0) return analysis;
  const byFact = new Map(corrections.map((one) => [one.fact, one]));
  const counts = new Map<ClaimField, number>();
  const said = claimsOf(analysis).flatMap((claim) => {
    // The n-th claim of a field is its n-th entry.
    const place = counts.get(claim.field) ?? 0;
    counts.set(claim.field, place + 1);
    const correction = byFact.get(claim.id);
    return correction ? [{ claim, place, correction }] : [];
  });
  const entriesOf = <T extends { readonly evidence: Evidence }>(
    field: ClaimField,
    entries: readonly T[],
    withValue: (entry: T, value: string, claim: Claim) => T,
  ): T[] =>
    entries.flatMap((entry, at) => {
      const { claim, correction } = said.find(({ claim: one, place }) => one.field === field && place === at) ?? {};
      if (!claim || !correction || correction.action === "comment") return [entry];
      if (correction.action === "strike" || correction.value === undefined) return [];
      const changed = withValue(entry, correction.value, claim);
      return [{ ...changed, evidence: { ...entry.evidence, correctedBy: correction.by } }];
    });
  const stated = <T extends { readonly value: string; readonly evidence: Evidence }>(
    field: ClaimField,
    entries: readonly T[],
  ): T[] => entriesOf(field, entries, (entry, value) => ({ ...entry, value }));
  return {
    ...analysis,
    positioning: stated("positioning", analysis.positioning ? [analysis.positioning] : [])[0] ?? null,
    audience: stated("audience", analysis.audience),
    offers: entriesOf("offers", analysis.offers, (offer, value, { subject }) => ({
      ...offer,
      price: parsePrice(priceWords(value, subject), offer.price) ?? null,
    })),
    callsToAction: entriesOf("callsToAction", analysis.callsToAction, (call, text) => ({ ...call, text })),
    proof: stated("proof", analysis.proof),
    technology: stated("technology", analysis.technology),
    caveats: [
      ...analysis.caveats,
      ...said.flatMap(({ claim, correction }) => (own.includes(correction) ? [caveatOf(claim, correction)] : [])),
    ],
  };
}

/** A reviewer sees "Pro: $29 a month", and may type the name again or leave it out. */
function priceWords(value: string, offer: string): string {
  return value.startsWith(`${offer}:`) ? value.slice(offer.length + 1).trim() : value;
}

const NAMES: Readonly<Record<ClaimField, string>> = {
  positioning: "Positioning",
  audience: "Audience",
  offers: "Offer",
  callsToAction: "Call to action",
  proof: "Proof",
  technology: "Technology",
};

function caveatOf({ field, subject }: Claim, { action, value: to = "", of, comment, by }: MadeCorrection): string {
  const what = `${NAMES[field]} "${of}"`;
  const unread = field === "offers" && action === "correct" && parsePrice(priceWords(to, subject), null) === undefined;
  const done = {
    strike: `was struck by ${by}`,
    correct: `was corrected by ${by} to "${to}"${unread ? ", which is not compared as a price" : ""}`,
    comment: `was commented by ${by}`,
  }[action];
  return `${what} ${done}${comment === undefined ? "" : `: ${comment}`}`;
}
