import type { Summary } from "../../engine/summary.ts";
import type { Analysis } from "../../pipelines/market-analysis/analysis.ts";
import type { Capture } from "../../pipelines/market-analysis/capture.ts";
import { describePrice } from "../../pipelines/market-analysis/price.ts";
import { fact, pictureOf } from "../../pipelines/market-analysis/summary.ts";

/**
 * What a reviewer sees of a site. Positioning, prices and first call to action stand once in each summary, found or not: they are the
 * columns by which the reviewer compares the sites.
 */
export function summaryOf(analysis: Analysis, capture: Capture): Summary {
  const { name, site, positioning, audience, offers, callsToAction, proof, caveats } = analysis;
  return {
    title: name,
    subtitle: site,
    facts: [
      fact("Positioning", positioning?.value ?? "none", positioning ? { quote: positioning.evidence.text } : {}),
      fact("Prices", priceRange(analysis)),
      fact("First call to action", callsToAction[0]?.text ?? "none"),
      ...offers.map((offer) =>
        fact("Offers", `${offer.name}: ${offer.price ? describePrice(offer.price) : "no price named"}`, {
          quote: offer.evidence.text,
        }),
      ),
      ...callsToAction.map(({ text, target, evidence }) =>
        fact("Calls to action", text, { quote: evidence.text, url: target }),
      ),
      ...audience.map(({ value, evidence }) => fact("Audience", value, { quote: evidence.text })),
      ...proof.map(({ value, evidence }) => fact("Proof", value, { quote: evidence.text })),
    ],
    pictures: [pictureOf(capture)],
    caveats: [...caveats, ...capture.truncated],
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
