import { html } from "hono/html";
import type { Correction } from "../../../crd/agentworkload.ts";
import type { Html } from "../../../lib/page/document.ts";
import { clip } from "../../../lib/page/text.ts";

const MAX_NAME = 120;
const MAX_VALUE = 200;

/** What is said of a fact, after its value. */
export function corrected(shown: Html | string, { action, value, comment }: Correction): Html {
  const said = comment ? html`<p><strong class="mark">Comment</strong> ${comment}</p>` : "";
  switch (action) {
    case "strike":
      return html`<del>${shown}</del> <strong class="mark">Struck</strong>${said}`;
    case "correct":
      return html`<del>${shown}</del> <strong class="mark">Corrected to</strong> <ins>${value}</ins>${said}`;
    case "comment":
      return html`${shown}${said}`;
  }
}

/** All corrections, each with what it is of. */
export function correctionList(corrections: readonly Correction[]): Html {
  return html`<ul>${corrections.map((one) => html`<li>${one.item === undefined ? one.step : clip(one.item, MAX_NAME)}: ${corrected(clip(one.of, MAX_VALUE), one)}</li>`)}</ul>`;
}

/** "3 corrections" */
export function correctionCount({ length }: readonly Correction[]): string {
  return length === 1 ? "1 correction" : `${length} corrections`;
}
