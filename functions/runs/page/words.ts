import { html } from "hono/html";
import type { Review, WorkloadStatus } from "../../../crd/agentworkload.ts";
import type { Html } from "../../../lib/page/document.ts";
import { clip, minute } from "../../../lib/page/text.ts";

type Phase = NonNullable<WorkloadStatus["phase"]>;

const KINDS: Readonly<Record<Phase, "busy" | "wait" | "good" | "bad">> = {
  Pending: "busy",
  Creating: "busy",
  Running: "busy",
  AwaitingReview: "wait",
  Suspended: "wait",
  Succeeded: "good",
  Rejected: "bad",
  Failed: "bad",
};
const PHASES: Readonly<Record<Phase, string>> = {
  Pending: "Pending",
  Creating: "Creating",
  Running: "Running",
  AwaitingReview: "Awaiting review",
  Suspended: "Suspended",
  Succeeded: "Succeeded",
  Rejected: "Rejected",
  Failed: "Failed",
};

export function badge(phase: Phase = "Pending"): Html {
  return html`<span class="badge ${KINDS[phase]}">${PHASES[phase]}</span>`;
}

export function instant(at: string): Html {
  return html`<time datetime="${at}">${minute(at)}</time>`;
}

/** Characters of a message of somebody else's. */
const MAX_MESSAGE = 600;

export function trouble(problem: { readonly reason: string; readonly message: string }): Html {
  return html`<p class="failed"><strong>${problem.reason}</strong>: ${clip(problem.message, MAX_MESSAGE)}</p>`;
}

export function waiting({ gate, openedAt, timeoutAt, onTimeout }: Review): Html {
  const then = onTimeout === "Approve" ? "approved" : "rejected";
  return html`<p class="waits"><strong>Gate ${gate}</strong> waits for a decision since ${instant(openedAt)}; without one it is ${then} at ${instant(timeoutAt)}</p>`;
}

export const UNREADABLE: Html = html`<p class="failed">The status of this workload is of another version than this page. <code>kubectl get aw</code> shows it.</p>`;
