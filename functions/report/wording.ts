import type { Usage } from "../../lib/step.ts";
import type { Report } from "./report.ts";

/** Sentences that the page and the Markdown share. */
export const METHOD: readonly string[] = [
  "Each site’s page was opened in a real browser, in a context of its own, with robots.txt obeyed and consent banners closed. Every request went through a proxy that refuses hosts off the workload’s allow-list and private addresses; what it refused is listed below and may be missing from the pictures.",
  "From the rendered page, its text and its screenshot an analyst drew positioning, audience, offers with prices, calls to action, proof, technology and design; each finding quotes the text that says it. Findings come from one page a site, on one day.",
  "Prices are brought to one month (a year divided by twelve, a week times 52/12). Entry price is the lowest paid one; what counts users is compared apart from flat prices. Themes, audiences and calls to action are recognised by fixed word lists over the findings; gaps, habits and what stands out are computed from these tables, and need at least three sites.",
];

export function analysts({ analyst, competitors }: Report): string {
  const models = analyst.models.length ? ` and ${analyst.models.join(", ")}` : "";
  const by = analyst.extractive === 0 ? analyst.models.join(", ") : `the extractive analyst${models}`;
  return `${competitors.length} ${competitors.length === 1 ? "site" : "sites"} read by ${by}.`;
}

export function authorOf({ narrative }: Report): string {
  return narrative.author.kind === "model"
    ? `Narrative by ${narrative.author.model}.`
    : "Narrative by rules, from the figures.";
}

export function reviewSentence({ review }: Report): string {
  const at = `${review.at.slice(0, 16).replace("T", " ")} UTC`;
  return review.automatic
    ? `The findings were ${review.decision} automatically, by “${review.by}”, on ${at}: no person looked at them first.`
    : `The findings were ${review.decision} by ${review.by} on ${at}${review.comment ? ", with this comment:" : ", without a comment."}`;
}

export function costSentences({ inputTokens, outputTokens, costUsd, browserSeconds }: Usage): string {
  const tokens =
    inputTokens + outputTokens === 0
      ? "No model was asked"
      : `${inputTokens.toLocaleString("en-US")} input and ${outputTokens.toLocaleString("en-US")} output tokens`;
  return `${tokens}: $${costUsd.toFixed(4)}. ${browserSeconds.toFixed(1)} browser seconds. Scraping, analysis and this report’s narrative together.`;
}
