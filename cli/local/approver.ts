import type { KeyObject } from "node:crypto";
import { userInfo } from "node:os";
import type { Hono } from "hono";
import { createApp } from "../../functions/approve/index.ts";
import type { Artifacts } from "../../lib/edges/artifacts.ts";
import type { OpenReview, Reviews } from "../../lib/edges/reviews.ts";
import type { Logger } from "../../lib/log.ts";
import { createLinkAuthorizer, mintReviewLink } from "../../lib/review-link.ts";

export interface ApproverDeps {
  readonly reviews: Reviews;
  readonly artifacts: Artifacts;
  readonly publicKey: KeyObject;
  readonly log: Logger;
  readonly draining: AbortSignal;
}

/** The approve function over a run's folder. */
export function createApprover(deps: ApproverDeps): Hono {
  return createApp({ ...deps, authorize: createLinkAuthorizer(deps.publicKey), now: () => new Date() });
}

/** The permission to decide on a review, in the name of whoever runs this command. */
export function reviewToken(privateKey: KeyObject, review: OpenReview): Promise<string> {
  const { namespace, name } = review.workload;
  return mintReviewLink(
    privateKey,
    { namespace, name, digest: review.digest, by: userInfo().username },
    new Date(review.timeoutAt),
  );
}
