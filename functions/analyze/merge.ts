import type { Usage } from "../../engine/result.ts";
import { type Analysis, analysisSchema } from "../../pipelines/market-analysis/analysis.ts";
import { findMoney } from "./extract/money.ts";
import type { ModelAnalysis } from "./question.ts";

/** Of each kind. The instructions ask for six. */
const MAX_EACH = 12;

export interface AnswerSource {
  /** The page's own text. */
  readonly text: string;
  /** The model that answered. */
  readonly model: string;
  readonly usage: Usage;
}

/**
 * Puts a model's answer over what the rules extracted. Drops a claim whose quote is not on the page, and a price whose amount is not in
 * its quote, and counts them in a caveat. Where it drops everything of a kind, what the rules extracted stays.
 */
export function merge(extracted: Analysis, answer: ModelAnalysis, { text, model, usage }: AnswerSource): Analysis {
  const page = squash(text);
  const { screenshot } = extracted.design;
  let dropped = 0;
  const isOnPage = (quote: string): boolean => squash(quote) !== "" && page.includes(squash(quote));
  const onPage = <T extends { quote: string }>(claims: readonly T[], holds: (claim: T) => boolean = () => true): T[] =>
    claims.slice(0, MAX_EACH).filter((claim) => {
      const found = isOnPage(claim.quote) && holds(claim);
      if (!found) dropped++;
      return found;
    });
  const evidence = (quote: string): { text: string; screenshot: string } => ({ text: quote.slice(0, 300), screenshot });
  const orElse = <T>(found: T[], fallback: T[]): T[] => (found.length > 0 ? found : fallback);
  const claimsOf = (claims: readonly { value: string; quote: string }[]) =>
    onPage(claims, ({ value }) => value.trim() !== "").map(({ value, quote }) => ({
      value,
      evidence: evidence(quote),
    }));

  const [positioning] = claimsOf(answer.positioning ? [answer.positioning] : []);
  const merged: Analysis = {
    ...extracted,
    analyst: { kind: "model", model },
    usage,
    positioning: positioning ?? extracted.positioning,
    audience: orElse(claimsOf(answer.audience), extracted.audience),
    offers: orElse(
      onPage(answer.offers, (offer) => isOnPage(offer.name) && isQuoted(offer)).map((offer) => ({
        name: offer.name,
        price: priceOf(offer),
        features: offer.features.filter(isOnPage),
        evidence: evidence(offer.quote),
      })),
      extracted.offers,
    ),
    callsToAction: orElse(
      onPage(answer.callsToAction, ({ value }) => isOnPage(value)).map(({ value, quote }) => ({
        text: value,
        ...targetOf(extracted, value),
        evidence: evidence(quote),
      })),
      extracted.callsToAction,
    ),
    proof: orElse(
      onPage(answer.proof, ({ value }) => value.trim() !== "").map(({ kind, value, quote }) => ({
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
          .map((word) => word.trim().slice(0, 40))
          .filter((word) => word !== "")
          .slice(0, MAX_EACH),
        extracted.design.layout,
      ),
    },
  };
  if (dropped > 0)
    merged.caveats = [
      ...extracted.caveats,
      `${dropped} ${dropped === 1 ? "claim" : "claims"} of the model ${dropped === 1 ? "was" : "were"} dropped: the page does not say ${dropped === 1 ? "it" : "them"}`,
    ];
  return analysisSchema.parse(merged);
}

type ModelOffer = ModelAnalysis["offers"][number];

function priceOf({ amount, currency, period, per, from }: ModelOffer): Analysis["offers"][number]["price"] {
  if (amount === null || currency === null) return null;
  return { amount, currency, period: period ?? "once", ...(per ? { per } : {}), from };
}

/** Whether the quote gives the amount. A free offer may say so in words. */
function isQuoted({ amount, currency, quote }: ModelOffer): boolean {
  if (amount === null || currency === null) return amount === currency;
  if (amount < 0 || !/^[A-Z]{3}$/.test(currency)) return false;
  return amount === 0 || findMoney(quote).some((money) => money.amount === amount);
}

/** The model does not see where a button leads; the markup says it. */
function targetOf(extracted: Analysis, text: string): { target?: string } {
  const target = extracted.callsToAction.find((action) => squash(action.text) === squash(text))?.target;
  return target === undefined ? {} : { target };
}

/** For comparison: quotes differ from the page in white space, case and quotation marks. */
function squash(text: string): string {
  return text
    .toLowerCase()
    .replace(/[\u2018\u2019\u201c\u201d"']/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
