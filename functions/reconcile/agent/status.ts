import { z } from "zod";
import type { Agent, AgentStatus } from "../../../crd/agent.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import { isByImage } from "./render.ts";

/** Whether steps can be sent to an agent. Absent reason: yes. */
export interface Readiness {
  readonly url?: string;
  readonly revision?: string;
  readonly reason?: string;
  readonly message?: string;
}

const knativeStatus = z.looseObject({
  observedGeneration: z.number().optional(),
  address: z.looseObject({ url: z.string().optional() }).optional(),
  conditions: z
    .array(
      z.looseObject({
        type: z.string(),
        status: z.string(),
        reason: z.string().optional(),
        message: z.string().optional(),
      }),
    )
    .default([]),
});

/** Its Knative Service must be ready, and its Trigger. Both say why they are not, e.g. an image that does not pull. Pure. */
export function readiness(
  agent: Agent,
  service: KubeObject | undefined,
  trigger: KubeObject | undefined,
  revision: string | undefined,
): Readiness {
  const { spec } = agent;
  const seen = knativeStatus.safeParse(service?.status ?? {}).data;
  const url = spec.uri ?? seen?.address?.url;
  const known = { ...(url === undefined ? {} : { url }), ...(revision === undefined ? {} : { revision }) };
  if (spec.uri === undefined && !service) {
    const name = spec.service?.name ?? agent.metadata.name;
    return {
      ...known,
      reason: "ServiceNotFound",
      message: `there is no Knative Service ${spec.service?.namespace ?? agent.metadata.namespace}/${name}`,
    };
  }
  const noService = spec.uri === undefined ? problemIn(service, "the Knative Service") : undefined;
  if (noService) return { ...known, reason: isByImage(spec) ? "ImageNotReady" : "ServiceNotReady", message: noService };
  const noTrigger = problemIn(trigger, "the Trigger");
  return noTrigger ? { ...known, reason: "TriggerNotReady", message: noTrigger } : known;
}

function problemIn(object: KubeObject | undefined, what: string): string | undefined {
  const status = knativeStatus.safeParse(object?.status ?? {}).data;
  if (!object || !status || status.observedGeneration !== object.metadata.generation)
    return `${what} is being made ready`;
  const ready = status.conditions.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return undefined;
  return `${what} is not ready: ${[ready?.reason, ready?.message].filter(Boolean).join(": ") || "no reason given"}`;
}

export function statusOf(object: KubeObject, { url, revision, reason, message }: Readiness, now: Date): AgentStatus {
  const before = (object.status ?? {}) as AgentStatus;
  const status = reason === undefined ? ("True" as const) : ("False" as const);
  const known = before.conditions?.find(({ type }) => type === "Ready");
  const { generation } = object.metadata;
  return {
    ...(url === undefined ? {} : { url }),
    ...(revision === undefined ? {} : { revision }),
    conditions: [
      {
        type: "Ready",
        status,
        reason: reason ?? "Ready",
        message: (message ?? "steps can be sent to it").slice(0, 32_000),
        lastTransitionTime: known?.status === status ? known.lastTransitionTime : `${now.toISOString().slice(0, 19)}Z`,
        ...(generation === undefined ? {} : { observedGeneration: generation }),
      },
    ],
  };
}
