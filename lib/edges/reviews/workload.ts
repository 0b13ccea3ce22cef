import { z } from "zod";
import { agentWorkloadSchema } from "../../../crd/agentworkload.ts";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { NO_USAGE } from "../../../engine/result.ts";
import { RetryableError } from "../../errors.ts";
import type { KindClient, KubeObject } from "../kube.ts";
import { type DecideOutcome, decisionOf, type ReviewRecord, type ReviewRef, type Reviews } from "../reviews.ts";

const { usage, reviews, outputs, traceUrl } = agentWorkloadSchema.shape.status.unwrap().shape;
/** Loose: what this version does not know is written back as it was. */
const statusSchema = z.looseObject({
  usage,
  reviews,
  outputs,
  traceUrl,
  finishedAt: z.string().optional(),
  phase: z.string().optional(),
});

/** Writes of one decision. Reconcile writes the same status, a few times a second at most. */
const TRIES = 10;

/** Reviews in the status of their AgentWorkload. Reconcile opens them; a decision is a conditional write of the status. */
export function createWorkloadReviews(workloads: KindClient): Reviews {
  const list = async (ref: ReviewRef): Promise<readonly ReviewRecord[]> => {
    const object = await workloads.get(ref);
    return object ? recordsOf(object) : [];
  };
  return {
    list,
    read: async (ref, gate) => (await list(ref)).findLast(({ review }) => review.gate === gate),
    async decide(ref, decision): Promise<DecideOutcome> {
      for (let tries = 0; tries < TRIES; tries++) {
        const object = await workloads.get(ref);
        const status = statusSchema.parse(object?.status ?? {});
        const all = status.reviews ?? [];
        const at = all.findLastIndex(({ gate }) => gate === decision.gate);
        const review = all[at];
        if (!object || !review) return { outcome: "notFound" };
        if (review.digest !== decision.digest) return { outcome: "otherDigest", digest: review.digest };
        const standing = decisionOf(review);
        if (standing) return { outcome: "alreadyDecided", decision: standing };
        const why = endOf(object);
        if (why !== undefined) return { outcome: "ended", why };
        const decided = { ...status, reviews: all.with(at, { ...review, ...decision }) };
        if ((await workloads.putStatus(object, decided)) === "written") return { outcome: "decided", decision };
      }
      throw new RetryableError(
        "Conflict",
        `the decision was not written: the workload's status changed during each of ${TRIES} tries. Try again`,
      );
    },
  };
}

/** Reconcile settles no gate of such a run: a decision would be acknowledged, and count for nothing. */
function endOf({ metadata, spec, status }: KubeObject): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return "the workload is being deleted";
  if ((spec as { stop?: unknown }).stop === true) return "somebody stopped the run";
  const { finishedAt, phase } = statusSchema.parse(status ?? {});
  return finishedAt === undefined ? undefined : `the run ended (${phase})`;
}

function recordsOf(object: KubeObject): readonly ReviewRecord[] {
  const { metadata, status } = object;
  const { namespace, name, uid } = metadata;
  const ended = endOf(object);
  const { usage, reviews = [], outputs, traceUrl } = statusSchema.parse(status ?? {});
  return reviews.map((review) => ({
    workload: { namespace, name, uid },
    review,
    findings: artifactKey(metadata, review.digest, "json"),
    usage: usage ? { ...usage, costUsd: Number(usage.costUsd) } : NO_USAGE,
    ...(ended !== undefined && review.decision === undefined ? { ended } : {}),
    ...(outputs ? { outputs } : {}),
    ...(traceUrl === undefined ? {} : { traceUrl }),
  }));
}
