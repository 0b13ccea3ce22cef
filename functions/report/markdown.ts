import { addUsage } from "../../engine/result.ts";
import { safeLink } from "./link.ts";
import { moneyPer } from "./price.ts";
import type { Insight, Report } from "./report.ts";
import { analysts, authorOf, costSentences, extractiveNote, METHOD, reviewSentence } from "./wording.ts";

/** Escapes text for Markdown: it makes no markup, HTML, table cell or line of its own. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[\\`*_{}[\]()#+!|~>-]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replace(/:(?=\/\/)/g, "&#58;")
    .replace(/^(\d+)\./, "$1\\.");
}

const e = escapeMarkdown;
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

function insights(list: readonly Insight[], report: Report, none: string): string {
  if (list.length === 0) return none;
  return list
    .map(({ title, text, sites }) => {
      const cited = report.competitors.filter(({ id }) => sites.includes(id));
      const names =
        cited.length && cited.length < report.competitors.length
          ? ` \\[${cited.map(({ label }) => e(label)).join(", ")}\\]`
          : "";
      return `- **${e(title)}.** ${e(text)}${names}`;
    })
    .join("\n");
}

/** report.md: the page's content without its pictures. */
export function reportMarkdown(report: Report): string {
  const { narrative, competitors, currency, review } = report;
  const extractive = extractiveNote(report);
  const label = new Map(competitors.map((c) => [c.id, e(c.label)]));
  const parts = [
    `# ${e(report.objective)}`,
    `${e(report.workload.namespace)}/${e(report.workload.name)}, ${report.date.slice(0, 10)}. ${e(analysts(report))} ${e(authorOf(report))}`,
    ...(extractive ? [`**Extractive analyst:** ${e(extractive)}`] : []),
    ...(review.automatic ? [`**Not reviewed by a person:** ${e(reviewSentence(report))}`] : []),
    "## The answer",
    e(narrative.answer),
    `**Recommendation:** ${e(narrative.recommendation)}`,
    table(
      ["Figure", "", ""],
      report.keyFigures.map(({ label: name, value, note }) => [e(name), `**${e(value)}**`, e(note)]),
    ),
    "### What this rests on",
    insights(narrative.claims, report, "The figures above."),
    "## Gaps and opportunities",
    insights(report.gaps, report, "So few sites show no gaps."),
    "### What nearly all say or do",
    insights(report.saturated, report, "There is nothing that nearly all say or do."),
    "## What stands out",
    insights(report.standouts, report, "No site differs from the others in what the report measures."),
    "## Prices",
    report.prices.length
      ? table(
          ["Site", "Offer", "As published", `${e(currency)} a month`],
          report.prices.map((p) => [
            label.get(p.site) ?? "",
            e(p.offer),
            e(p.original),
            p.monthly === null ? "not comparable" : `${p.from ? "≥ " : ""}${e(moneyPer(p.monthly, currency, p.per))}`,
          ]),
        )
      : "No site names a price.",
    "## Positioning",
    table(
      ["Site", "Main claim", "Entry a month", "Free offer", "Proof"],
      competitors.map((c) => [
        e(c.label),
        e(c.analysis.positioning?.value ?? "none"),
        c.entryMonthly === null ? "–" : e(moneyPer(c.entryMonthly, currency, c.entryPer)),
        c.free ? "yes" : "no",
        String(c.analysis.proof.length),
      ]),
    ),
    "## The competitors",
    ...competitors.map((c) => competitor(c)),
    "## Method, limits and review",
    ...METHOD.map(e),
    e(reviewSentence(report)),
    ...(review.comment ? [`> ${e(review.comment)}`] : []),
    `Findings sha256 \`${review.digest}\``,
    "### Sites that failed",
    report.failures.length
      ? table(
          ["Site", "Step", "Reason", "What happened"],
          report.failures.map((f) => [e(f.item), e(f.step), e(f.reason), e(f.message)]),
        )
      : "None.",
    "### Caveats",
    [...narrative.caveats, ...report.caveats].map((caveat) => `- ${e(caveat)}`).join("\n"),
    "### Cost",
    e(costSentences(addUsage(report.usage, narrative.usage))),
    ...(report.trace ? [`[Trace of the run](<${report.trace}>)`] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

function competitor({ label, item, analysis, capture }: Report["competitors"][number]): string {
  const address = safeLink(item);
  const refused = capture.egress.refused
    .map(({ host, count, reason }) => `${e(host)} ×${count} (${e(reason)})`)
    .join(", ");
  return [
    `### ${e(label)}`,
    `${address ? `<${address.replaceAll(/[<>\s]/g, "")}>` : e(item)}, captured ${capture.capturedAt.slice(0, 10)}`,
    ...(analysis.positioning ? [`> ${e(analysis.positioning.evidence.text)}`] : []),
    analysis.offers.map((offer) => `- **${e(offer.name)}**: “${e(offer.evidence.text)}”`).join("\n"),
    analysis.proof.map((proof) => `- ${proof.kind}: “${e(proof.evidence.text)}”`).join("\n"),
    ...(refused ? [`Refused by the egress proxy: ${refused}`] : []),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
