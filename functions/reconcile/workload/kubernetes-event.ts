import type { CoreV1Event } from "@kubernetes/client-node";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { sha256 } from "../../../engine/canonical.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";

const WARNINGS = new Set(["Failed", "Rejected"]);

/**
 * The Kubernetes Event of a status that says something new: another phase, or another reason for not going on. Its name follows
 * from the object as it was, so that a repeated look makes the same Event.
 */
export function kubernetesEvent(
  object: KubeObject,
  status: WorkloadStatus,
  now: Date,
): (CoreV1Event & { metadata: { namespace: string } }) | undefined {
  const before = (object.status ?? {}) as WorkloadStatus;
  const ready = readyOf(status);
  const reason = ready?.reason ?? status.phase ?? "Unknown";
  if (status.phase === before.phase && reason === readyOf(before)?.reason) return undefined;
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const at = now.toISOString().replace(/\.\d+Z$/, "Z");
  const isWarning = ready?.status === "False" && reason !== status.phase;
  return {
    metadata: { namespace, name: `${name}.${sha256(`${uid}/${resourceVersion}/${reason}`).slice(0, 16)}` },
    involvedObject: {
      apiVersion: "agentic.dev/v1alpha1",
      kind: "AgentWorkload",
      namespace,
      name,
      uid,
      resourceVersion,
    },
    type: isWarning || WARNINGS.has(status.phase ?? "") ? "Warning" : "Normal",
    reason,
    message: ready?.message || `phase ${status.phase}`,
    source: { component: "agentic" },
    firstTimestamp: new Date(at),
    lastTimestamp: new Date(at),
    count: 1,
  } as CoreV1Event & { metadata: { namespace: string } };
}

function readyOf(status: WorkloadStatus) {
  return status.conditions?.find(({ type }) => type === "Ready");
}
