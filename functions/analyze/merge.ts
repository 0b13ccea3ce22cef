import { type Analysis, analysisSchema } from "../../pipeline/analysis.ts";
import { findMoney } from "./extract/money.ts";
import type { ModelAnalysis } from "./question.ts";

/** More than this of one kind is no analysis; the instructions ask for six. */
const MAX_EACH = 12;

/**
 * Puts a model's answer over what was extracted. A claim whose quote does not stand on the page is dropped and counted in a
 * caveat, and so is a price whose amount its quote does not give; where nothing of the model's is left, what was extracted stays.
 */
export function merge(extracted: Analysis, answer: ModelAnalysis, text: string, model: string): Analysis {
  const page = squash(text);
  const { screenshot } = extracted.design;
  let dropped = 0;
  const stands = (quote: string): boolean => squash(quote) !== "" && page.includes(squash(quote));
  const onPage = <T extends { quote: string }>(claims: readonly T[], holds: (claim: T) => boolean = () => true): T[] =>
    claims.slice(0, MAX_EACH).filter((claim) => {
      const found = stands(claim.quote) && holds(claim);
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
    positioning: positioning ?? extracted.positioning,
    audience: orElse(claimsOf(answer.audience), extracted.audience),
    offers: orElse(
      onPage(answer.offers, (offer) => stands(offer.name) && isQuoted(offer)).map((offer) => ({
        name: offer.name,
        price: priceOf(offer),
        features: offer.features.filter(stands),
        evidence: evidence(offer.quote),
      })),
      extracted.offers,
    ),
    callsToAction: orElse(
      onPage(answer.callsToAction, ({ value }) => stands(value)).map(({ value, quote }) => ({
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
      `${dropped} ${dropped === 1 ? "claim" : "claims"} of the model did not stand on the page and ${dropped === 1 ? "was" : "were"} dropped`,
    ];
  return analysisSchema.parse(merged);
}

type ModelOffer = ModelAnalysis["offers"][number];

function priceOf({ amount, currency, period, per, from }: ModelOffer): Analysis["offers"][number]["price"] {
  if (amount === null || currency === null) return null;
  return { amount, currency, period: period ?? "once", ...(per ? { per } : {}), from };
}

/** The amount stands in the quote; for nothing, words will do. */
function isQuoted({ amount, currency, quote }: ModelOffer): boolean {
  if (amount === null || currency === null) return amount === currency;
  if (amount < 0 || !/^[A-Z]{3}$/.test(currency)) return false;
  return amount === 0 || findMoney(quote).some((money) => money.amount === amount);
}

/** Where a button leads, the markup knows. */
function targetOf(extracted: Analysis, text: string): { target?: string } {
  const target = extracted.callsToAction.find((action) => squash(action.text) === squash(text))?.target;
  return target === undefined ? {} : { target };
}

/** Quotes differ from pages in white space, case and quotation marks. */
function squash(text: string): string {
  return text
    .toLowerCase()
    .replace(/[\u2018\u2019\u201c\u201d"']/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
