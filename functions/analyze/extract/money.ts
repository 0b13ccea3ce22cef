/** An amount of money as a text says it. `index` and `text` are where and how it stands there. */
export interface Money {
  readonly amount: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly index: number;
  readonly text: string;
}

/** Longer signs first: "US$" is not "$". A bare dollar sign is taken for the US dollar. */
const SIGNS: readonly (readonly [sign: string, currency: string])[] = [
  ["US$", "USD"],
  ["CA$", "CAD"],
  ["C$", "CAD"],
  ["AU$", "AUD"],
  ["A$", "AUD"],
  ["NZ$", "NZD"],
  ["HK$", "HKD"],
  ["R$", "BRL"],
  ["$", "USD"],
  ["€", "EUR"],
  ["£", "GBP"],
  ["¥", "JPY"],
  ["₹", "INR"],
  ["₩", "KRW"],
  ["zł", "PLN"],
  ["Kč", "CZK"],
];
const CODES = "USD|EUR|GBP|CHF|CAD|AUD|NZD|JPY|INR|SEK|NOK|DKK|PLN|CZK|BRL|SGD";

const escaped = SIGNS.map(([sign]) => sign.replace(/[$]/g, "\\$&")).join("|");
/** Digits with any grouping; a trailing `.–` or `,-` is how Swiss and German prices write no cents. */
const NUMBER = String.raw`\d{1,3}(?:[ ,.'’\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?`;
const MONEY = new RegExp(
  String.raw`(?:(?<before>${escaped}|\b(?:${CODES}))[ \u00a0]?(?<first>${NUMBER})(?![\d%])(?:[.,][–-])?|(?<![\w.,])(?<second>${NUMBER})(?:[.,][–-])?[ \u00a0]?(?<after>${escaped}|(?:${CODES})\b))`,
  "gu",
);

/** Every price in a text. */
export function findMoney(text: string): Money[] {
  return [...text.matchAll(MONEY)].flatMap((match) => {
    const { before, first, second, after } = match.groups ?? {};
    const sign = before ?? after ?? "";
    const currency = SIGNS.find(([known]) => known === sign)?.[1] ?? sign;
    const amount = parseAmount(first ?? second ?? "");
    return Number.isFinite(amount) && currency ? [{ amount, currency, index: match.index, text: match[0] }] : [];
  });
}

/** "1,299" and "1.299" are thousands, "29,90" and "29.90" are not: the last mark with one or two digits behind it is the decimal one. */
export function parseAmount(text: string): number {
  const decimal = /[.,](\d{1,2})$/.exec(text);
  const whole = (decimal ? text.slice(0, decimal.index) : text).replace(/\D/g, "");
  return Number(`${whole}.${decimal?.[1] ?? "0"}`);
}
