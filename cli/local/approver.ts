import type { KeyObject } from "node:crypto";
import { userInfo } from "node:os";
import type { Hono } from "hono";
import { createApp } from "../../functions/approve/index.ts";
import type { ArtifactReader } from "../../lib/edges/artifacts.ts";
import type { ReviewRecord, Reviews } from "../../lib/edges/reviews.ts";
import type { Logger } from "../../lib/log.ts";
import { createLinkAuthorizer, mintReviewLink, type ReviewLink } from "../../lib/review-link.ts";

export interface ApproverDeps {
  readonly reviews: Reviews;
  readonly artifacts: ArtifactReader;
  readonly publicKey: KeyObject;
  readonly log: Logger;
  readonly draining: AbortSignal;
}

/** The approve function over a run's folder. */
export function createApprover(deps: ApproverDeps): Hono {
  return createApp({ ...deps, authorize: createLinkAuthorizer([deps.publicKey]), now: () => new Date() });
}

/** The permission to decide on one gate's findings, in the name of the user who runs this command. */
export function reviewToken(privateKey: KeyObject, record: ReviewRecord, how: ReviewLink["how"]): Promise<string> {
  const { namespace, name } = record.workload;
  const { gate, digest, timeoutAt } = record.review;
  const link = { namespace, name, gate, digest, by: userInfo().username, how };
  return mintReviewLink(privateKey, link, new Date(timeoutAt));
}

/** Path of a gate's review page, and of the decision on it. */
export function reviewPath({ workload, review }: ReviewRecord): string {
  return `/review/${workload.namespace}/${workload.name}/${review.gate}`;
}
