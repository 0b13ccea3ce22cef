import type { KeyObject } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { EventByHand } from "../agent/invocation.ts";
import { reviewToken } from "../cli/local/approver.ts";
import type { AgentWorkload } from "../crd/agentworkload.ts";
import { parseDuration } from "../crd/duration.ts";
import { canonicalJson } from "../lib/canonical.ts";
import type { Settings } from "../lib/config.ts";
import { type Artifacts, digestOf } from "../lib/edges/artifacts.ts";
import { createFolderReviews, type FolderReviews } from "../lib/edges/reviews.ts";
import { NO_USAGE, type StepResult } from "../lib/step.ts";
import { findingsOf, type Outcomes, usageOf } from "../pipeline/outcomes.ts";
import type { RunOrder } from "../pipeline/run-order.ts";

/** Opens the review of what was found so far. @returns the event by which its reader approves it */
export async function openReview(
  order: RunOrder,
  outcomes: Outcomes,
  has: { artifacts: Artifacts; settings: Settings; key: KeyObject; spec: AgentWorkload["spec"] },
): Promise<EventByHand> {
  const { namespace, name, uid } = order.workload;
  if (!outcomes.get("analyze")?.some(({ outcome }) => outcome === "succeeded"))
    throw new Error("nothing to review: no site is analyzed yet");
  const findings = await has.artifacts.put(uid, canonicalJson(findingsOf(order, outcomes)), "json");
  const digest = digestOf(findings);
  const { timeout, onTimeout } = has.spec.review;
  const review = {
    workload: order.workload,
    run: order.run,
    findings,
    digest,
    costSoFar: usageOf(outcomes),
    costOfApproving: 0,
    openedAt: new Date().toISOString(),
    timeoutAt: new Date(Date.now() + parseDuration(timeout)).toISOString(),
    onTimeout,
  };
  await reviewsOf(has.settings).open(review);
  const token = await reviewToken(has.key, review);
  const data = { namespace, name, token, decision: "approved", digest };
  return { id: `${digest.slice(0, 32)}-decided`, type: "dev.agentic.review.decided", data };
}

/** The gate's result, once its reader has decided. */
export async function reviewed(order: RunOrder, artifacts: Artifacts, settings: Settings): Promise<StepResult> {
  const review = await reviewsOf(settings).read(order.workload);
  if (!review?.decision) throw new Error("the review is not decided: invoke approve before report");
  const { findings, decision } = review;
  return {
    outcome: "succeeded",
    output: decision.decision,
    artifacts: { findings, decision: await artifacts.put(order.workload.uid, canonicalJson(decision), "json") },
    usage: NO_USAGE,
  };
}

/** Where the function approve keeps them (REVIEWS=folder). */
function reviewsOf(settings: Settings): FolderReviews {
  return createFolderReviews(`${fileURLToPath(settings.ARTIFACTS_URL)}/reviews`);
}
