import { html } from "hono/html";
import type { Review, WorkloadStatus } from "../../../crd/agentworkload.ts";
import {
  type FailedItem,
  failureTexts,
  itemsText,
  notReady,
  reviewText,
  stepText,
  troubleOf,
  waitingReviews,
} from "../../../engine/status-text.ts";
import type { Html } from "../../../lib/page/document.ts";
import { clip, httpUrl, usd } from "../../../lib/page/text.ts";
import type { SeenRun } from "../run.ts";
import { rendered, stale } from "./list.ts";
import type { Shown } from "./live.ts";
import { badge, instant, trouble, UNREADABLE, waiting } from "./words.ts";

export interface RunPageOptions {
  readonly failures: readonly FailedItem[];
  readonly staleSince: Date | undefined;
}

/** Characters of what somebody wrote into a decision, or a step said of its failure. */
const MAX_TEXT = 600;

export async function runShown(run: SeenRun, { failures, staleSince }: RunPageOptions): Promise<Shown> {
  const { metadata, status, unreadable } = run;
  const gates = waitingReviews(run);
  // What waits for a decision says so by itself.
  const problem = gates.length > 0 ? troubleOf(status) : notReady(status);
  const isFailure = status.phase === "Failed" || status.phase === "Rejected";
  const blocks: (readonly [string, Html])[] = [
    [
      "head",
      html`<section id="head" aria-label="State">
        <p>${badge(status.phase)}</p>
        ${stale(staleSince)}
        ${unreadable ? UNREADABLE : ""}
        ${problem ? (isFailure ? trouble(problem) : html`<p class="soft">${problem.reason}: ${clip(problem.message, MAX_TEXT)}</p>`) : ""}
        ${facts(run)}
      </section>`,
    ],
    ...gates.map((review, index) => [`gate-${index}`, gate(run, review, index)] as const),
  ];
  if (status.steps?.length)
    blocks.push([
      "steps",
      html`<section id="steps"><h2>Steps</h2><ol class="tree">${status.steps.map((step) => branch(status, step, failures))}</ol></section>`,
    ]);
  if (Object.keys(status.outputs ?? {}).length > 0) blocks.push(["outputs", outputs(run)]);
  return { title: `${metadata.name} in ${metadata.namespace}`, blocks: await rendered(blocks) };
}

function facts({ metadata, status }: SeenRun): Html {
  const { pipeline, usage, startedAt, finishedAt, trace, traceUrl, items } = status;
  const progress = itemsText(status);
  const entry = (label: string, value: Html | string | undefined): Html | "" =>
    value === undefined ? "" : html`<div><dt>${label}</dt><dd>${value}</dd></div>`;
  return html`${items && items.total > 0 ? html`<progress max="${items.total}" value="${items.done}" aria-label="Items done"></progress>` : ""}
    <dl class="facts">
      ${entry("Pipeline", pipeline)}${entry("Progress", progress)}
      ${entry("Cost so far", usage && `${usd(Number(usage.costUsd))}, ${(usage.inputTokens + usage.outputTokens).toLocaleString("en")} tokens`)}
      ${startedAt ? entry("Started", instant(startedAt)) : entry("Created", instant(metadata.createdAt))}
      ${entry("Finished", finishedAt && instant(finishedAt))}
      ${entry("Trace", trace && traceLink(trace, traceUrl))}
    </dl>`;
}

function traceLink(trace: string, address: string | undefined): Html {
  const url = address && httpUrl(address);
  return url ? html`<a href="${url}" rel="noopener noreferrer"><code>${trace}</code></a>` : html`<code>${trace}</code>`;
}

function gate({ metadata: { namespace, name } }: SeenRun, review: Review, index: number): Html {
  const about = `${name} -n ${namespace} --gate ${review.gate}`;
  return html`<section id="gate-${index}" class="notice gate">
    ${waiting(review)}
    <p>Approving costs at most ${review.costOfApproving === undefined ? "an amount that is not known" : usd(Number(review.costOfApproving))}. See what it is about, and decide:</p>
    <pre tabindex="0" aria-label="Commands">kubectl agentic review ${about} --open
kubectl agentic approve ${about}</pre>
  </section>`;
}

function branch(
  { reviews = [] }: WorkloadStatus,
  step: NonNullable<WorkloadStatus["steps"]>[number],
  failures: readonly FailedItem[],
): Html {
  const review = reviews.findLast((one) => one.gate === step.name);
  const text = review?.decision ? reviewText(review) : review ? "waits for a decision" : stepText(step);
  const failed = failureTexts(failures.filter((one) => one.step === step.name));
  const cost = Number(step.costUsd);
  return html`<li><strong>${step.name}</strong> ${clip(text, MAX_TEXT)}${cost > 0 ? html` <span class="soft">${usd(cost)}</span>` : ""}
    ${failed.length > 0 ? html`<ul>${failed.map((text) => html`<li>${clip(text, MAX_TEXT)}</li>`)}</ul>` : ""}</li>`;
}

function outputs({ metadata: { namespace, name }, status }: SeenRun): Html {
  const names = Object.keys(status.outputs ?? {});
  return html`<section id="outputs"><h2>Outputs</h2><p>${names.join(", ")}</p>
    <pre tabindex="0" aria-label="Command">kubectl agentic outputs ${name} -n ${namespace} --open</pre></section>`;
}
