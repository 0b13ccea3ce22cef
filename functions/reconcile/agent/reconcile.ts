import { z } from "zod";
import { type Agent, type AgentStatus, agentSchema } from "../../../crd/agent.ts";
import { canonicalJson } from "../../../engine/canonical.ts";
import { SHARED_NAMESPACE } from "../../../engine/freeze.ts";
import { schemaProblem } from "../../../engine/json-schema.ts";
import type { Kube, KubeObject, ObjectRef } from "../../../lib/edges/kube.ts";
import type { Logger } from "../../../lib/log.ts";
import { exclusivelyOrDeleted } from "../exclusively-or-deleted.ts";
import { isOwnedBy } from "../owner.ts";
import {
  hashIn,
  imageRevision,
  isByImage,
  renderSecret,
  renderService,
  renderServiceAccount,
  renderTrigger,
  triggerName,
} from "./render.ts";
import { readiness, statusOf } from "./status.ts";

export interface AgentDeps {
  readonly kube: Kube;
  /** What every agent by image gets as its environment: addresses, logins, keys (config/: Secret agentic-agent). */
  readonly agentSettings: Readonly<Record<string, string>>;
  /** Runs work on an object while no other process does. @throws RetryableError Busy, StoreUnavailable */
  readonly exclusively: <T>(key: string, work: () => Promise<T>) => Promise<T>;
  readonly now: () => Date;
  readonly log: Logger;
}

const FINALIZER = "agentic.dev/trigger";
/** How soon an agent that is not ready is looked at again; its Knative Service's changes come as events, its Trigger's do not. */
const RETRY_MS = 2000;

export interface AgentOutcome {
  /** Its status says something new: workloads may wait for it. */
  readonly changed: boolean;
  readonly requeueAt?: Date;
}

/** Makes what an Agent needs to be sent steps, and says in its status whether it can. @throws what the edges throw */
export function reconcileAgent(ref: ObjectRef, deps: AgentDeps): Promise<AgentOutcome> {
  const key = `agent/${ref.namespace}/${ref.name}`;
  return exclusivelyOrDeleted(key, deps.kube.agents, ref, deps, () => lookOnce(ref, deps));
}

async function lookOnce(ref: ObjectRef, deps: AgentDeps): Promise<AgentOutcome> {
  const object = await deps.kube.agents.get(ref);
  if (!object) return { changed: false };
  if (object.metadata.deletionTimestamp !== undefined) return remove(object, deps);
  const parsed = agentSchema.safeParse(object);
  const problem = parsed.success ? await specProblem(parsed.data) : z.prettifyError(parsed.error);
  if (!parsed.success || problem !== undefined)
    return write(
      object,
      statusOf(object, { reason: "InvalidSpec", message: `the spec is invalid: ${problem}` }, deps.now()),
      deps,
    );
  if (!object.metadata.finalizers.includes(FINALIZER)) {
    const finalizers = [...object.metadata.finalizers, FINALIZER];
    await deps.kube.agents.merge(ref, { metadata: { finalizers, resourceVersion: object.metadata.resourceVersion } });
    return lookOnce(ref, deps);
  }
  const agent = parsed.data;
  const there = agent.spec.uri === undefined ? await deps.kube.services.get(serviceRef(agent)) : undefined;
  if (isByImage(agent.spec) && there && !isOwnedBy(there, object)) {
    const message = `there is a Knative Service ${agent.metadata.name} that is not this Agent's: give the Agent another name`;
    return write(object, statusOf(object, { reason: "ServiceNameTaken", message }, deps.now()), deps);
  }
  await applyObjects(agent, there, deps);
  const trigger = await deps.kube.triggers.get({ namespace: SHARED_NAMESPACE, name: triggerName(agent) });
  const service = agent.spec.uri === undefined ? await deps.kube.services.get(serviceRef(agent)) : undefined;
  const status = statusOf(object, readiness(agent, service, trigger, revisionOf(agent, service)), deps.now());
  return write(object, status, deps);
}

async function specProblem({ spec }: Agent): Promise<string | undefined> {
  const given = [spec.service, spec.uri, spec.image].filter((one) => one !== undefined).length;
  if (given !== 1) return "exactly one of service, uri and image is needed";
  const problem = spec.output && (await schemaProblem(spec.output.schema));
  return problem === undefined ? undefined : `output.schema is no usable JSON Schema: ${problem}`;
}

/** Only what has changed is applied: most looks change nothing. */
async function applyObjects(agent: Agent, service: KubeObject | undefined, deps: AgentDeps): Promise<void> {
  const { kube, agentSettings } = deps;
  if (isByImage(agent.spec)) {
    const wanted = renderService(agent, agent.spec, agentSettings);
    if (!service || hashIn(service) !== hashIn(wanted)) {
      await kube.ensureServiceAccount(renderServiceAccount(agent));
      await kube.replaceSecret(renderSecret(agent, agentSettings));
      await kube.services.apply(serviceRef(agent), wanted);
    }
  }
  const trigger = renderTrigger(agent);
  const ref = { namespace: SHARED_NAMESPACE, name: triggerName(agent) };
  const there = await kube.triggers.get(ref);
  if (!there || hashIn(there) !== hashIn(trigger)) await kube.triggers.apply(ref, trigger);
}

function serviceRef({ metadata, spec }: Agent): ObjectRef {
  const { name = metadata.name, namespace = metadata.namespace } = spec.service ?? {};
  return { namespace, name };
}

/** Part of the identity of its steps: it changes with the code behind it. */
function revisionOf({ metadata, spec }: Agent, service: KubeObject | undefined): string | undefined {
  if (isByImage(spec)) return imageRevision(spec);
  if (spec.uri !== undefined) return String(metadata.generation ?? 0);
  return service && `${service.metadata.uid}-${service.metadata.generation ?? 0}`;
}

async function write(object: KubeObject, status: AgentStatus, deps: AgentDeps): Promise<AgentOutcome> {
  const ready = status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
  const requeue = ready ? {} : { requeueAt: new Date(deps.now().getTime() + RETRY_MS) };
  if (canonicalJson(status) === canonicalJson(object.status ?? {})) return { changed: false, ...requeue };
  const result = await deps.kube.agents.putStatus(object, status);
  return result === "conflict" ? { changed: false, requeueAt: deps.now() } : { changed: true, ...requeue };
}

/** Its Knative Service, Secret and service account go with it by their owner; its Trigger is in another namespace. */
async function remove(object: KubeObject, deps: AgentDeps): Promise<AgentOutcome> {
  const { namespace, name, finalizers, resourceVersion } = object.metadata;
  if (!finalizers.includes(FINALIZER)) return { changed: false };
  await deps.kube.triggers.remove({
    namespace: SHARED_NAMESPACE,
    name: triggerName({ metadata: { namespace, name } }),
  });
  const left = finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const result = await deps.kube.agents.merge({ namespace, name }, { metadata: { finalizers: left, resourceVersion } });
  return { changed: true, ...(result === "conflict" ? { requeueAt: deps.now() } : {}) };
}
