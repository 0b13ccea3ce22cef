import { remarksText } from "../../engine/correction-text.ts";
import { decisionText } from "../../engine/findings.ts";
import type { FindingView, ReviewView } from "../../functions/approve/load.ts";
import type { Fact, SummaryView } from "../../functions/approve/summary-view.ts";
import { printable } from "../printable.ts";

/** Facts of one label that are shown; the page shows all. */
const MAX_FACTS = 5;

/** What the review page says, as lines of text. Ends with a line break. */
export function reviewText({ record, findings, items }: ReviewView): string {
  const { review, workload } = record;
  const { namespace, name } = workload;
  const waits = !review.decision && record.ended === undefined;
  const verbs = ["approve", "reject", ...(review.changeable ? ["changes"] : [])];
  const decide = verbs.map(
    (verb) =>
      `  kubectl agentic ${verb} ${name} -n ${namespace} --gate ${review.gate} --digest ${review.digest}${verb === "changes" ? " --comment TEXT" : ""}`,
  );
  return [
    `${namespace}/${name}, gate ${review.gate}: ${stateOf(record)}`,
    `digest ${review.digest}`,
    ...Object.entries(findings.inputs).map(([input, value]) => `${printable(input)}: ${printable(String(value))}`),
    ...items.flatMap((item, index) => ["", ...itemLines(item, index + 1)]),
    "",
    ...(waits ? ["Decide with:", ...decide, ""] : []),
  ].join("\n");
}

function stateOf({ review, ended }: ReviewView["record"]): string {
  const { decision, by, at, timeoutAt, onTimeout, costOfApproving } = review;
  if (decision) return `${decisionText(decision)} by ${by} at ${at}${printable(remarksText(review))}`;
  if (ended !== undefined) return `nobody decided, and ${ended}`;
  const cost = costOfApproving === undefined ? "" : `; approving costs at most $${costOfApproving}`;
  return `waits for a decision until ${timeoutAt}, then: ${onTimeout}${cost}`;
}

function itemLines({ finding, summary, problem }: FindingView, number: number): string[] {
  const of = finding.item === undefined ? "" : ` on ${clip(printable(itemText(finding.item)))}`;
  const head = summary
    ? [summary.title, summary.subtitle ?? ""].map(printable).filter(Boolean).join("  ")
    : `step ${finding.step}${of}`;
  const outcome =
    finding.outcome === "succeeded"
      ? []
      : [`${finding.outcome}${finding.reason ? `: ${finding.reason}: ${printable(finding.message ?? "")}` : ""}`];
  return [
    `${number}. ${head}`,
    ...[...outcome, ...(problem ? [printable(problem)] : []), ...(summary ? summaryLines(summary) : [])].map(
      (line) => `   ${line}`,
    ),
  ];
}

function summaryLines({ single, groups, pictures, caveats, hidden }: SummaryView): string[] {
  return [
    ...caveats.map((caveat) => `caveat: ${printable(caveat)}`),
    ...single.map((fact) => `${printable(fact.label)}: ${factText(fact)}`),
    ...groups.flatMap(({ label, count, facts }) => [
      `${printable(label)} (${count}):`,
      ...facts.slice(0, MAX_FACTS).map((fact) => `  ${factText(fact)}`),
      ...(count > MAX_FACTS ? [`  and ${count - MAX_FACTS} more`] : []),
    ]),
    ...pictures.map(({ alt }) => `picture: ${printable(alt)}`),
    ...(hidden > 0 ? [`${hidden} more do not fit`] : []),
  ];
}

function factText({ value, quote }: Fact): string {
  return [printable(value), quote ? `"${printable(quote)}"` : ""].filter(Boolean).join("  ");
}

function itemText(item: unknown): string {
  return typeof item === "string" ? item : JSON.stringify(item);
}

function clip(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
