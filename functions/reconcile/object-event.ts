import type { CoreV1Event } from "@kubernetes/client-node";
import { sha256 } from "../../engine/canonical.ts";
import type { KubeObject } from "../../lib/edges/kube.ts";

export type ObjectEvent = CoreV1Event & { metadata: { namespace: string } };

/** An Event of an object of ours. `key`: one with the same is the same Event. */
export function eventOn(
  { metadata }: KubeObject,
  about: {
    readonly kind?: "AgentWorkload" | "AgentSchedule";
    readonly key: string;
    readonly type: "Normal" | "Warning";
    readonly reason: string;
    readonly message: string;
  },
  now: Date,
): ObjectEvent {
  const { namespace, name, uid, resourceVersion } = metadata;
  const { kind = "AgentWorkload", key, type, reason, message } = about;
  const at = now.toISOString().replace(/\.\d+Z$/, "Z");
  return {
    metadata: { namespace, name: `${name}.${sha256(`${uid}/${key}/${reason}`).slice(0, 16)}` },
    involvedObject: {
      apiVersion: "agentic.dev/v1alpha1",
      kind,
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
  } as ObjectEvent;
}
