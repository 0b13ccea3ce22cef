import type { ArtifactReader } from "../../lib/edges/artifacts.ts";
import type { Reviews } from "../../lib/edges/reviews.ts";
import type { Logger } from "../../lib/log.ts";
import type { Authorize } from "../../lib/review-link.ts";

export interface ApproveDeps {
  readonly reviews: Reviews;
  readonly artifacts: ArtifactReader;
  readonly authorize: Authorize;
  readonly now: () => Date;
  readonly log: Logger;
  readonly draining: AbortSignal;
}
