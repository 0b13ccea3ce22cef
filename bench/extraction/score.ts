import type { Truth } from "../../examples/truth.ts";
import type { Analysis } from "../../pipelines/market-analysis/analysis.ts";

/** How many were found rightly, found in all, and there in truth. */
export interface Count {
  readonly right: number;
  readonly found: number;
  readonly there: number;
}
export type Kind = "prices" | "offers" | "calls to action";

/** One site's findings against what a person read. An offer is right with its name, a price only with amount, currency, period, unit and "from". */
export function score(truth: Truth, analysis: Analysis): Record<Kind, Count> {
  return {
    prices: compare(truth.offers.flatMap(priceKey), analysis.offers.flatMap(priceKey)),
    offers: compare(
      truth.offers.map(({ name }) => fold(name)),
      analysis.offers.map(({ name }) => fold(name)),
    ),
    "calls to action": compare(
      truth.callsToAction.map(fold),
      analysis.callsToAction.map(({ text }) => fold(text)),
    ),
  };
}

export function add(a: Count, b: Count): Count {
  return { right: a.right + b.right, found: a.found + b.found, there: a.there + b.there };
}

function priceKey({ name, price }: Truth["offers"][number] | Analysis["offers"][number]): string[] {
  if (price === null) return [];
  const { amount, currency, period, per, from } = price;
  return [JSON.stringify([fold(name), amount, currency, period, per ?? null, from])];
}

/** As bags: what is found twice is right once. */
function compare(there: readonly string[], found: readonly string[]): Count {
  const left = [...there];
  let right = 0;
  for (const one of found) {
    const at = left.indexOf(one);
    if (at < 0) continue;
    left.splice(at, 1);
    right++;
  }
  return { right, found: found.length, there: there.length };
}

function fold(text: string): string {
  return text.toLowerCase().replace(/\s+/g, " ").trim();
}
