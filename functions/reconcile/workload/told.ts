import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import { hasEnded, type RunView } from "../run-engine.ts";

/** The status tells how the run ended, and its run object is still there. What the object store loses from then on changes nothing. */
export function isTold(object: KubeObject, runObject: RunView): boolean {
  const { workflow, finishedAt } = (object.status ?? {}) as WorkloadStatus;
  if (!hasEnded(runObject) || runObject.finishedAt === undefined || finishedAt === undefined) return false;
  return workflow === runObject.name && Date.parse(finishedAt) === Date.parse(runObject.finishedAt);
}
