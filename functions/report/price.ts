import type { Price } from "../../pipelines/market-analysis/analysis.ts";
import { money } from "../../pipelines/market-analysis/price.ts";

/** Periods in a month. Prices by the hour and one-off prices have no price for a month. */
const PER_MONTH: Readonly<Partial<Record<Price["period"], number>>> = {
  month: 1,
  year: 1 / 12,
  week: 52 / 12,
  day: 365 / 12,
};

/** The price for one month, rounded to cents; null where prices do not compare: another currency (the report assumes no exchange rate), by the hour, one-off. */
export function monthly(price: Price, currency: string): number | null {
  if (price.amount === 0) return 0;
  const factor = PER_MONTH[price.period];
  if (price.currency !== currency || factor === undefined) return null;
  return Math.round(price.amount * factor * 100) / 100;
}

/** "$5 / user": an amount with what it counts, for tables and charts. */
export function moneyPer(amount: number, currency: string, per: string | undefined): string {
  return `${money(amount, currency)}${per && amount > 0 ? ` / ${per}` : ""}`;
}

/** The currency most prices are in; of two equally frequent ones the first by name. Empty without prices. */
export function mainCurrency(prices: readonly Price[]): string {
  const counts = new Map<string, number>();
  for (const { amount, currency } of prices) if (amount > 0) counts.set(currency, (counts.get(currency) ?? 0) + 1);
  const ranked = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return ranked[0]?.[0] ?? prices[0]?.currency ?? "";
}

export function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 ? upper : Math.round((((sorted[middle - 1] ?? 0) + upper) / 2) * 100) / 100;
}
