import type { Summary } from "../../engine/summary.ts";
import type { Analysis } from "../../pipelines/market-analysis/analysis.ts";
import type { Capture } from "../../pipelines/market-analysis/capture.ts";
import { type Claim, type ClaimField, claimsOf, statementOf } from "../../pipelines/market-analysis/claims.ts";
import { describePrice } from "../../pipelines/market-analysis/price.ts";
import { fact, pictureOf } from "../../pipelines/market-analysis/summary.ts";

/** Labels of the groups of claims that a reviewer sees. */
const GROUPS = {
  offers: "Offers",
  callsToAction: "Calls to action",
  audience: "Audience",
  proof: "Proof",
} as const satisfies Partial<Record<ClaimField, string>>;

/**
 * What a reviewer sees of a page. Positioning, prices and first call to action stand once in each summary, found or not: they are the
 * columns by which the reviewer compares the sites.
 */
export function summaryOf(analysis: Analysis, capture: Capture): Summary {
  const { name, site, page, callsToAction, caveats } = analysis;
  const claims = claimsOf(analysis);
  const factOf = (label: string, claim: Claim) =>
    fact(label, statementOf(claim), { id: claim.id, quote: claim.evidence.text, url: claim.target });
  const positioning = claims.find(({ field }) => field === "positioning");
  return {
    title: name,
    subtitle: page?.url ?? site,
    facts: [
      positioning ? factOf("Positioning", positioning) : fact("Positioning", "none"),
      fact("Prices", priceRange(analysis)),
      fact("First call to action", callsToAction[0]?.text ?? "none"),
      ...Object.entries(GROUPS).flatMap(([field, label]) =>
        claims.filter((claim) => claim.field === field).map((claim) => factOf(label, claim)),
      ),
    ],
    pictures: [pictureOf(capture)],
    caveats: [...caveats, ...capture.truncated, ...(capture.discovery?.caveats ?? [])],
  };
}

function priceRange({ offers }: Analysis): string {
  const prices = offers.flatMap(({ price }) => (price ? [price] : [])).toSorted((a, b) => a.amount - b.amount);
  const [cheapest, dearest] = [prices[0], prices.at(-1)];
  if (!cheapest || !dearest) return "none named";
  return cheapest === dearest ? describePrice(cheapest) : `${describePrice(cheapest)} to ${describePrice(dearest)}`;
}

/** One line for people, at most 256 characters. */
export function describe({ name, offers, callsToAction, caveats }: Analysis): string {
  const priced = offers.filter(({ price }) => price !== null).length;
  const parts = [`${name}: ${offers.length} offers, ${priced} priced`, `${callsToAction.length} calls to action`];
  if (caveats.length > 0) parts.push(`${caveats.length} caveats`);
  return parts.join(", ").slice(0, 256).toWellFormed();
}
