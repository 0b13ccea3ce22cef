import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import type { PageState } from "../../../pipelines/market-analysis/capture.ts";
import type { Cite } from "./evidence.ts";
import type { SharedSigns } from "./money.ts";
import { findOffers } from "./offers.ts";
import type { statesIn } from "./other-states.ts";
import { visibleDocument } from "./visible.ts";

type Offer = Analysis["offers"][number];

/** Of all states of a page. */
const MAX_OFFERS = 30;

/**
 * Offers that a page shows only in another state: the plans behind a tab "For teams". `known`, in the state in which it opens, count once,
 * whatever they cost elsewhere (withOtherPrices); and what such a state shows as it was is nothing new.
 * @param told what each state says that the page did not say before
 */
export function offersOfStates(
  states: readonly PageState[],
  known: readonly Offer[],
  { told, shared, site, cite }: Context,
): Offer[] {
  const seen = new Set(known.map(({ name }) => name.toLowerCase()));
  const found: Offer[] = [];
  for (const { label, html } of states) {
    const words = told
      .filter((state) => state.label === label)
      .flatMap(({ lines }) => lines)
      .join("\n")
      .toLowerCase();
    // The picture shows the page before it was pressed: nothing there is where these stand.
    const citeHere: Cite = (text) => ({ ...cite(text), pressed: label });
    for (const offer of findOffers(visibleDocument(html), shared, site, citeHere)) {
      const name = offer.name.toLowerCase();
      if (seen.has(name) || !words.includes(name)) continue;
      seen.add(name);
      found.push(offer);
    }
  }
  return found.slice(0, MAX_OFFERS);
}

interface Context {
  readonly told: ReturnType<typeof statesIn>;
  readonly shared: SharedSigns;
  /** The page's name, for an offer without one. */
  readonly site: string;
  readonly cite: Cite;
}
