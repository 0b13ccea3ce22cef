import { z } from "zod";
import type { ReviewRef, Reviews } from "../../lib/edges/reviews.ts";
import type { Authorized } from "../../lib/review-link.ts";
import type { Decision } from "../../pipeline/findings.ts";

/** A decision as it comes in: by form, as JSON or in a CloudEvent. */
export const decisionRequestSchema = z.object({
  decision: z.enum(["approved", "rejected"], 'expected "approved" or "rejected"'),
  digest: z.string().regex(/^[0-9a-f]{64}$/, "expected the sha256 of the findings, as the review page shows it"),
  comment: z.string().max(4000, "at most 4,000 characters").optional(),
});
export type DecisionRequest = z.infer<typeof decisionRequestSchema>;

export type Verdict =
  | { readonly status: 200; readonly decision: Decision }
  | { readonly status: 403 | 404 | 409; readonly reason: string; readonly message: string };

/** The one way to a decision, whichever of the three ways in it came. */
export async function decide(
  reviews: Reviews,
  ref: ReviewRef,
  request: DecisionRequest,
  who: Authorized,
  now: Date,
): Promise<Verdict> {
  const review = await reviews.read(ref);
  if (!review)
    return { status: 404, reason: "NoReview", message: `no review is open for ${ref.namespace}/${ref.name}` };
  if (request.digest !== review.digest) return otherFindings(review.digest);
  if (who.digest !== review.digest)
    return {
      status: 403,
      reason: "OtherFindings",
      message: "this permission is for other findings; open the new link",
    };
  if (!review.decision && now.getTime() >= new Date(review.timeoutAt).getTime())
    return {
      status: 409,
      reason: "TimedOut",
      message: `the review ended at ${review.timeoutAt} (${review.onTimeout})`,
    };
  const comment = request.comment?.trim();
  const decided = await reviews.decide(ref, {
    decision: request.decision,
    digest: request.digest,
    by: who.by,
    at: now.toISOString(),
    ...(comment ? { comment } : {}),
  });
  switch (decided.outcome) {
    case "decided":
      return { status: 200, decision: decided.decision };
    case "notFound":
      return { status: 404, reason: "NoReview", message: "the review is gone" };
    case "otherDigest":
      return otherFindings(decided.digest);
    case "alreadyDecided": {
      const { decision } = decided;
      // The same answer asked for again is no conflict: its first reply may have been lost.
      if (
        decision.decision === request.decision &&
        decision.by === who.by &&
        decision.comment === (comment || undefined)
      )
        return { status: 200, decision };
      return {
        status: 409,
        reason: "AlreadyDecided",
        message: `${decision.by} ${decision.decision} it at ${decision.at}`,
      };
    }
  }
}

function otherFindings(digest: string): Verdict {
  return {
    status: 409,
    reason: "DigestMismatch",
    message: `the findings have changed since you looked (now ${digest.slice(0, 12)}…): look again before you decide`,
  };
}
