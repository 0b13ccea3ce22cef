import { z } from "zod";
import { correctionsSchema, DECISIONS } from "../../crd/agentworkload.ts";
import { notChangeable } from "../../engine/changes.ts";
import { sameCorrections } from "../../engine/corrections.ts";
import type { Decision } from "../../engine/findings.ts";
import { checkCorrections } from "../../lib/corrections.ts";
import type { ReviewRecord } from "../../lib/edges/reviews.ts";
import { ATTRIBUTE } from "../../lib/telemetry/attributes.ts";
import { AUDIT } from "../../lib/telemetry/audit.ts";
import { underGate } from "../../lib/telemetry/context.ts";
import { METRIC } from "../../lib/telemetry/metrics.ts";
import type { Admitted, Refusal } from "./admit.ts";
import type { ApproveDeps } from "./deps.ts";
import { loadFindings } from "./load.ts";

/** A decision as it comes in: by form, as JSON or in a CloudEvent. */
export const decisionRequestSchema = z
  .object({
    decision: z.enum(DECISIONS, `expected ${DECISIONS.map((one) => `"${one}"`).join(", ")}`),
    digest: z.string().regex(/^[0-9a-f]{64}$/, "expected the sha256 of the findings, as the review page shows it"),
    comment: z.string().trim().max(4000, "expected at most 4,000 characters").optional(),
    /** Steps that run again; absent: those that the gate shows. */
    steps: z.array(z.string()).min(1).optional(),
    corrections: correctionsSchema.optional(),
  })
  .refine(({ decision, comment }) => decision !== "changesRequested" || comment, {
    path: ["comment"],
    message: "say what is to be changed",
  })
  .refine(({ decision, steps }) => decision === "changesRequested" || !steps, {
    path: ["steps"],
    message: "these are only for changesRequested",
  });
export type DecisionRequest = z.infer<typeof decisionRequestSchema>;

export type Verdict = { readonly status: 200; readonly decision: Decision } | Refusal;

/** The only way to a decision: the form, JSON and the CloudEvent all end here. */
export async function decide(deps: ApproveDeps, admitted: Admitted, request: DecisionRequest): Promise<Verdict> {
  const verdict = await verdictOn(deps, admitted, request);
  const { workload, review } = admitted.record;
  const { by, how } = admitted.who;
  METRIC.decisions.record(1, { how, outcome: verdict.status === 200 ? verdict.decision.decision : verdict.reason });
  const asked = {
    [ATTRIBUTE.namespace]: workload.namespace,
    [ATTRIBUTE.workload]: workload.name,
    [ATTRIBUTE.step]: review.gate,
    "user.name": by,
    [ATTRIBUTE.decidedHow]: how,
    [ATTRIBUTE.outcome]: request.decision,
    "agentic.findings.digest": request.digest,
    "agentic.decision.corrections": request.corrections?.length,
  };
  underGate({ uid: workload.uid, run: review.run, gate: review.gate }, () => {
    if (verdict.status === 200) AUDIT.decisionMade.record(deps.log, asked);
    else
      AUDIT.decisionDenied.record(deps.log, {
        ...asked,
        [ATTRIBUTE.reason]: verdict.reason,
        "agentic.message": verdict.message,
      });
  });
  return verdict;
}

async function verdictOn(
  { artifacts, reviews, now }: ApproveDeps,
  { record, who }: Admitted,
  request: DecisionRequest,
): Promise<Verdict> {
  const { workload, review } = record;
  const at = now();
  if (!review.decision && isOver(review, at))
    return {
      status: 409,
      reason: "TimedOut",
      message: `the review timed out at ${review.timeoutAt}, and onTimeout (${review.onTimeout}) decides it`,
    };
  // Reconcile would not take it, and nobody else could decide any more.
  const isAsked = request.decision === "changesRequested" && !review.decision;
  const wrong = isAsked ? notChangeable(review, request.steps) : undefined;
  if (wrong !== undefined) return { status: 409, reason: "NotChangeable", message: wrong };
  const comment = request.comment || undefined;
  const { corrections } = request;
  if (corrections && !review.decision && request.digest === review.digest) {
    const problem = await checkCorrections(artifacts, await loadFindings(artifacts, record), request);
    if (problem !== undefined) return { status: 422, reason: "InvalidCorrections", message: problem };
  }
  const decided = await reviews.decide(workload, {
    gate: review.gate,
    digest: request.digest,
    decision: request.decision,
    ...(request.steps === undefined ? {} : { steps: request.steps }),
    by: who.by,
    how: who.how,
    automatic: false,
    at: at.toISOString(),
    ...(comment === undefined ? {} : { comment }),
    ...(corrections === undefined ? {} : { corrections }),
  });
  switch (decided.outcome) {
    case "decided":
      return { status: 200, decision: decided.decision };
    case "notFound":
      return { status: 404, reason: "NoReview", message: "the review no longer exists" };
    case "ended":
      return { status: 409, reason: "RunEnded", message: `${decided.why}, and nothing waits for a decision any more` };
    case "otherDigest":
      return {
        status: 409,
        reason: "DigestMismatch",
        message: `the decision is on other findings than those of the review, whose digest starts with ${decided.digest.slice(0, 16)}: read the review page again before you decide`,
      };
    case "alreadyDecided": {
      const { decision } = decided;
      // A repetition of the same decision is no conflict: the reply to the first may have been lost.
      const repeated =
        decision.decision === request.decision &&
        decision.by === who.by &&
        decision.comment === comment &&
        sameCorrections(decision.corrections, corrections);
      if (repeated) return { status: 200, decision };
      const message = `${decision.by} ${decision.decision} it at ${decision.at}, and that stands`;
      return { status: 409, reason: "AlreadyDecided", message };
    }
  }
}

/** Whether a decision would be taken. */
export function isOpen({ review, ended }: Pick<ReviewRecord, "review" | "ended">, now: Date): boolean {
  return !review.decision && ended === undefined && !isOver(review, now);
}

/** Whether the time for a decision is over. */
export function isOver({ timeoutAt }: { readonly timeoutAt: string }, now: Date): boolean {
  return now.getTime() >= Date.parse(timeoutAt);
}
