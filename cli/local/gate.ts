import { setTimeout as sleep } from "node:timers/promises";
import { canonicalJson } from "../../lib/canonical.ts";
import { type Artifacts, digestOf } from "../../lib/edges/artifacts.ts";
import type { FolderReviews, OpenReview } from "../../lib/edges/reviews.ts";
import { NO_USAGE, type StepResult, type Usage } from "../../lib/step.ts";
import type { Decision, Findings } from "../../pipeline/findings.ts";

export interface GateOptions {
  readonly reviews: FolderReviews;
  readonly artifacts: Artifacts;
  readonly timeoutMs: number;
  readonly onTimeout: "Approve" | "Reject";
  /** Decides at once: who is named as having decided, e.g. "agentic run --approve". */
  readonly approveAs: string | undefined;
  /** What the report is expected to cost, in US dollars. */
  readonly costOfApproving: number;
  /** The gate waits: tell the user where to decide. Resolves when that is served. */
  readonly onOpen: (review: OpenReview) => Promise<void>;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

const POLL_MS = 250;

/** Opens the gate over these findings, or finds it open from before, and waits for a decision or the timeout. */
export async function passGate(
  findings: Findings,
  usage: Usage,
  options: GateOptions,
): Promise<{ decision: Decision; result: StepResult }> {
  const { reviews, artifacts } = options;
  const { namespace, name, uid } = findings.workload;
  const key = await artifacts.put(uid, canonicalJson(findings), "json");
  const openedAt = options.now();
  await reviews.open({
    workload: findings.workload,
    run: findings.run,
    findings: key,
    digest: digestOf(key),
    costSoFar: usage,
    costOfApproving: options.costOfApproving,
    openedAt: openedAt.toISOString(),
    timeoutAt: new Date(openedAt.getTime() + options.timeoutMs).toISOString(),
    onTimeout: options.onTimeout,
  });
  const decision = await decided({ namespace, name }, options);
  const decisionKey = await artifacts.put(uid, canonicalJson(decision), "json");
  return {
    decision,
    result: {
      outcome: "succeeded",
      output: decision.decision,
      artifacts: { findings: key, decision: decisionKey },
      usage: NO_USAGE,
    },
  };
}

async function decided(ref: { namespace: string; name: string }, options: GateOptions): Promise<Decision> {
  const { reviews, now } = options;
  let told = false;
  for (;;) {
    const review = await reviews.read(ref);
    if (!review) throw new Error(`the review of ${ref.namespace}/${ref.name} is gone from its store`);
    if (review.decision) return review.decision;
    const automatic = automaticDecision(review, options);
    if (automatic) {
      // Refused when a human was faster: the next look finds theirs.
      await reviews.decide(ref, automatic);
      continue;
    }
    if (!told) await options.onOpen(review);
    told = true;
    const left = new Date(review.timeoutAt).getTime() - now().getTime();
    await sleep(Math.max(1, Math.min(POLL_MS, left)), undefined, { signal: options.signal });
  }
}

function automaticDecision(review: OpenReview, { approveAs, now }: GateOptions): Decision | undefined {
  const at = now();
  if (approveAs !== undefined)
    return { decision: "approved", digest: review.digest, by: approveAs, at: at.toISOString() };
  if (at.getTime() < new Date(review.timeoutAt).getTime()) return undefined;
  return {
    decision: review.onTimeout === "Approve" ? "approved" : "rejected",
    digest: review.digest,
    by: `timeout of spec.review (onTimeout: ${review.onTimeout})`,
    at: at.toISOString(),
  };
}
