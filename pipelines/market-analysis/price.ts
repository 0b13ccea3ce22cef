import type { Price } from "./analysis.ts";

/** "$29", "$9.50", "€1,200": cents only where there are some. */
export function money(amount: number, currency: string): string {
  const digits = Number.isInteger(amount) ? 0 : 2;
  // The page names no currency.
  if (currency === "XXX") return amount.toFixed(digits);
  try {
    return new Intl.NumberFormat("en-US", {
      style: "currency",
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(amount);
  } catch {
    // Three letters that are no currency code.
    return `${amount} ${currency}`;
  }
}

const PERIOD: Readonly<Record<Price["period"], string>> = {
  month: " a month",
  year: " a year",
  week: " a week",
  day: " a day",
  hour: " an hour",
  once: " once",
};

/** The price as the page gives it, in words: "from $29 per user a month". */
export function describePrice(price: Price): string {
  if (price.amount === 0) return "free";
  const per = price.per ? ` per ${price.per}` : "";
  return `${price.from ? "from " : ""}${money(price.amount, price.currency)}${per}${PERIOD[price.period]}`;
}
