import { addUsage } from "../../engine/result.ts";
import { describePrice } from "../../pipelines/market-analysis/price.ts";
import { citations } from "./claims.ts";
import { hasMoved } from "./history.ts";
import { safeLink } from "./link.ts";
import { matrixOf } from "./matrix.ts";
import { moneyPer } from "./price.ts";
import type { Changes, Insight, NumberedClaim, Report } from "./report.ts";
import { shortAddress } from "./site.ts";
import {
  analysts,
  authorOf,
  changesSentence,
  confidenceSentence,
  costSentences,
  extractiveNote,
  FIELD_NAMES,
  figuresOf,
  groupChanges,
  METHOD,
  refusals,
  reviewSentence,
  STATE_NAMES,
} from "./wording.ts";

/**
 * Escapes text for Markdown: it makes no markup, HTML, table cell or line of its own. As little as that takes, since chats show the
 * backslashes: citations, "[c12]", are no links without a definition, which no text can make.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[\\`*_[\]|~]/g, "\\$&")
    .replace(/\\\[(c\d+)\\\](?!:)/g, "[$1]")
    .replace(/&(?=#?\w+;)/g, "&amp;")
    .replaceAll("<", "&lt;")
    .replace(/:(?=\/\/)/g, "&#58;")
    .replace(/^[#>+=-]/, "\\$&")
    .replace(/^(\d+)([.)])/, "$1\\$2");
}

const e = escapeMarkdown;
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

function insights(list: readonly Insight[], report: Report, none: string): string {
  if (list.length === 0) return none;
  return list
    .map(({ title, text, sites, claims, confidence }) => {
      const cited = report.competitors.filter(({ id }) => sites.includes(id));
      const names =
        cited.length && cited.length < report.competitors.length
          ? ` (${cited.map(({ label }) => e(label)).join(", ")})`
          : "";
      return `- **${e(title)}.** ${e(text)}${claims.length ? ` ${e(citations(claims))}` : ""}${names} (confidence: ${confidence})`;
    })
    .join("\n");
}

/** report.md: the page's content without its pictures. */
export function reportMarkdown(report: Report): string {
  const { narrative, competitors, currency, review } = report;
  const extractive = extractiveNote(report);
  const label = new Map(competitors.map((c) => [c.id, e(c.label)]));
  const claims = Map.groupBy(report.claims, ({ site }) => site);
  const moved = report.history.filter(hasMoved);
  const parts = [
    `# ${e(report.objective)}`,
    `${e(report.workload.namespace)}/${e(report.workload.name)}, ${report.date.slice(0, 10)}. ${e(analysts(report))} ${e(authorOf(report))}`,
    ...(extractive ? [`**Extractive analyst:** ${e(extractive)}`] : []),
    ...(review.automatic ? [`**Not reviewed by a person:** ${e(reviewSentence(report))}`] : []),
    ...(report.changes ? changes(report.changes) : []),
    "## The answer",
    e(narrative.answer),
    `**Recommendation:** ${e(narrative.recommendation)}`,
    e(confidenceSentence(narrative.confidence, report)),
    table(
      ["Figure", "", ""],
      figuresOf(report).map(({ label: name, value, note }) => [e(name), `**${e(value)}**`, e(note)]),
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
          ["Site", "Offer", "As published", `${e(currency)} a month`, "Claim"],
          report.prices.map((p) => [
            label.get(p.site) ?? "",
            e(p.offer),
            e(p.original),
            p.monthly === null ? "not comparable" : `${p.from ? "≥ " : ""}${e(moneyPer(p.monthly, currency, p.per))}`,
            p.claim,
          ]),
        )
      : "No site names a price.",
    ...(moved.length
      ? [
          "### Prices that moved",
          table(
            ["Site", "Offer", "When", "Price"],
            moved.flatMap(({ label: site, offer, points }) =>
              points.map(({ at, price }) => [
                e(site),
                e(offer),
                at.slice(0, 10),
                price ? e(describePrice(price)) : "none named",
              ]),
            ),
          ),
        ]
      : []),
    "## Side by side",
    table(
      ["Site", "Offers", "Entry a month", "Free", "Trial", "Guarantee", "Primary call", "Themes"],
      matrixOf(report).map((row) => [
        e(row.label),
        String(row.offers),
        e(row.entry ?? "–"),
        row.free ? "yes" : "no",
        row.trial ?? "no",
        row.guarantee ? "yes" : "no",
        e(row.primaryCall ?? "–"),
        row.themes.join(", ") || "–",
      ]),
    ),
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
    ...competitors.map((c) => competitor(c, claims.get(c.id) ?? [])),
    "## Method, limits and review",
    ...METHOD.map(e),
    e(reviewSentence(report)),
    ...(review.comment ? [`> ${e(review.comment)}`] : []),
    `Findings sha256 \`${review.digest}\``,
    "### Coverage",
    table(
      ["Site", "Page", "State", "Why"],
      report.coverage.map((one) => [
        e(one.site),
        e(shortAddress(one.url)),
        STATE_NAMES[one.state],
        e([one.reason, one.message].filter(Boolean).join(": ")) || "–",
      ]),
    ),
    "### Caveats",
    [...narrative.caveats, ...report.caveats].map((caveat) => `- ${e(caveat)}`).join("\n"),
    "### Cost",
    e(costSentences(addUsage(report.usage, narrative.usage))),
    ...(report.trace ? [`[Trace of the run](<${report.trace}>)`] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

function changes(compared: Changes): string[] {
  const { material, minor, unknown } = groupChanges(compared);
  const list = (all: Changes["list"]) =>
    all.map(({ sentence, claim }) => `- ${e(sentence)}${claim ? ` ${e(citations([claim]))}` : ""}`).join("\n");
  return [
    `## What changed since ${compared.since.slice(0, 10)}`,
    e(changesSentence(compared)),
    ...(material.length ? [list(material)] : []),
    ...(minor.length ? ["### Smaller changes", list(minor)] : []),
    ...(unknown.length ? ["### What cannot be compared", list(unknown)] : []),
  ];
}

function competitor({ label, pages }: Report["competitors"][number], claims: readonly NumberedClaim[]): string {
  const refused = refusals(pages.flatMap(({ capture }) => capture.egress.refused));
  return [
    `### ${e(label)}`,
    pages
      .map(({ url, kind, capture }) => `- ${kind}: ${link(url)}, captured ${capture.capturedAt.slice(0, 10)}`)
      .join("\n"),
    claims.map((claim) => claimLine(claim, pages.length > 1)).join("\n"),
    ...(refused === "nothing" ? [] : [`Refused by the egress proxy: ${e(refused)}`]),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function claimLine({ id, field, kind, subject, value, quote, url }: NumberedClaim, saysWhere: boolean): string {
  const what = field === "offers" ? `**${e(subject)}**: ${e(value)}` : `${kind ?? FIELD_NAMES[field]}: ${e(value)}`;
  const where = saysWhere ? ` (${link(url, shortAddress(url))})` : "";
  return `- ${e(`[${id}]`)} ${what}${quote === value ? "" : ` “${e(quote)}”`}${where}`;
}

/** The address as a link where it may be one. */
function link(url: string, text?: string): string {
  const address = safeLink(url)?.replaceAll(/[<>\s]/g, "");
  if (address === undefined) return e(text ?? url);
  return text === undefined ? `<${address}>` : `[${e(text)}](<${address}>)`;
}
