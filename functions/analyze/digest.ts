import type { Analysis } from "../../pipeline/analysis.ts";
import type { Capture } from "../../pipeline/capture.ts";

/**
 * What a model is told of a page: what was extracted, with its quotes, then the page's own text as far as it fits. About 1,500
 * tokens at 4 characters a token (English, o200k_base); bench/cost counts them exactly.
 */
const MAX_CHARACTERS = 6_000;
/** The extracted part may not crowd out the text. */
const MAX_EXTRACTED = 3_000;

export function digest(capture: Capture, extracted: Analysis, text: string): string {
  const lines = [
    `URL: ${capture.finalUrl}`,
    `Title: ${capture.title}`,
    `Description: ${capture.description}`,
    `Language: ${capture.lang}`,
    ...section(
      "Offers",
      extracted.offers.map((offer) => offer.evidence.text),
    ),
    ...section(
      "Calls to action",
      extracted.callsToAction.map((action) => action.text),
    ),
    ...section(
      "Proof",
      extracted.proof.map((proof) => proof.evidence.text),
    ),
  ];
  const head = lines.join("\n").slice(0, MAX_EXTRACTED);
  const body = text.replace(/\s*\n\s*/g, "\n").replace(/[ \t]+/g, " ");
  return `${head}\n\nText:\n${body}`.slice(0, MAX_CHARACTERS);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `- ${line}`)];
}
