import { html } from "hono/html";
import type { Correction } from "../../../crd/agentworkload.ts";
import type { MadeCorrection } from "../../../engine/findings.ts";
import type { Summary } from "../../../engine/summary.ts";
import type { ReviewRecord } from "../../../lib/edges/reviews.ts";
import { document, type Html } from "../../../lib/page/document.ts";
import { FIELDS, NOTHING, type Typed, type TypedFact } from "../draft.ts";
import type { Fact } from "../summary-view.ts";
import { carriedFrom, notedBefore } from "./correction.ts";

export interface FactsPageOptions {
  readonly record: ReviewRecord;
  /** Of the finding, in the findings. */
  readonly index: number;
  readonly summary: Summary;
  readonly typed: Typed;
  /** Of this finding, from an earlier review. */
  readonly carried: readonly MadeCorrection[];
  /** What an earlier review said of this finding's facts when they had other values. */
  readonly noted: readonly MadeCorrection[];
  /** The corrections so far, those of other findings among them. */
  readonly draft: readonly Correction[];
  /** The comment of the decision, as it was typed so far. */
  readonly comment?: string;
  readonly formUrl: string;
  /** Why what was typed is not taken. */
  readonly problem?: string;
}

/** The facts of one finding that can be corrected, with fields. They are a page of their own: a review may be about thousands. */
export function factsPage(options: FactsPageOptions): Html {
  const { record, index, summary, typed, carried, noted, draft, comment = "", formUrl, problem } = options;
  const fieldsOf = (fact: Fact, at: number): Html | "" =>
    fact.id === undefined
      ? ""
      : factFields(
          fact,
          at,
          typed.get(fact.id) ?? NOTHING,
          carried.find((one) => one.fact === fact.id),
          noted.find((one) => one.fact === fact.id),
        );
  const { workload, review } = record;
  return document(
    `Correct facts of ${summary.title}`,
    html`<main>
      <p class="soft">Gate <strong>${review.gate}</strong> of workload ${workload.namespace}/${workload.name}</p>
      <h1>Correct facts of ${summary.title}</h1>
      <p>What you leave empty stands as it was found. Nothing is decided here: what you say goes with your decision.</p>
      ${problem ? html`<div class="notice bad" role="alert">${problem}</div>` : ""}
      <form method="post" action="${formUrl}#item-${index}">
        <input type="hidden" name="digest" value="${review.digest}">
        <input type="hidden" name="comment" value="${comment}">
        <input type="hidden" name="draft" value="${JSON.stringify(draft)}">
        ${summary.facts.map(fieldsOf)}
        <button class="go" name="edited" value="${index}">Keep and go back</button>
      </form></main>`,
  );
}

function factFields(
  { label, value, quote }: Fact,
  at: number,
  { strike, value: to, comment }: TypedFact,
  before: MadeCorrection | undefined,
  note: MadeCorrection | undefined,
): Html {
  const isTyped = strike || to !== "" || comment !== "";
  const field = (name: keyof typeof FIELDS): string => FIELDS[name](at);
  return html`<details class="fact"${isTyped || before ? html` open` : ""}><summary>${label}: ${value}</summary>
    <fieldset><legend class="skip">${label}: ${value}</legend>
      ${quote && quote !== value ? html`<blockquote>${quote}</blockquote>` : ""}
      ${note ? notedBefore(note) : ""}
      ${before ? html`<p class="soft">${carriedFrom(before)}. Empty the fields to drop it.</p>` : ""}
      <label class="choice"><input type="checkbox" name="${field("strike")}"${strike ? html` checked` : ""}> Strike: it does not hold</label>
      <label for="${field("value")}">Correct to</label>
      <textarea class="short" id="${field("value")}" name="${field("value")}" maxlength="1000">${to}</textarea>
      <label for="${field("comment")}">Comment</label>
      <textarea class="short" id="${field("comment")}" name="${field("comment")}" maxlength="1000">${comment}</textarea>
    </fieldset></details>`;
}
