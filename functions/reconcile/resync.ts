import type { AgentWorkload } from "../../crd/agentworkload.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/edges/kube.ts";

/**
 * Repairs what was lost: looks at every workload that may have something to do. One after the other, for it must not be a flood of
 * its own. One that fails keeps none from its turn. @throws what the first that failed threw
 */
export async function resync(kube: Kube, bringOn: (ref: ObjectRef) => Promise<void>): Promise<void> {
  let failed: unknown;
  for (const object of await kube.workloads.list()) {
    if (isOver(object)) continue;
    await bringOn(object.metadata).catch((error: unknown) => {
      failed ??= error;
    });
  }
  if (failed !== undefined) throw failed;
}

/**
 * Nothing can follow: what the spec asks for is done, and its status says so. Not so a failed run, which goes on when its Workflow
 * is deleted.
 */
export function isOver({ metadata, status }: KubeObject): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const { phase, finishedAt, conditions = [] } = (status ?? {}) as NonNullable<AgentWorkload["status"]>;
  const seen = conditions.find(({ type }) => type === "Ready")?.observedGeneration;
  return (phase === "Succeeded" || phase === "Rejected") && finishedAt !== undefined && seen === metadata.generation;
}
