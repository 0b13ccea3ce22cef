import type { Price } from "./analysis.ts";

/** By code, and by the symbol that a price is described with (price.ts): "$" is the US dollar, "CA$" the Canadian one. */
const CURRENCIES: ReadonlyMap<string, string> = new Map(
  Intl.supportedValuesOf("currency").flatMap((currency) => {
    const parts = new Intl.NumberFormat("en-US", { style: "currency", currency }).formatToParts(0);
    const symbol = parts.find(({ type }) => type === "currency")?.value ?? currency;
    return [
      [currency, currency],
      [symbol, currency],
    ];
  }),
);

const PERIODS: Readonly<Record<string, Price["period"]>> = {
  month: "month",
  mo: "month",
  year: "year",
  yr: "year",
  week: "week",
  day: "day",
  hour: "hour",
};

const PRICE =
  /^(?<from>from )?(?<before>[^\d\s.,]{0,4})\s?(?<amount>\d{1,9}|\d{1,3}(?:,\d{3}){1,2})(?<cents>\.\d{1,2})?(?:\s(?<after>[A-Z]{3}))?(?: per (?<per>[\p{L}-]{1,40}))??(?:(?:\s?\/\s?|,? (?:an?|per) )(?<period>month|mo|year|yr|week|day|hour)|(?<once> once))?$/iu;

/**
 * A price in the words in which a reviewer sees prices (describePrice), as they type it: "from $29 per user a month", "€9.50/mo", "free".
 * Undefined: these are no such words, and nobody guesses.
 */
export function parsePrice(words: string, found: Price | null): Price | undefined {
  const text = words.trim();
  if (/^free$/i.test(text))
    return { amount: 0, currency: found?.currency ?? "USD", period: found?.period ?? "month", from: false };
  const { from, before = "", amount = "", cents = "", after = "", per, period, once } = PRICE.exec(text)?.groups ?? {};
  const written = (before || after).toUpperCase();
  // Of a page that names no currency, a price is shown and corrected without one.
  const currency = written === "" && found?.currency === "XXX" ? "XXX" : CURRENCIES.get(written);
  if (!currency || (before !== "" && after !== "")) return undefined;
  const figure = { amount: Number(`${amount.replaceAll(",", "")}${cents}`), currency, from: from !== undefined };
  const unit = per === undefined ? {} : { per };
  if (once) return { ...figure, period: "once", ...unit };
  if (period) return { ...figure, period: PERIODS[period.toLowerCase()] ?? "month", ...unit };
  // Only the figure was corrected.
  return found && per === undefined ? { ...found, ...figure } : undefined;
}
