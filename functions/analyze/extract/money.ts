/** An amount of money in a text. `index` and `text`: where it stands, and how. */
export interface Money {
  readonly amount: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly index: number;
  readonly text: string;
}

/** What currency signs mean that several currencies share. */
export interface SharedSigns {
  readonly $: string;
  readonly kr: string;
  readonly "¥": string;
}
export const USUAL_SIGNS: SharedSigns = { $: "USD", kr: "SEK", "¥": "JPY" };

/** Longer signs first: "US$" is not "$". */
const SIGNS: readonly (readonly [sign: string, currency: string])[] = [
  ["US$", "USD"],
  ["CA$", "CAD"],
  ["C$", "CAD"],
  ["AU$", "AUD"],
  ["A$", "AUD"],
  ["NZ$", "NZD"],
  ["HK$", "HKD"],
  ["NT$", "TWD"],
  ["MX$", "MXN"],
  ["S$", "SGD"],
  ["R$", "BRL"],
  ["$", "$"],
  ["€", "EUR"],
  ["£", "GBP"],
  ["¥", "¥"],
  ["円", "JPY"],
  ["元", "CNY"],
  ["₹", "INR"],
  ["₩", "KRW"],
  ["₺", "TRY"],
  ["₴", "UAH"],
  ["₪", "ILS"],
  ["₫", "VND"],
  ["₱", "PHP"],
  ["฿", "THB"],
  ["₦", "NGN"],
  ["₽", "RUB"],
  ["ریال", "IRR"],
  ["﷼", "IRR"],
  ["د.إ", "AED"],
  ["ر.س", "SAR"],
  ["zł", "PLN"],
  ["Kč", "CZK"],
  ["kr.", "kr"],
  ["kr", "kr"],
  ["SFr.", "CHF"],
  ["Fr.", "CHF"],
  ["Ft", "HUF"],
  ["lei", "RON"],
  ["Rs.", "INR"],
  ["Rs", "INR"],
  ["￥", "¥"],
  ["руб.", "RUB"],
  ["руб", "RUB"],
  ["грн", "UAH"],
  ["FCFA", "XOF"],
  ["Ksh", "KES"],
  ["Rp", "IDR"],
  ["RM", "MYR"],
  ["৳", "BDT"],
  ["₵", "GHS"],
  ["₸", "KZT"],
  ["TL", "TRY"],
  ["Euro", "EUR"],
  ["euros", "EUR"],
];
const CODES =
  "USD|EUR|GBP|CHF|CAD|AUD|NZD|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|RON|BRL|MXN|SGD|HKD|TWD|KRW|ZAR|TRY|ILS|THB|AED|SAR|IRR|RUB|EGP|CLP|COP|ARS|PHP|IDR|MYR|VND|UAH|KES|NGN|GHS|PKR|BDT|LKR|XOF|XAF|MAD|TND|QAR|KWD|BHD|OMR|PEN|BGN|RSD|ISK|GEL|KZT";

const signs = SIGNS.map(([sign]) => sign.replace(/[$.]/g, "\\$&")).join("|");
const CURRENCY = String.raw`(?:${signs}|(?:${CODES})(?!\p{L}))`;
const CENTS = String.raw`(?:[.,]\d{1,2})?`;
/** Before a sign a plain space may group digits ("1 200 €"); behind one it parts them from the next number ("$9 100 GB"). */
const AFTER_SIGN = String.raw`0[.,]\d{3,6}|[1-9]\d{0,2}(?:[.,'’\u00a0\u202f]\d{3})+${CENTS}|\d+${CENTS}`;
const BEFORE_SIGN = String.raw`0[.,]\d{3,6}|[1-9]\d{0,2}(?:[ .,'’\u00a0\u202f]\d{3})+${CENTS}|\d+${CENTS}`;
/** How Swiss and German prices write zero cents. */
const DASH = "(?:[.,][–—-])?";
/** "$2.5B", "$10k" and "$4 billion" are no prices. */
const NOT_MORE = String.raw`(?!\d|[.,]\d|%|[kKmMbB](?!\p{L})|[ \u00a0]?(?:million|billion|thousand|bn|mio|mrd|mill)(?!\p{L}))`;
const MONEY = new RegExp(
  [
    String.raw`(?<!\p{L})(?<before>${CURRENCY})[ \u00a0]?(?<first>${AFTER_SIGN})${NOT_MORE}${DASH}(?:[ \u00a0]?(?<code>${CODES})(?!\p{L}))?`,
    // "2022 $32": the sign belongs to what it stands at.
    String.raw`(?<![\w.,])(?<second>${BEFORE_SIGN})${DASH}[ \u00a0]?(?<after>${CURRENCY})(?![\p{L}\d])`,
  ].join("|"),
  "gu",
);

/** Every price in a text. */
export function findMoney(text: string, shared: SharedSigns = USUAL_SIGNS): Money[] {
  return [...text.matchAll(MONEY)].flatMap((match) => {
    const { before, first, second, after, code } = match.groups ?? {};
    const sign = code ?? before ?? after ?? "";
    const known = SIGNS.find(([one]) => one === sign)?.[1] ?? sign;
    const currency = known === "$" || known === "kr" || known === "¥" ? shared[known] : known;
    const amount = parseAmount(first ?? second ?? "");
    return Number.isFinite(amount) ? [{ amount, currency, index: match.index, text: match[0] }] : [];
  });
}

/** An amount of a page that names no currency: a number whose period follows. */
const BARE =
  /(?<![\w.,-])(?<amount>\d{1,3}(?:,\d{3})+|\d{1,6}(?:[.,]\d{1,2})?)(?=\s*(?:(?:\/|per|a)\s*(?:mo|mon|month|yr|year|annum|week|monat|jahr|mois|mes)(?!\p{L})|monthly|yearly))/giu;
/** Characters of a price tag. */
const MAX_BARE = 40;

export function findBare(text: string): Money[] {
  if (text.length > MAX_BARE) return [];
  return [...text.matchAll(BARE)].slice(0, 1).map((match) => ({
    amount: parseAmount(match.groups?.["amount"] ?? ""),
    currency: "XXX",
    index: match.index,
    text: match[0],
  }));
}

/** "1,299" and "1.299" are thousands, "0.029", "29,90" and "29.90" are not: the last mark with one or two digits behind it is the decimal one. */
export function parseAmount(text: string): number {
  const decimal = /^0[.,](\d+)$/.exec(text) ?? /[.,](\d{1,2})$/.exec(text);
  const whole = (decimal ? text.slice(0, decimal.index) : text).replace(/\D/g, "");
  return Number(`${whole}.${decimal?.[1] ?? "0"}`);
}
