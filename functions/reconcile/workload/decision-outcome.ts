import { type AgentDecision, agentDecisionSchema, type DecisionStatus } from "../../../crd/agentdecision.ts";
import type { Review, WorkloadStatus } from "../../../crd/agentworkload.ts";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { notChangeable } from "../../../engine/changes.ts";
import { sameCorrections } from "../../../engine/corrections.ts";
import { decisionText, findingsSchema } from "../../../engine/findings.ts";
import { checkCorrections } from "../../../lib/corrections.ts";
import { type ArtifactReader, getIfKept, getJson } from "../../../lib/edges/artifacts.ts";
import type { Kube, KubeObject, ObjectRef } from "../../../lib/edges/kube.ts";
import type { Logger } from "../../../lib/log.ts";
import { ATTRIBUTE } from "../../../lib/telemetry/attributes.ts";
import { AUDIT } from "../../../lib/telemetry/audit.ts";
import { eventOn } from "../object-event.ts";
import { INVALID_CORRECTIONS, madeAt } from "./decisions.ts";

export interface DecisionDeps {
  readonly kube: Pick<Kube, "decisions" | "workloads" | "event">;
  readonly artifacts: ArtifactReader;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Nobody has recorded yet whether it counts. */
export function isUnrecorded(object: KubeObject): boolean {
  return object.status === undefined && agentDecisionSchema.safeParse(object).success;
}

/**
 * Records of an AgentDecision whether it counts, once its workload has been looked at: in its status, and where it does not, in the audit and as
 * an Event of the workload. A gate that is still open is judged later: the resync comes back to it.
 */
export async function recordDecision(ref: ObjectRef, { kube, artifacts, now, log }: DecisionDeps): Promise<void> {
  const object = await kube.decisions.get(ref);
  const decision = object && isUnrecorded(object) ? agentDecisionSchema.parse(object) : undefined;
  if (!object || !decision) return;
  const { namespace } = object.metadata;
  const name = decision.spec.workload;
  const workload = await kube.workloads.get({ namespace, name });
  const seen = (workload?.status ?? {}) as WorkloadStatus;
  const status =
    judgeDecision(decision, madeAt(object), seen) ??
    (workload && (await judgeCorrections(decision, workload, seen, artifacts)));
  if (!status) return;
  const { by, digest, decision: what, corrections } = decision.spec;
  // Before the status, after which nobody comes back to it. A repeated look makes the same Event.
  if (workload && status.outcome === "Refused") {
    const message = `${by} decided "${decisionText(what)}" by AgentDecision ${ref.name}, which does not count: ${status.message}`;
    const about = { key: object.metadata.uid, type: "Warning" as const, reason: "DecisionRefused", message };
    await kube.event(eventOn(workload, about, now())).catch((error: unknown) => {
      log.warn({ err: error, workload: `${namespace}/${name}`, reason: about.reason }, "Event not written");
    });
  }
  if ((await kube.decisions.putStatus(object, status)) !== "written") return;
  // One that counts is in the workload's status, and was said with it.
  if (status.outcome === "Counted") return;
  AUDIT.decisionDenied.record(log, {
    [ATTRIBUTE.namespace]: namespace,
    [ATTRIBUTE.workload]: name,
    [ATTRIBUTE.step]: status.gate,
    "user.name": by,
    [ATTRIBUTE.decidedHow]: "AgentDecision",
    [ATTRIBUTE.outcome]: what,
    "agentic.findings.digest": digest,
    "agentic.decision.corrections": corrections?.length,
    [ATTRIBUTE.reason]: status.reason,
    "agentic.message": status.message,
  });
}

/** Undefined: its gate is still open. */
export function judgeDecision(
  { spec }: Pick<AgentDecision, "spec">,
  at: string,
  { reviews = [], earlierReviews = [], finishedAt, phase }: WorkloadStatus,
): DecisionStatus | undefined {
  const review = [...earlierReviews, ...reviews].findLast(({ digest }) => digest === spec.digest);
  if (!review)
    return refused(
      "OtherFindings",
      `no gate of ${spec.workload} is about findings of digest ${spec.digest.slice(0, 16)}…`,
    );
  const { gate } = review;
  const wrong = review.decision === undefined ? notTaken(review, spec) : undefined;
  if (wrong !== undefined) return { ...refused("NotChangeable", wrong), gate };
  if (review.decision === undefined)
    return finishedAt === undefined
      ? undefined
      : { ...refused("RunEnded", `the run ended (${phase}) before gate ${gate} was decided`), gate };
  if (isOf(review, spec, at))
    return { outcome: "Counted", reason: "First", message: `gate ${gate}: ${decisionText(review.decision)}`, gate };
  return {
    ...refused("AlreadyDecided", `gate ${gate}: ${decisionText(review.decision)} by ${review.by} at ${review.at}`),
    gate,
  };
}

/** Of one whose gate is open. Undefined: it may count. */
async function judgeCorrections(
  { spec }: AgentDecision,
  { metadata }: KubeObject,
  { reviews = [] }: WorkloadStatus,
  artifacts: ArtifactReader,
): Promise<DecisionStatus | undefined> {
  const review = reviews.findLast(({ digest }) => digest === spec.digest);
  if (!spec.corrections || !review) return undefined;
  const key = artifactKey(metadata, spec.digest, "json");
  // Lost: reconcile publishes them again while the gate is open.
  if (!(await getIfKept(artifacts, metadata, key))) return undefined;
  const findings = await getJson(artifacts, metadata, key, findingsSchema);
  const problem = await checkCorrections(artifacts, findings, spec);
  return problem === undefined ? undefined : { ...refused(INVALID_CORRECTIONS, problem), gate: review.gate };
}

/** Why a decision is not taken: the gate waits on for another one. The CRD's rules refuse most of these before. */
function notTaken(review: Review, { decision, steps, comment }: AgentDecision["spec"]): string | undefined {
  if (decision !== "changesRequested") return steps && "only a request for changes names steps";
  return comment?.trim() ? notChangeable(review, steps) : "it does not say what is to be changed";
}

function isOf(review: Review, { decision, by, corrections }: AgentDecision["spec"], at: string): boolean {
  const isSame = review.how === "AgentDecision" && review.decision === decision && review.by === by && review.at === at;
  return isSame && sameCorrections(review.corrections, corrections);
}

function refused(reason: string, message: string): DecisionStatus {
  return { outcome: "Refused", reason, message };
}
