import { type Analysis, analysisSchema } from "../../pipeline/analysis.ts";
import type { ModelAnalysis } from "./question.ts";

/**
 * Puts a model's answer over what was extracted. A claim whose quote does not stand on the page is dropped and counted in a
 * caveat; where nothing of the model's is left, what was extracted stays.
 */
export function merge(extracted: Analysis, answer: ModelAnalysis, text: string, model: string): Analysis {
  const page = squash(text);
  const { screenshot } = extracted.design;
  let dropped = 0;
  const onPage = <T extends { quote: string }>(claims: readonly T[]): T[] =>
    claims.filter(({ quote }) => {
      const found = quote.trim() !== "" && page.includes(squash(quote));
      if (!found) dropped++;
      return found;
    });
  const evidence = (quote: string): { text: string; screenshot: string } => ({ text: quote.slice(0, 300), screenshot });
  const orElse = <T>(found: T[], fallback: T[]): T[] => (found.length > 0 ? found : fallback);

  const [positioning] = onPage(answer.positioning ? [answer.positioning] : []);
  const merged: Analysis = {
    ...extracted,
    analyst: { kind: "model", model },
    positioning: positioning
      ? { value: positioning.value, evidence: evidence(positioning.quote) }
      : extracted.positioning,
    audience: orElse(
      onPage(answer.audience).map(({ value, quote }) => ({ value, evidence: evidence(quote) })),
      extracted.audience,
    ),
    offers: orElse(
      onPage(answer.offers).map((offer) => ({
        name: offer.name,
        price: priceOf(offer),
        features: offer.features,
        evidence: evidence(offer.quote),
      })),
      extracted.offers,
    ),
    callsToAction: orElse(
      onPage(answer.callsToAction).map(({ value, quote }) => ({ text: value, evidence: evidence(quote) })),
      extracted.callsToAction,
    ),
    proof: orElse(
      onPage(answer.proof).map(({ kind, value, quote }) => ({ kind, value, evidence: evidence(quote) })),
      extracted.proof,
    ),
    design: { ...extracted.design, layout: orElse(answer.layout, extracted.design.layout) },
  };
  if (dropped > 0)
    merged.caveats = [
      ...extracted.caveats,
      `${dropped} claims of the model were dropped: their quotes are not on the page`,
    ];
  return analysisSchema.parse(merged);
}

function priceOf(offer: ModelAnalysis["offers"][number]): Analysis["offers"][number]["price"] {
  const { amount, currency, period, per, from } = offer;
  if (amount === null || amount < 0 || currency === null || !/^[A-Z]{3}$/.test(currency)) return null;
  return { amount, currency, period: period ?? "once", ...(per ? { per } : {}), from };
}

/** Quotes differ from pages in white space, case and quotation marks. */
function squash(text: string): string {
  return text
    .toLowerCase()
    .replace(/[\u2018\u2019\u201c\u201d"']/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
