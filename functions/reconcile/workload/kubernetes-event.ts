import type { CoreV1Event } from "@kubernetes/client-node";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { sha256 } from "../../../engine/canonical.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";

type WorkloadEvent = CoreV1Event & { metadata: { namespace: string } };

const WARNINGS = new Set(["Failed", "Rejected"]);

/**
 * The Kubernetes Events of a status that says something new: another phase, another reason for not going on, another of the licence, nothing
 * to compare with. Their names follow from the object as it was, so that a repeated look makes the same Events.
 */
export function kubernetesEvents(object: KubeObject, status: WorkloadStatus, now: Date): WorkloadEvent[] {
  return [
    ...progressEvent(object, status, now),
    ...licenceEvent(object, status, now),
    ...comparisonEvent(object, status, now),
  ];
}

function progressEvent(object: KubeObject, status: WorkloadStatus, now: Date): WorkloadEvent[] {
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
function licenceEvent(object: KubeObject, status: WorkloadStatus, now: Date): WorkloadEvent[] {
  const licensed = conditionIn(status, "Licensed");
  const before = conditionIn((object.status ?? {}) as WorkloadStatus, "Licensed");
  if (!licensed || licensed.reason === before?.reason || licensed.reason === conditionIn(status, "Ready")?.reason)
    return [];
  const { reason, message } = licensed;
  return [eventOn(object, { key: object.metadata.resourceVersion, type: "Warning", reason, message }, now)];
}

function comparisonEvent(object: KubeObject, status: WorkloadStatus, now: Date): WorkloadEvent[] {
  const compared = conditionIn(status, "Compared");
  const before = conditionIn((object.status ?? {}) as WorkloadStatus, "Compared");
  if (compared?.status !== "False" || compared.reason === before?.reason) return [];
  const { reason, message } = compared;
  return [eventOn(object, { key: object.metadata.resourceVersion, type: "Warning", reason, message }, now)];
}

/** An Event of a workload. `key`: one with the same is the same Event. */
export function eventOn(
  { metadata }: KubeObject,
  about: {
    readonly key: string;
    readonly type: "Normal" | "Warning";
    readonly reason: string;
    readonly message: string;
  },
  now: Date,
): WorkloadEvent {
  const { namespace, name, uid, resourceVersion } = metadata;
  const { key, type, reason, message } = about;
  const at = now.toISOString().replace(/\.\d+Z$/, "Z");
  return {
    metadata: { namespace, name: `${name}.${sha256(`${uid}/${key}/${reason}`).slice(0, 16)}` },
    involvedObject: {
      apiVersion: "agentic.dev/v1alpha1",
      kind: "AgentWorkload",
      namespace,
      name,
      uid,
      resourceVersion,
    },
    type,
    reason,
    message,
    source: { component: "agentic" },
    firstTimestamp: new Date(at),
    lastTimestamp: new Date(at),
    count: 1,
  } as WorkloadEvent;
}

function conditionIn({ conditions }: WorkloadStatus, type: "Ready" | "Licensed" | "Compared") {
  return conditions?.find((one) => one.type === type);
}
