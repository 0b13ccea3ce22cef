import type { Decision } from "../../engine/findings.ts";
import type { Usage } from "../../engine/result.ts";
import type { Report } from "./report.ts";

/** Sentences that the page and the Markdown share. */
export const METHOD: readonly string[] = [
  "Each site’s page was opened in a real browser, in a context of its own, with robots.txt obeyed and consent banners closed. Every request went through a proxy that refuses hosts off the workload’s allow-list and private addresses; what it refused is listed below and may be missing from the pictures.",
  "From the rendered page, its text and its screenshot an analyst drew positioning, audience, offers with prices, calls to action, proof, technology and design; each finding quotes the text that says it. Findings come from one page a site, on one day.",
  "Prices are converted to one month (a year divided by twelve, a week times 52/12). Entry price is the lowest paid one; prices per user are compared apart from flat prices. Fixed word lists recognise themes, audiences and calls to action in the findings; gaps, habits and what stands out are computed from these tables, and need at least three sites.",
];

export function analysts({ analyst, competitors }: Report): string {
  const models = analyst.models.length ? ` and ${analyst.models.join(", ")}` : "";
  const by = analyst.extractive === 0 ? analyst.models.join(", ") : `the extractive analyst${models}`;
  return `${competitors.length} ${competitors.length === 1 ? "site" : "sites"} analyzed by ${by}.`;
}

/** Undefined where a model analyzed all sites. */
export function extractiveNote({ analyst, competitors }: Report): string | undefined {
  if (analyst.extractive === 0) return undefined;
  return `Rules, without a language model, analyzed ${analyst.extractive} of ${competitors.length} sites: they found what stands literally on the page, and nothing that is only implied.`;
}

export function authorOf({ narrative }: Report): string {
  return narrative.author.kind === "model"
    ? `Narrative by ${narrative.author.model}.`
    : "Narrative by rules, from the figures.";
}

const WAYS: Readonly<Record<Decision["how"], string>> = {
  ReviewLink: "through the review link",
  AgentDecision: "with kubectl",
  CommandLine: "on the command line",
  Setting: "by a setting of the run",
  Timeout: "because nobody decided before the review’s timeout",
  Argo: "by resuming the gate in Argo Workflows",
};

/** How the findings were approved, and whether a person looked at them first. Its comment follows, if there is one. */
export function reviewSentence({ review }: Pick<Report, "review">): string {
  const { decision, by, how, automatic, comment } = review;
  const at = `${review.at.slice(0, 16).replace("T", " ")} UTC`;
  const end = comment ? ", with this comment:" : automatic ? "." : ", without a comment.";
  return automatic
    ? `No person reviewed the findings. They were ${decision} automatically ${WAYS[how]} (${by}) on ${at}${end}`
    : `${by} ${decision} the findings ${WAYS[how]} on ${at}${end}`;
}

/** `usage`: of the captures, the analyses and the narrative. */
export function costSentences({ inputTokens, outputTokens, costUsd, browserSeconds }: Usage): string {
  const tokens =
    inputTokens + outputTokens === 0
      ? "No model was asked"
      : `${inputTokens.toLocaleString("en-US")} input and ${outputTokens.toLocaleString("en-US")} output tokens`;
  return `${tokens}: $${costUsd.toFixed(4)}. ${browserSeconds.toFixed(1)} browser seconds. Captures, analyses and this report’s narrative together; sites that failed are not included.`;
}
