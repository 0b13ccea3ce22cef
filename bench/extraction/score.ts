import type { Analysis } from "../../pipelines/market-analysis/analysis.ts";
import type { PageTruth } from "./corpus/page.ts";
import { fold, isSaidBy, isSame } from "./match.ts";

/** What is scored by itself. A price is right with its offer's name, amount, currency and period; "in full" with unit and "from", too. */
export const CLASSES = [
  "plan names",
  "prices",
  "prices in full",
  "list prices",
  "other prices",
  "calls to action",
  "primary calls to action",
  "positioning",
  "audience",
  "proof",
] as const;
export type Class = (typeof CLASSES)[number];

/** Of one class on one page, in words. */
export interface Comparison {
  readonly right: readonly string[];
  /** There, and not found. */
  readonly missing: readonly string[];
  /** Found, and not there. */
  readonly wrong: readonly string[];
}

/** How many were found rightly, found in all, and there in truth. */
export interface Count {
  readonly right: number;
  readonly found: number;
  readonly there: number;
}

/** `analysis` undefined: the page could not be read, so that all of it is missing. */
export function score(truth: PageTruth, analysis: Analysis | undefined): Record<Class, Comparison> {
  const offers = analysis?.offers ?? [];
  const actions = analysis?.callsToAction ?? [];
  return {
    "plan names": compare(
      truth.offers.map(({ name }) => name),
      offers.map(({ name }) => name),
      isSame,
    ),
    prices: compare(truth.offers.flatMap(priceOf), offers.flatMap(priceOf)),
    "prices in full": compare(truth.offers.flatMap(fullPriceOf), offers.flatMap(fullPriceOf)),
    "list prices": compare(
      truth.offers.flatMap(({ name, listPrice }) => (listPrice === undefined ? [] : [listPriceKey(name, listPrice)])),
      offers.flatMap(({ name, listPrice }) => (listPrice === undefined ? [] : [listPriceKey(name, listPrice.amount)])),
    ),
    "other prices": compare(
      truth.offers.flatMap(({ name, otherPrices = [] }) => otherPrices.map((price) => priceKey(name, price))),
      offers.flatMap(({ name, alternatives = [] }) => alternatives.map((price) => priceKey(name, price))),
    ),
    "calls to action": compareActions(truth.callsToAction, actions),
    "primary calls to action": compareActions(
      truth.callsToAction.filter(({ primary }) => primary),
      actions.filter(({ prominence }) => prominence === "primary"),
    ),
    positioning: comparePositioning(truth.positioning, analysis?.positioning?.value),
    audience: compare(
      truth.audience,
      (analysis?.audience ?? []).map(({ value }) => value),
      isSaidBy,
    ),
    proof: compare(truth.proof.map(sayProof), (analysis?.proof ?? []).map(sayProof), isSameProof),
  };
}

export function countOf({ right, missing, wrong }: Comparison): Count {
  return { right: right.length, found: right.length + wrong.length, there: right.length + missing.length };
}

export function add(a: Count, b: Count): Count {
  return { right: a.right + b.right, found: a.found + b.found, there: a.there + b.there };
}

type Offer = PageTruth["offers"][number] | Analysis["offers"][number];
type Price = NonNullable<Offer["price"]>;

function priceOf({ name, price }: Offer): string[] {
  return price === null ? [] : [priceKey(name, price)];
}

function fullPriceOf({ name, price }: Offer): string[] {
  if (price === null) return [];
  return [`${priceKey(name, price)}${price.per ? ` per ${fold(price.per)}` : ""}${price.from ? ", from" : ""}`];
}

function priceKey(name: string, { amount, currency, period }: Price): string {
  return `${fold(name)}: ${amount} ${currency} ${period}`;
}

function listPriceKey(name: string, amount: number): string {
  return `${fold(name)}: ${amount}`;
}

/** Each text once, however often it stands there. */
function compareActions(there: readonly { text: string }[], found: readonly { text: string }[]): Comparison {
  const texts = (all: readonly { text: string }[]) => [...new Map(all.map(({ text }) => [fold(text), text])).values()];
  return compare(texts(there), texts(found), isSame);
}

function comparePositioning(there: readonly string[], found: string | undefined): Comparison {
  if (found === undefined) return { right: [], missing: there.slice(0, 1), wrong: [] };
  if (there.some((one) => isSaidBy(one, found))) return { right: [found], missing: [], wrong: [] };
  return { right: [], missing: there.slice(0, 1), wrong: [found] };
}

function sayProof({ kind, ...said }: { kind: string } & ({ text: string } | { value: string })): string {
  return `${kind}: ${"text" in said ? said.text : said.value}`;
}

function isSameProof(truth: string, found: string): boolean {
  const [kind, text] = splitProof(truth);
  const [foundKind, foundText] = splitProof(found);
  return kind === foundKind && isSaidBy(text, foundText);
}

function splitProof(said: string): [string, string] {
  const at = said.indexOf(": ");
  return [said.slice(0, at), said.slice(at + 2)];
}

/** As bags: what is found twice is right once. */
function compare(
  there: readonly string[],
  found: readonly string[],
  isMatch: (truth: string, found: string) => boolean = (a, b) => a === b,
): Comparison {
  const missing = [...there];
  const right: string[] = [];
  const wrong: string[] = [];
  for (const one of found) {
    const at = missing.findIndex((truth) => isMatch(truth, one));
    if (at < 0) wrong.push(one);
    else {
      missing.splice(at, 1);
      right.push(one);
    }
  }
  return { right, missing, wrong };
}
