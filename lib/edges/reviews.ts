import { z } from "zod";
import { reviewSchema } from "../../crd/agentworkload.ts";
import { type Decision, decisionSchema } from "../../engine/findings.ts";
import { usageSchema, workloadRefSchema } from "../../engine/result.ts";

/** One gate's review with what its page shows beside it. The review has its decision once there is one. */
export const reviewRecordSchema = z.strictObject({
  workload: workloadRefSchema,
  review: reviewSchema,
  /** Artifact key of the findings. */
  findings: z.string(),
  /** What the run has cost so far. */
  usage: usageSchema,
  /** Why an open review takes no decision any more, as half a sentence. Absent: it does. */
  ended: z.string().optional(),
  /** Artifact keys of the run's outputs by name, once there are any. */
  outputs: z.record(z.string(), z.string()).optional(),
  /** Where the run's trace is looked at. */
  traceUrl: z.url({ protocol: /^https?$/ }).optional(),
});
export type ReviewRecord = z.infer<typeof reviewRecordSchema>;

/** Names the workload whose reviews are meant. */
export interface ReviewRef {
  readonly namespace: string;
  readonly name: string;
}

export type DecideOutcome =
  | { readonly outcome: "decided"; readonly decision: Decision }
  /** The workload, or this gate's review, does not exist. */
  | { readonly outcome: "notFound" }
  /** Nobody has decided, and nothing waits for a decision any more: why, as half a sentence. */
  | { readonly outcome: "ended"; readonly why: string }
  /** The gate's review has these findings now. */
  | { readonly outcome: "otherDigest"; readonly digest: string }
  /** The earlier decision, which stands. */
  | { readonly outcome: "alreadyDecided"; readonly decision: Decision };

/** Reviews and their decisions. A decision is durable before it is acknowledged, and each review has at most one. */
export interface Reviews {
  /** The reviews of the workload's gates, in the order in which they opened. */
  list(ref: ReviewRef): Promise<readonly ReviewRecord[]>;
  read(ref: ReviewRef, gate: string): Promise<ReviewRecord | undefined>;
  /** The decision's gate and digest name the review. */
  decide(ref: ReviewRef, decision: Decision): Promise<DecideOutcome>;
}

/** The decision of a decided review. @throws ZodError for a decision that is not complete */
export function decisionOf(review: ReviewRecord["review"]): Decision | undefined {
  return review.decision === undefined ? undefined : decisionSchema.strip().parse(review);
}
