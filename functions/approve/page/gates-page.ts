import { html } from "hono/html";
import type { ReviewRecord, ReviewRef } from "../../../lib/edges/reviews.ts";
import { document, type Html } from "../../../lib/page/document.ts";
import { minute } from "../../../lib/page/text.ts";
import { isOver } from "../decide.ts";

export interface GatesPageOptions {
  readonly gateUrl: (gate: string) => string;
  readonly now: Date;
}

/** The reviews of one workload that somebody may see. */
export function gatesPage(ref: ReviewRef, records: readonly ReviewRecord[], options: GatesPageOptions): Html {
  return document(
    `Reviews of ${ref.name}`,
    html`<main><p class="soft">Workload ${ref.namespace}/${ref.name}</p>
      <h1>${records.length} reviews</h1>
      <div class="scroll" tabindex="0" role="region" aria-label="Reviews"><table>
        <thead><tr><th scope="col">Gate</th><th scope="col">State</th></tr></thead>
        <tbody>${records.map(({ review, ended }) => html`<tr><th scope="row"><a href="${options.gateUrl(review.gate)}">${review.gate}</a></th><td>${stateOf({ review, ended }, options.now)}</td></tr>`)}</tbody>
      </table></div></main>`,
  );
}

function stateOf({ review, ended }: Pick<ReviewRecord, "review" | "ended">, now: Date): string {
  const { decision, by, at = "", timeoutAt } = review;
  if (decision) return `${decision} by ${by} at ${minute(at)}`;
  if (ended !== undefined) return `not decided: ${ended}`;
  return isOver(review, now) ? `timed out at ${minute(timeoutAt)}` : `waits for a decision until ${minute(timeoutAt)}`;
}
