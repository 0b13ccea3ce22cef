import type { Review, WorkloadStatus } from "../../../crd/agentworkload.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import type { Logger } from "../../../lib/log.ts";
import { ATTRIBUTE } from "../../../lib/telemetry/attributes.ts";
import { AUDIT } from "../../../lib/telemetry/audit.ts";
import { underGate } from "../../../lib/telemetry/context.ts";
import { REASON } from "../reasons.ts";

/** Says what a status, once it is written, says first: decisions that nobody wrote before, and a gate that was tampered with. */
export function auditStatus({ metadata, status: before }: KubeObject, status: WorkloadStatus, log: Logger): void {
  const { namespace, name, uid } = metadata;
  const about = { [ATTRIBUTE.namespace]: namespace, [ATTRIBUTE.workload]: name };
  for (const review of newDecisions((before ?? {}) as WorkloadStatus, status))
    underGate({ uid, run: review.run, gate: review.gate }, () =>
      AUDIT.decisionCounted.record(log, {
        ...about,
        [ATTRIBUTE.step]: review.gate,
        "user.name": review.by,
        [ATTRIBUTE.decidedHow]: review.how,
        [ATTRIBUTE.automatic]: review.automatic,
        [ATTRIBUTE.outcome]: review.decision,
        "agentic.findings.digest": review.digest,
        "agentic.decision.corrections": review.corrections?.length,
      }),
    );
  const tampered = tamperedIn(status);
  if (tampered && !tamperedIn((before ?? {}) as WorkloadStatus))
    AUDIT.gateTampered.record(log, {
      ...about,
      [ATTRIBUTE.reason]: tampered.reason,
      "agentic.message": tampered.message,
    });
}

/** One that stands from an earlier run of the spec is not new. */
export function newDecisions(before: WorkloadStatus, after: WorkloadStatus): Review[] {
  const known = new Set(decided(before).map(keyOf));
  return decided(after).filter((review) => !known.has(keyOf(review)));
}

function decided({ reviews = [], earlierReviews = [] }: WorkloadStatus): Review[] {
  return [...earlierReviews, ...reviews].filter(({ decision }) => decision !== undefined);
}

const keyOf = ({ gate, digest, at, by }: Review): string => [gate, digest, at, by].join(" ");

function tamperedIn({ conditions }: WorkloadStatus) {
  return conditions?.find(({ type, reason }) => type === "Ready" && reason === REASON.tamperedGate);
}
