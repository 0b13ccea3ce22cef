import { type Agent, type AgentStatus, agentSchema } from "../../../crd/agent.ts";
import { addressProblems } from "../../../engine/agent-address.ts";
import { canonicalJson } from "../../../engine/canonical.ts";
import { agentProblems, problemTexts } from "../../../engine/check.ts";
import type { Kube, KubeObject, ObjectRef } from "../../../lib/edges/kube.ts";
import type { Logger } from "../../../lib/log.ts";
import { schemaProblems } from "../../../lib/schema-problems.ts";
import type { AgentRef } from "../../../lib/step-events.ts";
import { exclusivelyOrDeleted } from "../exclusively-or-deleted.ts";
import { isOwnedBy } from "../owner.ts";
import {
  hashIn,
  isByImage,
  renderNetworkPolicy,
  renderSecret,
  renderService,
  renderServiceAccount,
  sideName,
} from "./render.ts";
import { readiness, revisionOf, statusOf, urlOf } from "./status.ts";
import { applyTrigger, removeTrigger, type TriggerDeps } from "./triggers.ts";

export interface AgentDeps extends TriggerDeps {
  readonly kube: Kube;
  /** What an agent by image gets as its environment: addresses, logins, keys (config/: Secret agentic-agent). */
  readonly agentSettings: (agent: AgentRef) => Readonly<Record<string, string>>;
  /** Sees to it that the agents of a namespace can log in to the stores. */
  readonly ensureLogins: (namespace: string) => Promise<void>;
  /** The last agent of a namespace is deleted, and with it the namespace's logins. */
  readonly removeLogins: (namespace: string) => Promise<void>;
  readonly log: Logger;
}

const FINALIZER = "agentic.dev/trigger";
/** How soon an agent that is not ready is looked at again; its Knative Service's changes come as events, its Trigger's do not. */
const RETRY_MS = 2000;
/** How soon a Trigger that waits for another one to settle is tried again. */
const TURN_MS = 500;

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
  const problem = parsed.success ? await specProblem(parsed.data, deps.kube) : schemaProblems(parsed.error);
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
  const before = await serviceOf(agent, deps);
  if (isByImage(agent.spec) && before && !isOwnedBy(before, object)) {
    const message = `there is a Knative Service ${agent.metadata.name} that is not this Agent's: give the Agent another name`;
    return write(object, statusOf(object, { reason: "ServiceNameTaken", message }, deps.now()), deps);
  }
  const service = await applyService(agent, object, before, deps);
  // A Trigger without its subscriber would settle at some later time, perhaps together with others.
  const reached = urlOf(agent, service) !== undefined;
  const trigger = reached ? await applyTrigger(agent, deps) : undefined;
  const known = readiness(agent, service, trigger, revisionOf(agent, service), deps.now());
  const outcome = await write(object, statusOf(object, known, deps.now()), deps);
  return reached && !trigger ? { ...outcome, requeueAt: new Date(deps.now().getTime() + TURN_MS) } : outcome;
}

async function specProblem(agent: Agent, { isNamespace }: Kube): Promise<string | undefined> {
  const [problem] = [...(await addressProblems(agent, isNamespace)), ...(await agentProblems(agent.spec))];
  return problem && problemTexts([problem])[0];
}

/** Only what has changed is applied: most looks change nothing. @returns the Knative Service that does the Agent's steps */
async function applyService(
  agent: Agent,
  object: KubeObject,
  service: KubeObject | undefined,
  { kube, agentSettings, ensureLogins }: AgentDeps,
): Promise<KubeObject | undefined> {
  if (!isByImage(agent.spec)) {
    await removeOwnService(agent, object, kube);
    return service;
  }
  const { namespace } = agent.metadata;
  // Before its first pod: one that cannot log in refuses its first step, which is sent again half a minute later.
  await ensureLogins(namespace);
  const settings = agentSettings(agent.metadata);
  const wanted = renderService(agent, agent.spec, settings);
  const secret = renderSecret(agent, settings);
  await kube.ensureServiceAccount(renderServiceAccount(agent));
  await applyNetworkPolicy(agent, kube);
  if (service && hashIn(service) === hashIn(wanted)) {
    await kube.ensureSecret(secret);
    return service;
  }
  await kube.replaceSecret(secret);
  await kube.services.apply(serviceRef(agent), wanted);
  return kube.services.get(serviceRef(agent));
}

/** Before the first pod, and again where somebody deleted it. */
async function applyNetworkPolicy(agent: Agent, { networkPolicies }: Kube): Promise<void> {
  const ref = { namespace: agent.metadata.namespace, name: sideName(agent) };
  const wanted = renderNetworkPolicy(agent);
  const there = await networkPolicies.get(ref);
  if (!there || hashIn(there) !== hashIn(wanted)) await networkPolicies.apply(ref, wanted);
}

/** That of an Agent which was by image, and is no more. */
async function removeOwnService({ metadata, spec }: Agent, object: KubeObject, kube: Kube): Promise<void> {
  const { namespace, name } = metadata;
  const { service } = spec;
  if (service && (service.namespace ?? namespace) === namespace && service.name === name) return;
  const own = await kube.services.get({ namespace, name });
  if (own && own.metadata.deletionTimestamp === undefined && isOwnedBy(own, object))
    await kube.services.remove({ namespace, name });
}

async function serviceOf(agent: Agent, { kube }: AgentDeps): Promise<KubeObject | undefined> {
  return agent.spec.uri === undefined ? kube.services.get(serviceRef(agent)) : undefined;
}

function serviceRef({ metadata, spec }: Agent): ObjectRef {
  const { name = metadata.name, namespace = metadata.namespace } = spec.service ?? {};
  return { namespace, name };
}

async function write(object: KubeObject, status: AgentStatus, deps: AgentDeps): Promise<AgentOutcome> {
  const ready = status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
  const requeue = ready ? {} : { requeueAt: new Date(deps.now().getTime() + RETRY_MS) };
  if (canonicalJson(status) === canonicalJson(object.status ?? {})) return { changed: false, ...requeue };
  const result = await deps.kube.agents.putStatus(object, status);
  return result === "conflict" ? { changed: false, requeueAt: deps.now() } : { changed: true, ...requeue };
}

/** Its Knative Service and what is beside that go with it by their owner; its Trigger is in another namespace. */
async function remove(object: KubeObject, deps: AgentDeps): Promise<AgentOutcome> {
  const { namespace, name, finalizers, resourceVersion } = object.metadata;
  if (!finalizers.includes(FINALIZER)) return { changed: false };
  const trigger = await removeTrigger({ metadata: { namespace, name } }, deps);
  if (trigger === "going") return { changed: false, requeueAt: new Date(deps.now().getTime() + TURN_MS) };
  if (trigger === "givenUp")
    deps.log.warn({ agent: `${namespace}/${name}` }, "Agent deleted; Knative has not deleted its Trigger yet");
  await removeLastLogins(object, deps);
  const left = finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const result = await deps.kube.agents.merge({ namespace, name }, { metadata: { finalizers: left, resourceVersion } });
  return { changed: true, ...(result === "conflict" ? { requeueAt: deps.now() } : {}) };
}

/** A login that stays behind reaches only what its namespace had: a store that is away holds no deletion up. */
async function removeLastLogins({ metadata }: KubeObject, { kube, removeLogins, log }: AgentDeps): Promise<void> {
  const { namespace, uid } = metadata;
  const others = await kube.agents.list({ namespace });
  if (others.some((one) => one.metadata.uid !== uid)) return;
  try {
    await removeLogins(namespace);
  } catch (error) {
    log.warn(
      { err: error, namespace },
      "the last Agent of the namespace is deleted, but its logins to the stores could not all be",
    );
  }
}
