import { html } from "hono/html";
import type { Correction } from "../../../crd/agentworkload.ts";
import { isOfFinding, stillCarried } from "../../../engine/corrections.ts";
import type { Decision, Finding, Findings, MadeCorrection } from "../../../engine/findings.ts";
import { decisionOf, type ReviewRecord } from "../../../lib/edges/reviews.ts";
import { document, type Html } from "../../../lib/page/document.ts";
import { clip, minute, usd } from "../../../lib/page/text.ts";
import { isOpen } from "../decide.ts";
import type { ReviewView } from "../load.ts";
import { columnsOf } from "../summary-view.ts";
import { correctionCount, correctionList, type SaidOfFact } from "./correction.ts";
import { type FactCorrections, FORM, findingCard, findingRow, type PictureUrl } from "./finding.ts";

export interface ReviewPageOptions {
  readonly pictureUrl: PictureUrl;
  /** The address of one of the run's outputs, by its name. */
  readonly outputUrl: (name: string) => string;
  readonly now: Date;
  /** Why the form was refused. */
  readonly problem?: string;
  /** The comment as it was typed, so that an error does not lose it. */
  readonly comment?: string;
  /** Corrections that were typed, and not sent. */
  readonly draft?: readonly Correction[];
  /** The address of the page, which takes its forms. */
  readonly formUrl: string;
}

/** The review of one gate. */
export function reviewPage(view: ReviewView, options: ReviewPageOptions): Html {
  const { record, findings, items } = view;
  const { review, usage } = record;
  const { namespace, name } = findings.workload;
  const { heading, description, inputs } = askedOf(findings);
  const columns = columnsOf(items.flatMap(({ summary }) => summary ?? []));
  // A failure names its step by itself.
  const steps = new Set(findings.results.flatMap(({ step, outcome }) => (outcome === "failed" ? [] : [step]))).size > 1;
  const open = isOpen(record, options.now);
  const { draft = [] } = options;
  const own = review.decision ? (review.corrections ?? []) : draft;
  const carried = stillCarried(findings.carried ?? [], own);
  const corrections = [...carried, ...own];
  const ofFinding = <T extends SaidOfFact>(all: readonly T[], finding: Finding): ReadonlyMap<string, T> =>
    new Map(all.flatMap((one) => (isOfFinding(one, finding) ? [[one.fact, one]] : [])));
  const said = (finding: Finding): FactCorrections => ({
    now: ofFinding(corrections, finding),
    before: ofFinding(findings.noted ?? [], finding),
  });
  return document(
    `Review of ${name}: ${review.gate}`,
    html`${open ? html`<a class="skip" href="#decide">Skip to the decision</a>` : ""}<main>
      <p class="soft">Gate <strong>${review.gate}</strong> of workload ${namespace}/${name}, pipeline ${findings.pipeline.namespace}/${findings.pipeline.name}</p>
      <h1${heading.length > LONG_HEADING ? html` class="long"` : ""}>${heading}</h1>
      ${description ? html`<p class="soft">${description}</p>` : ""}
      ${open ? html`<p><a href="#decide">Go to the decision</a></p>` : endOf(record, options, review.decision === "approved" ? corrections : own)}
      <dl class="facts">
        <div><dt>Results</dt><dd>${countsOf(findings)}</dd></div>
        <div><dt>Cost so far</dt><dd>${usd(usage.costUsd)}, ${(usage.inputTokens + usage.outputTokens).toLocaleString("en")} tokens</dd></div>
        <div><dt>Approving costs at most</dt><dd>${review.costOfApproving === undefined ? "not known" : usd(Number(review.costOfApproving))}</dd></div>
        <div><dt>Without a decision by ${minute(review.timeoutAt)}</dt><dd>${review.onTimeout === "Approve" ? "approved" : "rejected"}</dd></div>
        <div><dt>Digest of these findings</dt><dd><code title="${review.digest}">${review.digest.slice(0, 16)}</code></dd></div>
        ${record.traceUrl === undefined ? "" : html`<div><dt>Trace</dt><dd><a href="${record.traceUrl}" rel="noopener noreferrer">What has been done so far</a></dd></div>`}
      </dl>
      ${changesOf(findings)}
      ${inputs.length > 0 ? html`<h2>Inputs</h2><dl class="list">${inputs.map(([label, value]) => html`<div><dt>${label}</dt><dd>${String(value)}</dd></div>`)}</dl>` : ""}
      <h2>At a glance</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="All results at a glance"><table class="wide">
        <thead><tr><th scope="col">Result</th>${steps ? html`<th scope="col">Step</th>` : ""}${columns.map((label) => html`<th scope="col">${label}</th>`)}<th scope="col">Caveats</th></tr></thead>
        <tbody>${items.map((item, index) => findingRow(item, index, { columns, steps, said: said(item.finding) }))}</tbody>
      </table></div>
      ${open ? form(review, options, carried) : ""}
      <h2>One by one</h2>
      ${items.map((item, index) => findingCard(item, index, { steps, said: said(item.finding), open, pictureUrl: options.pictureUrl }))}</main>`,
  );
}

/** What was asked for in earlier reviews, and done again since. */
function changesOf({ changes = [] }: Findings): Html | "" {
  if (changes.length === 0) return "";
  return html`<h2>Changes requested before</h2>${changes.map(
    ({ steps, comment, corrections = [], by, at }) =>
      html`<div class="notice">${by} at ${minute(at)}, of ${steps.join(", ")}:<blockquote>${comment}</blockquote>${corrections.length > 0 ? correctionList(corrections) : ""}</div>`,
  )}`;
}

/** Characters. A longer heading is set in smaller type. */
const LONG_HEADING = 160;

/** What was asked of the run. Its only text is the best heading there is. */
function askedOf({ inputs, pipeline, gate }: Findings): {
  heading: string;
  description?: string | undefined;
  inputs: readonly (readonly [string, string | number | boolean])[];
} {
  const all = Object.entries(inputs);
  const [text, ...others] = all.filter(([, value]) => typeof value === "string" && value.trim() !== "");
  if (!text || others.length > 0) return { heading: pipeline.description ?? `Review at gate ${gate}`, inputs: all };
  const rest = all.filter(([name]) => name !== text[0]);
  return { heading: String(text[1]), description: pipeline.description, inputs: rest };
}

function countsOf({ results, leftOut = [] }: Findings): string {
  const count = (outcome: string): number => results.filter((one) => one.outcome === outcome).length;
  const skipped = count("skipped");
  const omitted = leftOut.map(({ step, items }) => `, ${items} items of ${step} left out: the run had no room`);
  return `${count("succeeded")} succeeded, ${count("failed")} failed${skipped ? `, ${skipped} skipped` : ""}${omitted.join("")}`;
}

const WAYS: Readonly<Record<Decision["how"], string>> = {
  ReviewLink: "with the review link",
  AgentDecision: "with kubectl",
  CommandLine: "on the command line",
  Setting: "by a setting",
  Timeout: "by the timeout",
  Argo: "in Argo",
};

const DECIDED: Readonly<Record<Decision["decision"], string>> = {
  approved: "Approved",
  rejected: "Rejected",
  changesRequested: "Changes requested",
};

/** Of a review that nobody can decide on any more. */
function endOf(
  { review, ended, outputs = {} }: ReviewRecord,
  { problem, comment: typed, draft = [], outputUrl }: ReviewPageOptions,
  corrections: readonly SaidOfFact[],
): Html {
  const decision = decisionOf(review);
  const refused = problem
    ? html`<div class="notice bad" role="alert">Your decision was not taken: ${problem}${typed ? html`<p>Your comment was:</p><blockquote>${typed}</blockquote>` : ""}${draft.length > 0 ? html`<p>Your corrections were:</p>${correctionList(draft)}` : ""}</div>`
    : "";
  if (!decision && ended !== undefined)
    return html`${refused}<div class="notice"><strong>Not decided</strong>: ${ended}, and nothing waits for a decision any more.</div>`;
  if (!decision) {
    const then = review.onTimeout === "Approve" ? "approved" : "rejected";
    return html`${refused}<div class="notice"><strong>Timed out</strong> at ${minute(review.timeoutAt)}. The review is ${then} automatically.</div>`;
  }
  const { by, how, automatic, at, comment } = decision;
  const names = Object.keys(outputs);
  return html`${refused}<div class="notice"><strong>${DECIDED[decision.decision]}</strong> by ${by} ${WAYS[how]} at ${minute(at)}.
    ${automatic ? html`<p>No person was asked: ${whyNobody(decision, review)}</p>` : ""}
    ${comment ? html`<blockquote>${comment}</blockquote>` : ""}
    ${corrections.length > 0 ? html`<details><summary>${correctionCount(corrections)}</summary>${correctionList(corrections)}</details>` : ""}
    ${names.length > 0 ? html`<p>Outputs: ${names.map((name, index) => html`${index > 0 ? ", " : ""}<a href="${outputUrl(name)}">${clip(name, 60)}</a>`)}</p>` : ""}</div>`;
}

function whyNobody({ how, by }: Decision, { timeoutAt, onTimeout }: ReviewRecord["review"]): string {
  switch (how) {
    case "Setting":
      return "the workload's review.required is false.";
    case "Timeout":
      return `nobody decided by ${minute(timeoutAt)}, and onTimeout is ${onTimeout}.`;
    case "Argo":
      return "Argo ended the wait after the timeout.";
    default:
      return `${by} decided without showing the findings.`;
  }
}

function form(
  { digest, changeable = [] }: ReviewRecord["review"],
  { problem, comment = "", draft = [], formUrl }: ReviewPageOptions,
  carried: readonly MadeCorrection[],
): Html {
  const corrections = [...carried, ...draft];
  return html`<h2 id="decide">Your decision</h2>
    ${problem ? html`<div class="notice bad" role="alert">${problem}</div>` : ""}
    <form method="post" id="${FORM}" action="${formUrl}">
      <input type="hidden" name="digest" value="${digest}">
      <input type="hidden" name="draft" value="${JSON.stringify(draft)}">
      <label for="comment">Comment for the steps that follow and for readers of the outputs (${changeable.length > 0 ? "needed to request changes" : "optional"})</label>
      <textarea id="comment" name="comment" maxlength="4000">${comment}</textarea>
      ${corrections.length > 0 ? html`<p><strong>${correctionCount(corrections)}</strong>. When you approve, what follows is on what is left of the facts. Otherwise those of this review say what is wrong, to the steps that run again and to the workload's author.</p>${correctionList(corrections)}` : ""}
      ${draft.length > 0 ? html`<p><button class="minor" name="clear" value="yes">Remove those of this review</button></p>` : ""}
      <button class="go" name="decision" value="approved">Approve${corrections.length > 0 ? ` with ${correctionCount(corrections)}` : ""}</button>
      ${changeable.length > 0 ? html`<button class="redo" name="decision" value="changesRequested" aria-describedby="changes">Request changes</button>` : ""}
      <button class="stop" name="decision" value="rejected">Reject</button>
      ${changeable.length > 0 ? html`<p class="soft" id="changes">Requesting changes runs the steps shown here again with your comment, at their cost, and asks for another review.</p>` : ""}
    </form>`;
}
