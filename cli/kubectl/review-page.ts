import { generateKeyPairSync } from "node:crypto";
import { sameCorrections } from "../../engine/corrections.ts";
import { decisionSchema } from "../../engine/findings.ts";
import type { DecideOutcome, ReviewRecord, Reviews } from "../../lib/edges/reviews.ts";
import { decisionOf } from "../../lib/edges/reviews.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import { createLog } from "../../lib/log.ts";
import { mintReviewLink } from "../../lib/review-link.ts";
import { createApprover, reviewPath } from "../local/approver.ts";
import { createPageServer } from "../local/page-server.ts";
import type { Cluster, SeenWorkload } from "./cluster.ts";
import { makeDecision } from "./make-decision.ts";

const DAY_MS = 24 * 3_600_000;

/**
 * The review page on this machine: the function approve, in this process, over what the user's kubeconfig reads. A decision on it is an
 * AgentDecision in the user's own name. @returns the page's address, which permits the decision
 */
export async function serveReview(cluster: Cluster, workload: SeenWorkload, record: ReviewRecord): Promise<string> {
  const keys = generateKeyPairSync("ed25519");
  const app = createApprover({
    reviews: clusterReviews(cluster, workload),
    artifacts: cluster.artifacts,
    publicKey: keys.publicKey,
    log: createLog("approve", "silent"),
    draining: new AbortController().signal,
  });
  const { namespace, name } = record.workload;
  const { gate, digest } = record.review;
  const by = await cluster.whoAmI();
  const link = { namespace, name, gate, digest, by, how: "CommandLine" as const };
  const token = await mintReviewLink(keys.privateKey, link, new Date(Date.now() + DAY_MS));
  return `${await createPageServer(app).open()}${reviewPath(record)}?token=${token}`;
}

/** Who decides is whom the API server says: it may still refuse. */
function clusterReviews(cluster: Cluster, workload: SeenWorkload): Reviews {
  const { list, read } = cluster.reviews;
  return {
    list,
    read,
    async decide(ref, { gate, digest, decision, by, comment, steps, corrections }): Promise<DecideOutcome> {
      const record = await read(ref, gate);
      if (!record) return { outcome: "notFound" };
      if (record.review.digest !== digest) return { outcome: "otherDigest", digest: record.review.digest };
      const standing = decisionOf(record.review);
      if (standing) return { outcome: "alreadyDecided", decision: standing };
      if (record.ended !== undefined) return { outcome: "ended", why: record.ended };
      const made = await makeDecision(
        cluster,
        workload,
        { gate, digest },
        { decision, by, comment, steps, corrections },
      );
      if (!made) throw new RetryableError("NotTakenYet", "the decision is made, and reconcile has not taken it yet");
      if ("refused" in made) throw new TerminalError("DecisionRefused", made.refused);
      const counts = decisionSchema.strip().parse(made.taken);
      const isOwn =
        counts.by === by && counts.decision === decision && sameCorrections(counts.corrections, corrections);
      return isOwn ? { outcome: "decided", decision: counts } : { outcome: "alreadyDecided", decision: counts };
    },
  };
}
