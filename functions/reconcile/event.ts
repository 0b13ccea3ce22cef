import type { CoreV1Event } from "@kubernetes/client-node";
import { sha256 } from "../../lib/canonical.ts";
import type { KubeObject } from "../../lib/edges/kube.ts";
import type { Status } from "./status.ts";

const WARNINGS = new Set(["Failed", "Rejected"]);

/**
 * The Kubernetes Event of a status that says something new: another phase, or another reason for not going on. Its name
 * follows from the object as it was, so that saying it again is the same event.
 */
export function eventOf(
  object: KubeObject,
  status: Status,
  now: Date,
): (CoreV1Event & { metadata: { namespace: string } }) | undefined {
  const before = (object.status ?? {}) as Status;
  const ready = readyOf(status);
  const reason = ready?.reason ?? status.phase ?? "Unknown";
  if (status.phase === before.phase && reason === readyOf(before)?.reason) return undefined;
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const at = now.toISOString().replace(/\.\d+Z$/, "Z");
  const trouble = ready?.status === "False" && reason !== status.phase;
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
    type: trouble || WARNINGS.has(status.phase ?? "") ? "Warning" : "Normal",
    reason,
    message: ready?.message || `phase ${status.phase}`,
    source: { component: "agentic" },
    firstTimestamp: new Date(at),
    lastTimestamp: new Date(at),
    count: 1,
  } as CoreV1Event & { metadata: { namespace: string } };
}

function readyOf(status: Status) {
  return status.conditions?.find(({ type }) => type === "Ready");
}
