import { truncateToTokens } from "../../lib/model/tokens.ts";
import type { Analysis } from "../../pipelines/market-analysis/analysis.ts";
import type { Capture } from "../../pipelines/market-analysis/capture.ts";

/** Of the whole digest, in the model's tokens. */
const MAX_TOKENS = 1_500;
/** Of its extracted part, which must leave room for the page's text. */
const MAX_EXTRACTED = 700;
/** Of text: more never fits, and counting its tokens takes time. */
const MAX_CHARACTERS = 12_000;

/** What the model is told of a page: what the rules extracted, with quotes, then the page's own text as far as it fits. */
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
