import type { WorkloadStatus } from "../../crd/agentworkload.ts";
import { workloadSpecSchema } from "../../crd/agentworkload.ts";
import { parseDuration } from "../../crd/duration.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/edges/kube.ts";
import { REASON } from "./reasons.ts";

type Enqueue = (ref: ObjectRef) => Promise<void>;

/** Repairs what was lost: looks at every object that may have something to do. @throws what the first that failed threw */
export async function resync(kube: Kube, now: Date, enqueue: { agent: Enqueue; workload: Enqueue }): Promise<void> {
  // Settled Agents too: settings change, and people delete what was made for an Agent.
  const failedAgents = await enqueueEach(kube.agents.listAll(), () => true, enqueue.agent);
  const failed = await enqueueEach(kube.workloads.listAll(), (object) => !isOver(object, now), enqueue.workload);
  throwFirst([...failedAgents, ...failed]);
}

/** One after the other, not to be a flood of its own. One that fails keeps none from its turn. @returns why those that failed did */
async function enqueueEach(
  objects: AsyncIterable<KubeObject>,
  isWanted: (object: KubeObject) => boolean,
  enqueue: Enqueue,
): Promise<unknown[]> {
  const failures: unknown[] = [];
  for await (const object of objects)
    if (isWanted(object)) await enqueue(object.metadata).catch((error: unknown) => failures.push(error));
  return failures;
}

function throwFirst(failures: readonly unknown[]): void {
  if (failures.length > 0) throw failures[0];
}

const STALLS: readonly string[] = [
  REASON.agentNotFound,
  REASON.agentNotReady,
  REASON.stepNotTakenUp,
  REASON.stepUndeliverable,
];

/** Workloads that wait for a pipeline or an agent, before their run or in it: looked at when one of these changes. */
export async function enqueueWaiting(kube: Kube, enqueue: Enqueue): Promise<void> {
  throwFirst(await enqueueEach(kube.workloads.listAll(), isWaiting, enqueue));
}

function isWaiting({ status }: KubeObject): boolean {
  const { conditions = [] } = (status ?? {}) as WorkloadStatus;
  return conditions.some(
    ({ type, status: is, reason }) =>
      is === "False" && (type === "Accepted" || (type === "Ready" && STALLS.includes(reason))),
  );
}

/**
 * Nothing can follow: what the spec asks for is done, its status says so, and its artifacts have not expired. Not so a failed run, which
 * is started again when its Workflow is deleted.
 */
export function isOver({ metadata, spec, status }: KubeObject, now: Date): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const { phase, finishedAt, conditions = [] } = (status ?? {}) as WorkloadStatus;
  if (conditions.some(({ type, status: is }) => type === "Accepted" && is === "False")) return false;
  const seen = conditions.find(({ type }) => type === "Ready")?.observedGeneration;
  if ((phase !== "Succeeded" && phase !== "Rejected") || finishedAt === undefined || seen !== metadata.generation)
    return false;
  const parsed = workloadSpecSchema.safeParse(spec).data;
  const keptUntil = new Date(finishedAt).getTime() + parseDuration(parsed?.ttlAfterFinished ?? "30d");
  return now.getTime() < keptUntil || conditions.some(({ reason }) => reason === REASON.expired);
}
