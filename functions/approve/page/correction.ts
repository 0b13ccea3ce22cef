import { html } from "hono/html";
import type { Correction } from "../../../crd/agentworkload.ts";
import type { MadeCorrection } from "../../../engine/findings.ts";
import type { Html } from "../../../lib/page/document.ts";
import { clip, minute } from "../../../lib/page/text.ts";

const MAX_NAME = 120;
const MAX_VALUE = 200;

/** What is said of a fact: in this review, or, with `by`, in an earlier one. */
export type SaidOfFact = Correction | MadeCorrection;

/** The value with what is said of it. */
export function corrected(shown: Html | string, said: SaidOfFact): Html {
  const { action, value, comment } = said;
  const more = html`${comment ? html`<p><strong class="mark">Comment</strong> ${comment}</p>` : ""}${"by" in said ? html`<p class="soft">${carriedFrom(said)}</p>` : ""}`;
  switch (action) {
    case "strike":
      return html`<del>${shown}</del> <strong class="mark">Struck</strong>${more}`;
    case "correct":
      return html`<del>${shown}</del> <strong class="mark">Corrected to</strong> <ins>${value}</ins>${more}`;
    case "comment":
      return html`${shown}${more}`;
    case "keep":
      return html`${shown} <strong class="mark">Kept as found</strong>${more}`;
  }
}

export function carriedFrom({ by, at }: MadeCorrection): string {
  return `Carried over from the review of ${minute(at)} by ${by}`;
}

/** What was said of a fact that has another value since, beside it. */
export function notedBefore({ by, at, ...said }: MadeCorrection): Html {
  return html`<div class="noted"><span class="soft">Last time, ${by} at ${minute(at)}:</span> ${corrected(clip(said.of, MAX_VALUE), said)}</div>`;
}

/** All corrections, each with what it is of. */
export function correctionList(corrections: readonly SaidOfFact[]): Html {
  return html`<ul>${corrections.map((one) => html`<li>${one.item === undefined ? one.step : clip(one.item, MAX_NAME)}: ${corrected(clip(one.of, MAX_VALUE), one)}</li>`)}</ul>`;
}

/** "3 corrections" */
export function correctionCount({ length }: readonly SaidOfFact[]): string {
  return length === 1 ? "1 correction" : `${length} corrections`;
}
