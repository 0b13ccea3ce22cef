import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import { eventOn, type ObjectEvent } from "../object-event.ts";

const WARNINGS = new Set(["Failed", "Rejected"]);

/**
 * The Kubernetes Events of a status that says something new: another phase, another reason for not going on, another of the licence, nothing
 * to compare with. Their names follow from the object as it was, so that a repeated look makes the same Events.
 */
export function kubernetesEvents(object: KubeObject, status: WorkloadStatus, now: Date): ObjectEvent[] {
  return [
    ...progressEvent(object, status, now),
    ...licenceEvent(object, status, now),
    ...comparisonEvent(object, status, now),
  ];
}

function progressEvent(object: KubeObject, status: WorkloadStatus, now: Date): ObjectEvent[] {
  const before = (object.status ?? {}) as WorkloadStatus;
  const ready = conditionIn(status, "Ready");
  const reason = ready?.reason ?? status.phase ?? "Unknown";
  if (status.phase === before.phase && reason === conditionIn(before, "Ready")?.reason) return [];
  const isWarning = ready?.status === "False" && reason !== status.phase;
  const type = isWarning || WARNINGS.has(status.phase ?? "") ? "Warning" : "Normal";
  const message = ready?.message || `phase ${status.phase}`;
  return [eventOn(object, { key: object.metadata.resourceVersion, type, reason, message }, now)];
}

/** Where the licence is why it waits, that is said already. */
function licenceEvent(object: KubeObject, status: WorkloadStatus, now: Date): ObjectEvent[] {
  const licensed = conditionIn(status, "Licensed");
  const before = conditionIn((object.status ?? {}) as WorkloadStatus, "Licensed");
  if (!licensed || licensed.reason === before?.reason || licensed.reason === conditionIn(status, "Ready")?.reason)
    return [];
  const { reason, message } = licensed;
  return [eventOn(object, { key: object.metadata.resourceVersion, type: "Warning", reason, message }, now)];
}

function comparisonEvent(object: KubeObject, status: WorkloadStatus, now: Date): ObjectEvent[] {
  const compared = conditionIn(status, "Compared");
  const before = conditionIn((object.status ?? {}) as WorkloadStatus, "Compared");
  if (compared?.status !== "False" || compared.reason === before?.reason) return [];
  const { reason, message } = compared;
  return [eventOn(object, { key: object.metadata.resourceVersion, type: "Warning", reason, message }, now)];
}

function conditionIn({ conditions }: WorkloadStatus, type: "Ready" | "Licensed" | "Compared") {
  return conditions?.find((one) => one.type === type);
}
