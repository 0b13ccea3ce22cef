import { z } from "zod";
import type { Agent, AgentStatus } from "../../../crd/agent.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import { AGENT_LABEL, isByImage } from "./render.ts";

/** Whether steps can be sent to an agent. Absent reason: yes. */
export interface Readiness {
  readonly url?: string;
  readonly revision?: string;
  readonly reason?: string;
  readonly message?: string;
}

const knativeStatus = z.looseObject({
  observedGeneration: z.number().optional(),
  latestReadyRevisionName: z.string().optional(),
  address: z.looseObject({ url: z.string().optional() }).optional(),
  conditions: z
    .array(
      z.looseObject({
        type: z.string(),
        status: z.string(),
        reason: z.string().optional(),
        message: z.string().optional(),
        lastTransitionTime: z.string().optional(),
      }),
    )
    .default([]),
});

type KnativeStatus = z.infer<typeof knativeStatus>;

function statusIn(object: KubeObject | undefined): KnativeStatus | undefined {
  return knativeStatus.safeParse(object?.status ?? {}).data;
}

/** The condition Ready of a Knative object. */
export function readyCondition(object: KubeObject): KnativeStatus["conditions"][number] | undefined {
  return statusIn(object)?.conditions.find(({ type }) => type === "Ready");
}

/** Where its steps are sent; undefined: not known yet. */
export function urlOf({ spec }: Agent, service: KubeObject | undefined): string | undefined {
  return spec.uri ?? statusIn(service)?.address?.url;
}

/**
 * Part of the identity of an agent's steps: names the code that does them now. Of a Knative Service it is the revision that is ready last,
 * which goes on while a newer one does not get ready, e.g. for want of its image. Undefined: there is none yet. Pure.
 */
export function revisionOf({ metadata, spec }: Agent, service: KubeObject | undefined): string | undefined {
  if (spec.uri !== undefined) return String(metadata.generation ?? 0);
  const revision = statusIn(service)?.latestReadyRevisionName;
  // The uid: the first revision of a Service that was deleted and made again has the name of the one before.
  return service && revision && `${revision}.${service.metadata.uid.slice(0, 8)}`;
}

/**
 * How long a Trigger must have been ready: Knative says so about 0.25 s before the channel's dispatcher sends it events, and
 * loses what comes in between. Conditions carry whole seconds, so it is one second at least.
 */
const DELIVERS_AFTER_MS = 2000;

/** Its Knative Service must be ready, and its Trigger. Both say why they are not, e.g. an image that does not pull. Pure. */
export function readiness(
  agent: Agent,
  service: KubeObject | undefined,
  trigger: KubeObject | undefined,
  revision: string | undefined,
  now: Date,
): Readiness {
  const { spec } = agent;
  const url = urlOf(agent, service);
  const noTrigger = problemIn(trigger, "the Trigger") ?? tooNew(trigger, now);
  // Without a revision no run starts: its requests would reach nobody. Knative names the first one before the Service is ready.
  const starts = revision !== undefined && noTrigger === undefined;
  const known = { ...(url === undefined ? {} : { url }), ...(starts ? { revision } : {}) };
  if (spec.uri === undefined && !service) {
    const name = spec.service?.name ?? agent.metadata.name;
    return {
      ...known,
      reason: "ServiceNotFound",
      message: `there is no Knative Service ${spec.service?.namespace ?? agent.metadata.namespace}/${name}`,
    };
  }
  const noService = spec.uri === undefined ? problemIn(service, "the Knative Service") : undefined;
  if (noService && !isByImage(spec)) return { ...known, reason: "ServiceNotReady", message: noService };
  if (noService) {
    const { namespace, name } = agent.metadata;
    // Of an image by digest Knative says no more than that no instance ever started.
    const more = `'kubectl -n ${namespace} describe pods -l ${AGENT_LABEL}=${name}' says more while it is tried`;
    return { ...known, reason: "ImageNotReady", message: `${noService}. ${more}` };
  }
  return noTrigger === undefined ? known : { ...known, reason: "TriggerNotReady", message: noTrigger };
}

function tooNew(trigger: KubeObject | undefined, now: Date): string | undefined {
  const since = trigger && readyCondition(trigger)?.lastTransitionTime;
  // The difference either way: where Knative's clock is ahead, nothing waits until ours has caught up.
  if (since === undefined || Math.abs(now.getTime() - Date.parse(since)) >= DELIVERS_AFTER_MS) return undefined;
  return `the Trigger has just become ready, and delivers ${DELIVERS_AFTER_MS / 1000} s later`;
}

function problemIn(object: KubeObject | undefined, what: string): string | undefined {
  const status = statusIn(object);
  if (!object || !status || status.observedGeneration !== object.metadata.generation)
    return `${what} is being made ready`;
  const ready = readyCondition(object);
  if (ready?.status === "True") return undefined;
  // Of a Service, Ready repeats that there is no revision; its configuration says why, e.g. an image that cannot be fetched.
  const cause = status.conditions.find(({ type, status: is }) => type === "ConfigurationsReady" && is === "False");
  const { reason, message } = cause ?? ready ?? {};
  return `${what} is not ready: ${[reason, message].filter(Boolean).join(": ") || "no reason given"}`;
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
