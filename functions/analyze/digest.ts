import { truncateToTokens } from "../../lib/edges/llm/tokens.ts";
import type { Analysis } from "../../pipeline/analysis.ts";
import type { Capture } from "../../pipeline/capture.ts";

/** Of the whole, in the model's own tokens. */
const MAX_TOKENS = 1_500;
/** The extracted part may not crowd out the text. */
const MAX_EXTRACTED = 700;
/** More text than fits is not even counted. */
const MAX_CHARACTERS = 12_000;

/** What a model is told of a page: what was extracted, with its quotes, then the page's own text as far as it fits. */
export async function digest(capture: Capture, extracted: Analysis, text: string): Promise<string> {
  const lines = [
    `URL: ${capture.finalUrl}`,
    `Title: ${capture.title}`,
    `Description: ${capture.description}`,
    `Language: ${capture.lang}`,
    ...section(
      "Offers",
      extracted.offers.map((offer) => offer.evidence.text.slice(0, 120)),
    ),
    ...section(
      "Calls to action",
      extracted.callsToAction.map((action) => action.text),
    ),
    ...section(
      "Proof",
      extracted.proof.map((proof) => proof.evidence.text.slice(0, 160)),
    ),
  ];
  const head = await truncateToTokens(lines.join("\n"), MAX_EXTRACTED);
  const body = text
    .slice(0, MAX_CHARACTERS)
    .replace(/\s*\n\s*/g, "\n")
    .replace(/[ \t]+/g, " ");
  return truncateToTokens(`${head}\n\nText:\n${body}`, MAX_TOKENS);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `- ${line}`)];
}
