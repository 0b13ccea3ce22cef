import type { Decision } from "../../engine/findings.ts";
import type { Usage } from "../../engine/result.ts";
import { siteShare } from "./coverage.ts";
import type { Changes, Confidence, Coverage, Dossier, NumberedClaim, Report, SitePage } from "./report.ts";

/** Sentences that the page and the Markdown share. */
export const METHOD: readonly string[] = [
  "Each site’s page was opened in a real browser, in a context of its own, with robots.txt obeyed and consent banners closed. Every request went through a proxy that refuses hosts off the workload’s allow-list and private addresses; what it refused is listed below and may be missing from the pictures.",
  "From the rendered page, its text and its screenshot an analyst drew positioning, audience, offers with prices, calls to action, proof, technology and design; each finding is numbered, and names the page, the time and the text that says it. Where two pages of a site name one offer, the pricing page counts.",
  "Prices are converted to one month (a year divided by twelve, a week times 52/12). Entry price is the lowest paid one; prices per user are compared apart from flat prices. Fixed word lists recognise themes, audiences and calls to action in the findings; gaps, habits and what stands out are computed from these tables, and need at least three sites.",
  "Confidence is high where five sites or more were compared and four fifths of the named ones could be read, low below three sites or where half of them could not be, medium between. What no page seems to say counts as surely missing only where a model read the pages.",
];

export function analysts({ analyst, competitors }: Dossier): string {
  const models = analyst.models.length ? ` and ${analyst.models.join(", ")}` : "";
  const by = analyst.extractive === 0 ? analyst.models.join(", ") : `the extractive analyst${models}`;
  return `${competitors.length} ${competitors.length === 1 ? "site" : "sites"} analyzed by ${by}.`;
}

/** Undefined where a model analyzed all sites. */
export function extractiveNote({ analyst, competitors }: Dossier): string | undefined {
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

/** What the reader must know to weigh a statement. */
export function confidenceSentence(confidence: Confidence, { coverage, analyst, competitors }: Dossier): string {
  const { read, all } = siteShare(coverage);
  const by =
    analyst.extractive === 0
      ? "all by a model"
      : analyst.extractive === competitors.length
        ? "all by rules"
        : `${analyst.extractive} of them by rules`;
  return `Confidence: ${confidence}. ${read} of ${all} ${all === 1 ? "site was" : "sites were"} read, ${by}.`;
}

/** One sentence on all that changed. */
export function changesSentence({ list, same, noise, omitted, since }: Changes): string {
  const day = since.slice(0, 10);
  const material = list.filter((one) => one.material).length;
  const minor = list.filter((one) => !one.material && one.status !== "notComparable").length + omitted;
  const left = noise
    ? ` ${count(noise, "difference")} in dates, counters or rotating quotations ${noise === 1 ? "is" : "are"} left out.`
    : "";
  const kept = `${count(same, "finding")} ${same === 1 ? "is as it was" : "are as they were"}.`;
  if (material + minor === 0) return `Nothing changed since ${day}: ${kept}${left}`;
  if (material === 0) return `Nothing material changed since ${day}; ${count(minor, "smaller change")}, ${kept}${left}`;
  return `${count(material, "material change")} and ${count(minor, "smaller one")} since ${day}; ${kept}${left}`;
}

/** The key figures, with one for the changes where the report is compared with an earlier one. */
export function figuresOf({
  keyFigures: [first, ...others],
  changes,
}: Pick<Report, "keyFigures" | "changes">): Report["keyFigures"] {
  const since = changes && {
    label: `Changes since ${changes.since.slice(0, 10)}`,
    value: String(groupChanges(changes).material.length),
    note: "material ones: prices, offers, positioning, terms",
  };
  return [...(first ? [first] : []), ...(since ? [since] : []), ...others];
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

export const STATE_NAMES: Readonly<Record<Coverage["state"], string>> = {
  read: "read",
  capped: "read in part",
  blocked: "blocked",
  robots: "robots.txt forbids it",
  consent: "consent wall",
  login: "login",
  locale: "another locale",
  failed: "failed",
};

/** What the changes of a report are, for those to list who do not show them all. */
export function groupChanges({ list }: Changes): Record<"material" | "minor" | "unknown", Changes["list"]> {
  return {
    material: list.filter(({ material }) => material),
    minor: list.filter(({ material, status }) => !material && status !== "notComparable"),
    unknown: list.filter(({ material, status }) => !material && status === "notComparable"),
  };
}

export const FIELD_NAMES: Readonly<Record<NumberedClaim["field"], string>> = {
  positioning: "positioning",
  audience: "audience",
  offers: "offer",
  callsToAction: "call to action",
  proof: "proof",
  technology: "technology",
};

/** What the egress proxy refused, in one line. */
export function refusals(refused: SitePage["capture"]["egress"]["refused"]): string {
  const counts = new Map<string, number>();
  for (const { host, reason, count: times } of refused)
    counts.set(`${host} (${reason})`, (counts.get(`${host} (${reason})`) ?? 0) + times);
  return [...counts].map(([what, times]) => `${what} ×${times}`).join(", ") || "nothing";
}
