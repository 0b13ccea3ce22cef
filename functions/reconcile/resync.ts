import type { AgentStatus } from "../../crd/agent.ts";
import type { WorkloadStatus } from "../../crd/agentworkload.ts";
import { workloadSpecSchema } from "../../crd/agentworkload.ts";
import { parseDuration } from "../../crd/duration.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/edges/kube.ts";
import { REASON } from "./reasons.ts";

type Enqueue = (ref: ObjectRef) => Promise<void>;

/**
 * Repairs what was lost: looks at every object that may have something to do. One after the other, for it must not be a flood of its
 * own. One that fails keeps none from its turn. @throws what the first that failed threw
 */
export async function resync(kube: Kube, now: Date, enqueue: { agent: Enqueue; workload: Enqueue }): Promise<void> {
  const failures: unknown[] = [];
  const tryOne = (work: Promise<void>): Promise<unknown> => work.catch((error: unknown) => failures.push(error));
  for await (const object of kube.agents.listAll())
    if (!isSettled(object)) await tryOne(enqueue.agent(object.metadata));
  for await (const object of kube.workloads.listAll())
    if (!isOver(object, now)) await tryOne(enqueue.workload(object.metadata));
  if (failures.length > 0) throw failures[0];
}

/** Workloads that wait for a pipeline or an agent: looked at when one of these changes. */
export async function enqueueWaiting(kube: Kube, enqueue: Enqueue): Promise<void> {
  for await (const object of kube.workloads.listAll()) {
    const { conditions = [] } = (object.status ?? {}) as WorkloadStatus;
    if (conditions.some(({ type, status }) => type === "Accepted" && status === "False"))
      await enqueue(object.metadata);
  }
}

/** The Agent is ready, and its status is about the spec as it is. */
function isSettled({ metadata, status }: KubeObject): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const ready = ((status ?? {}) as AgentStatus).conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" && ready.observedGeneration === metadata.generation;
}

/**
 * Nothing can follow: what the spec asks for is done, its status says so, and its artifacts have not expired. Not so a failed run, which
 * is started again when its Workflow is deleted.
 */
export function isOver({ metadata, spec, status }: KubeObject, now: Date): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const { phase, finishedAt, conditions = [] } = (status ?? {}) as WorkloadStatus;
  const seen = conditions.find(({ type }) => type === "Ready")?.observedGeneration;
  if ((phase !== "Succeeded" && phase !== "Rejected") || finishedAt === undefined || seen !== metadata.generation)
    return false;
  const parsed = workloadSpecSchema.safeParse(spec).data;
  const keptUntil = new Date(finishedAt).getTime() + parseDuration(parsed?.ttlAfterFinished ?? "30d");
  return now.getTime() < keptUntil || conditions.some(({ reason }) => reason === REASON.expired);
}
