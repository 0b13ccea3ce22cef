import { z } from "zod";
import { agentWorkloadSchema } from "../../crd/agentworkload.ts";
import { decisionSchema } from "../../pipeline/findings.ts";
import { RetryableError } from "../errors.ts";
import type { KindClient, KubeObject } from "./kube.ts";
import type { DecideOutcome, Review, Reviews } from "./reviews.ts";

const statusSchema = z.looseObject({
  usage: z.object({
    inputTokens: z.number(),
    outputTokens: z.number(),
    costUsd: z.string(),
    browserSeconds: z.number(),
  }),
  review: z.looseObject({
    run: z.string(),
    digest: z.string(),
    openedAt: z.string(),
    timeoutAt: z.string(),
    costOfApproving: z.string(),
    decision: z.string().optional(),
  }),
  report: z.record(z.string(), z.string()).optional(),
});

const TRIES = 10;

/** Reviews in the status of their AgentWorkload: reconcile opens them, a decision is a conditional write. */
export function createWorkloadReviews(workloads: KindClient): Reviews {
  return {
    async read(ref) {
      const object = await workloads.get(ref);
      return object && reviewOf(object);
    },
    async decide(ref, decision): Promise<DecideOutcome> {
      // Reconcile writes the status too: each conflict is looked at anew.
      for (let tries = 0; tries < TRIES; tries++) {
        const object = await workloads.get(ref);
        const review = object && reviewOf(object);
        if (!object || !review) return { outcome: "notFound" };
        if (review.digest !== decision.digest) return { outcome: "otherDigest", digest: review.digest };
        if (review.decision) return { outcome: "alreadyDecided", decision: review.decision };
        const status = statusSchema.parse(object.status);
        const written = await workloads.putStatus(object, { ...status, review: { ...status.review, ...decision } });
        if (written === "written") return { outcome: "decided", decision };
      }
      throw new RetryableError("Conflict", "the workload changed at each try to write the decision: try again");
    },
  };
}

function reviewOf(object: KubeObject): Review | undefined {
  const status = statusSchema.safeParse(object.status).data;
  const spec = agentWorkloadSchema.shape.spec.safeParse(object.spec).data;
  if (!status || !spec) return undefined;
  const { namespace, name, uid } = object.metadata;
  const { review, usage, report } = status;
  const decision = z.object(decisionSchema.shape).safeParse(review).data;
  return {
    workload: { namespace, name, uid },
    run: review.run,
    findings: `${uid}/${review.digest}.json`,
    digest: review.digest,
    costSoFar: { ...usage, costUsd: Number(usage.costUsd) },
    costOfApproving: Number(review.costOfApproving),
    openedAt: review.openedAt,
    timeoutAt: review.timeoutAt,
    onTimeout: spec.review.onTimeout,
    ...(decision ? { decision } : {}),
    ...(report ? { report } : {}),
  };
}
