import type { Analysis, Price } from "../../../pipelines/market-analysis/analysis.ts";
import { findMoney, type Money, type SharedSigns } from "./money.ts";
import { readTerms } from "./terms.ts";
import { CROSSED_OUT, type PageElement, textOf } from "./visible.ts";

type Offer = Analysis["offers"][number];

const REGULAR =
  /(?<!\p{L})(?:was|were|instead of|regular(?:ly)?(?: price)?|normally|list price|rrp|msrp|uvp|originally|statt|vorher|bisher|au lieu de|antes|invece di)[\s:]*$/iu;
const MAX_TRIAL_DAYS = 365;
const TRIAL =
  /(?<!\p{L})(?<days>\d{1,3})[\s-]*(?:days?|tage?|jours?|días|giorni|dias|dagen|dagars?)(?!\p{L})[\s-]*(?:lang\s+)?(?:(?:free|kostenlos(?:e[nrs]?)?|gratis|no[- ]risk|d['’])[\s-]*)?(?:trial|testen|test(?:phase|version|zeitraum)?|ausprobieren|essai|prueba|prova|proef\p{L}*)(?!\p{L})|(?:trial|free)(?: period)?(?: of| for)?\s+(?<behind>\d{1,3})[\s-]*days?(?!\p{L})(?! (?:money|guarantee))/iu;
/** Characters behind an amount that may say its terms. */
const REACH = 60;

/** What a card says beside its price: what it costs otherwise, and how long it may be tried. */
export function besidePrice(
  card: PageElement,
  price: Price | null,
  shared: SharedSigns,
): Pick<Offer, "listPrice" | "alternatives" | "trialDays"> {
  const text = textOf(card);
  const trialDays = trialIn(text);
  if (price === null) return trialDays ? { trialDays } : {};
  const amounts = findMoney(text, shared);
  const listPrice = regularPrice(card, text, amounts, price, shared);
  const alternatives = amounts.flatMap((money) => {
    const after = text.slice(money.index + money.text.length).slice(0, REACH);
    const { period, per } = readTerms(text.slice(Math.max(0, money.index - REACH), money.index), after);
    const other = { ...price, amount: money.amount, currency: money.currency, ...(per ? { per } : {}) };
    return isOtherPeriod(price.period, period) && saysOtherwise(text, money) && money.amount !== price.amount
      ? [withoutBilling({ ...other, period })]
      : [];
  });
  return {
    ...(listPrice ? { listPrice } : {}),
    ...(alternatives.length > 0 ? { alternatives: unique(alternatives) } : {}),
    ...(trialDays ? { trialDays } : {}),
  };
}

/** "or $90 per year": another way to pay, and not the sum of one way. */
function saysOtherwise(text: string, { index }: Money): boolean {
  return /(?<!\p{L})(?:or|oder|ou|o|of|bzw\.?|alternativ(?:ely)?)[\s:(]*(?:just |only |pay |nur )?$/iu.test(
    text.slice(Math.max(0, index - 20), index),
  );
}

export function isOtherPeriod(one: Price["period"], other: Price["period"] | undefined): other is "month" | "year" {
  return (one === "month" && other === "year") || (one === "year" && other === "month");
}

function withoutBilling({ billed: _, ...price }: Price): Price {
  return price;
}

export function unique(prices: readonly Price[]): Price[] {
  return [
    ...new Map(prices.map((price) => [JSON.stringify([price.amount, price.currency, price.period]), price])).values(),
  ];
}

/** Crossed out, or said to be the former one; more than what is paid now. */
function regularPrice(
  card: PageElement,
  text: string,
  amounts: readonly Money[],
  price: Price,
  shared: SharedSigns,
): Price | undefined {
  const crossed = [card, ...card.querySelectorAll(`[${CROSSED_OUT}]`)].flatMap((one) => {
    const written = one.getAttribute(CROSSED_OUT);
    if (written === null) return [];
    // The sign may stand apart from what is crossed out.
    const bare = /^\d[\d.,]*$/.test(written)
      ? [{ amount: Number(written.replace(/,/g, "")), currency: price.currency }]
      : [];
    return [...findMoney(written, shared), ...bare];
  });
  const said = amounts.filter(({ index }) => REGULAR.test(text.slice(Math.max(0, index - 30), index)));
  const regular = [...crossed, ...said].find(
    ({ amount, currency }) => amount > price.amount && currency === price.currency,
  );
  return regular && { ...withoutBilling(price), amount: regular.amount, from: false };
}

function trialIn(text: string): number | undefined {
  const { days, behind } = TRIAL.exec(text)?.groups ?? {};
  const count = Number(days ?? behind ?? 0);
  return count > 0 && count <= MAX_TRIAL_DAYS ? count : undefined;
}
