import type { Usage } from "../../engine/result.ts";
import { type Analysis, analysisSchema, type Evidence } from "../../pipelines/market-analysis/analysis.ts";
import { citing, type EvidenceSource, quotesOf } from "./extract/evidence.ts";
import type { Box } from "./extract/marks.ts";
import { findMoney } from "./extract/money.ts";
import { PICTURED } from "./extract/pictured.ts";
import { visibleDocument } from "./extract/visible.ts";
import type { ModelAnalysis } from "./question.ts";

/** Of each kind. The instructions ask for six. */
const MAX_EACH = 12;

export interface AnswerSource {
  /** The page's own text. */
  readonly text: string;
  /** Its rendered DOM, for where a quote stands on its picture. */
  readonly html: string;
  readonly source: EvidenceSource;
  /** The part of the full page's picture that the model was shown because no text says a price. */
  readonly pictured?: Box | undefined;
  /** The model that answered. */
  readonly model: string;
  readonly usage: Usage;
}

export interface Merged {
  readonly analysis: Analysis;
  /** Of the model's claims that were looked up on the page. */
  readonly claims: { readonly made: number; readonly dropped: number };
}

/**
 * Puts a model's answer over what the rules extracted. Drops a claim whose quote is not on the page or does not contain it, and a price
 * whose amount is not in its quote, and counts them in a caveat. Where it drops everything of a kind, what the rules extracted stays.
 * Nothing looks up what a picture shows: such an offer says so, beside the picture.
 */
export function merge(
  extracted: Analysis,
  answer: ModelAnalysis,
  { text, html, source, pictured, model, usage }: AnswerSource,
): Merged {
  const page = squash(text);
  const cite = citing(source);
  const find = quotesOf(visibleDocument(html));
  let [made, dropped] = [0, 0];
  const isOnPage = (quote: string): boolean => contains(page, quote);
  const onPage = <T extends { quote: string }>(claims: readonly T[], holds: (claim: T) => boolean = () => true): T[] =>
    claims.slice(0, MAX_EACH).filter((claim) => {
      const found = isOnPage(claim.quote) && holds(claim);
      made++;
      if (!found) dropped++;
      return found;
    });
  const evidence = (quote: string): Evidence => cite(quote, find(quote));
  const orElse = <T>(found: T[], fallback: T[]): T[] => (found.length > 0 ? found : fallback);
  const claimsOf = (claims: readonly { value: string; quote: string }[]) =>
    onPage(claims, ({ value, quote }) => contains(quote, value)).map(({ value, quote }) => ({
      value,
      evidence: evidence(quote),
    }));

  const offersIn = (offers: readonly ModelOffer[], citedAs: (quote: string) => Evidence) =>
    offers.map((offer) => {
      const { pressed } = extracted.offers.find(({ name }) => squash(name) === squash(offer.name))?.evidence ?? {};
      return {
        name: offer.name,
        ...pricesOf(offer, extracted),
        features: offer.features.filter(isOnPage),
        evidence: { ...citedAs(offer.quote), ...(pressed === undefined ? {} : { pressed }) },
      };
    });
  const drawn = pictured && source.fullPage ? answer.offers.slice(0, MAX_EACH).filter(isDrawn(isOnPage)) : [];
  const drawnEvidence = (quote: string): Evidence => ({
    ...cite(quote),
    ...(pictured && source.fullPage ? { crop: { image: source.fullPage.image, box: pictured } } : {}),
    source: "picture",
  });

  const [positioning] = claimsOf(answer.positioning ? [answer.positioning] : []);
  const merged: Analysis = {
    ...extracted,
    analyst: { kind: "model", model },
    usage,
    positioning: positioning ?? extracted.positioning,
    audience: orElse(claimsOf(answer.audience), extracted.audience),
    offers: orElse(
      [
        ...offersIn(
          onPage(
            answer.offers.filter((offer) => !drawn.includes(offer)),
            (offer) => isOnPage(offer.name) && isQuoted(offer),
          ),
          evidence,
        ),
        ...offersIn(drawn, drawnEvidence),
      ],
      extracted.offers,
    ),
    callsToAction: orElse<Analysis["callsToAction"][number]>(
      onPage(answer.callsToAction, ({ value, quote }) => contains(quote, value)).map(({ value, quote }) => ({
        text: value,
        ...drawnAs(extracted, value),
        evidence: evidence(quote),
      })),
      extracted.callsToAction,
    ),
    proof: orElse(
      onPage(answer.proof, ({ value, quote }) => contains(quote, value)).map(({ kind, value, quote }) => ({
        kind,
        value,
        evidence: evidence(quote),
      })),
      extracted.proof,
    ),
    design: {
      ...extracted.design,
      layout: orElse(
        answer.layout
          .map((word) => word.trim())
          .filter((word) => LAYOUT_WORD.test(word))
          .slice(0, MAX_EACH),
        extracted.design.layout,
      ),
    },
  };
  if (drawn.length > 0)
    merged.caveats = [
      ...extracted.caveats.filter((caveat) => caveat !== PICTURED),
      `${drawn.length} ${drawn.length === 1 ? "offer was" : "offers were"} read from a picture by the model: no text of the page says ${drawn.length === 1 ? "it" : "them"}`,
    ];
  if (dropped > 0)
    merged.caveats = [
      ...merged.caveats,
      `${dropped} ${dropped === 1 ? "claim" : "claims"} of the model ${dropped === 1 ? "was" : "were"} dropped: the page does not say ${dropped === 1 ? "it" : "them"}`,
    ];
  return { analysis: analysisSchema.parse(merged), claims: { made, dropped } };
}

type ModelOffer = ModelAnalysis["offers"][number];

function priceOf({ amount, currency, period, per, from }: ModelOffer): Analysis["offers"][number]["price"] {
  if (amount === null || currency === null) return null;
  return { amount, currency, period: period ?? "once", ...(per ? { per } : {}), from };
}

/** Whether an offer can only be from the picture: its quote names it and its price, and is nowhere in the text. */
function isDrawn(isOnPage: (quote: string) => boolean): (offer: ModelOffer) => boolean {
  return (offer) =>
    offer.amount !== null &&
    isQuoted(offer) &&
    !isOnPage(offer.quote) &&
    (contains(offer.quote, offer.name) || isOnPage(offer.name));
}

/** Whether the quote gives the amount. A free offer may say so in words. */
function isQuoted({ amount, currency, quote }: ModelOffer): boolean {
  if (amount === null || currency === null) return amount === currency;
  if (amount < 0 || !/^[A-Z]{3}$/.test(currency)) return false;
  return findMoney(quote).some((money) => money.amount === amount) || (amount === 0 && FREE.test(quote));
}

type Prices = Pick<Analysis["offers"][number], "price" | "alternatives" | "listPrice" | "trialDays">;

/** The model says one price of an offer; where the rules read the same one, they say what else it costs. */
function pricesOf(offer: ModelOffer, { offers }: Analysis): Prices {
  const price = priceOf(offer);
  const same = offers.find(
    (one) =>
      squash(one.name) === squash(offer.name) &&
      one.price?.amount === price?.amount &&
      one.price?.currency === price?.currency,
  );
  if (!same) return { price };
  const { alternatives, listPrice, trialDays } = same;
  const billed = same.price?.period === price?.period ? same.price?.billed : undefined;
  return {
    price: price && { ...price, ...(billed ? { billed } : {}) },
    ...(alternatives ? { alternatives } : {}),
    ...(listPrice ? { listPrice } : {}),
    ...(trialDays ? { trialDays } : {}),
  };
}

/** The model does not see where a button leads, nor how it is drawn; the capture says it. */
function drawnAs({ callsToAction }: Analysis, text: string): Partial<Analysis["callsToAction"][number]> {
  const { target, prominence, place } = callsToAction.find((action) => squash(action.text) === squash(text)) ?? {};
  return { ...(target ? { target } : {}), ...(prominence ? { prominence } : {}), ...(place ? { place } : {}) };
}

/** A zero price in words. */
const FREE = /(?<!\p{L})(?:free|kostenlos|kostenfrei|gratis|gratuite?|gratuito|grátis)(?!\p{L})/iu;
/** What a picture shows cannot be looked up: short words, and no address or sentence. */
const LAYOUT_WORD = /^[\p{L}\p{N}]+(?:[ -][\p{L}\p{N}]+){0,3}$/u;
/** Shorter text stands on any page. */
const MIN_QUOTE = 2;

/** Whole words of `text`, beyond which the quote does not go. */
function contains(text: string, quote: string): boolean {
  const [whole, part] = [squash(text), squash(quote)];
  if (part.length < MIN_QUOTE) return false;
  for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + 1))
    if (!isLetter(whole[at - 1], part[0]) && !isLetter(part.at(-1), whole[at + part.length])) return true;
  return false;
}

/** A word goes on from one character to the next. */
function isLetter(one: string | undefined, next: string | undefined): boolean {
  return /^[\p{L}\p{N}]{2}$/u.test(`${one ?? " "}${next ?? " "}`);
}

/** For comparison: quotes differ from the page in white space, case and quotation marks. */
function squash(text: string): string {
  return text
    .toLowerCase()
    .replace(/[\u2018\u2019\u201c\u201d"']/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
