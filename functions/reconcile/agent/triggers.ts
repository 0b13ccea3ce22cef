import type { Agent } from "../../../crd/agent.ts";
import { SHARED_NAMESPACE } from "../../../engine/freeze.ts";
import type { Kube, KubeObject, ObjectRef } from "../../../lib/edges/kube.ts";
import { exclusivelyOrDeleted } from "../exclusively-or-deleted.ts";
import { hashIn, renderTrigger, triggerName } from "./render.ts";
import { readyCondition } from "./status.ts";

// Knative's Subscription controller writes a channel's whole list of subscribers from its own cache. Of two Triggers that are made or
// deleted at the same time, one may be missing from that list, or stay in it for ever. So one Trigger changes at a time.

export interface TriggerDeps {
  readonly kube: Pick<Kube, "agents" | "triggers">;
  /** Runs work on an object while no other process does. @throws RetryableError Busy, StoreUnavailable */
  readonly exclusively: <T>(key: string, work: () => Promise<T>) => Promise<T>;
  readonly now: () => Date;
}

/** How long a Trigger that does not get ready, or does not go, keeps others waiting: what it needs may never come. */
const SETTLES_MS = 30_000;
/** How long an Agent's deletion waits for its Trigger's. */
const GIVE_UP_MS = 120_000;

/** Makes an Agent's Trigger what it should be. @returns it; undefined where another one is changing: to be tried again */
export async function applyTrigger(agent: Agent, deps: TriggerDeps): Promise<KubeObject | undefined> {
  const wanted = renderTrigger(agent);
  const ref = triggerRef(agent);
  const there = await deps.kube.triggers.get(ref);
  if (there && hashIn(there) === hashIn(wanted)) return there;
  const applied = await inTurn(agent.metadata, ref, deps, () => deps.kube.triggers.apply(ref, wanted));
  return applied ? deps.kube.triggers.get(ref) : undefined;
}

/** Deletes an Agent's Trigger. @returns whether it is gone: "givenUp" where Knative does not let it go; else to be tried again */
export async function removeTrigger(
  agent: Pick<Agent, "metadata">,
  deps: TriggerDeps,
): Promise<"gone" | "going" | "givenUp"> {
  const ref = triggerRef(agent);
  const there = await deps.kube.triggers.get(ref);
  if (!there) return "gone";
  const { deletionTimestamp } = there.metadata;
  if (deletionTimestamp !== undefined)
    return deps.now().getTime() - Date.parse(deletionTimestamp) > GIVE_UP_MS ? "givenUp" : "going";
  // In the foreground: the Trigger is there until its Subscription has left the channel.
  await inTurn(agent.metadata, ref, deps, async () => void (await deps.kube.triggers.remove(ref, "Foreground")));
  return "going";
}

function triggerRef(agent: Pick<Agent, "metadata">): ObjectRef {
  return { namespace: SHARED_NAMESPACE, name: triggerName(agent) };
}

function inTurn(agent: ObjectRef, ref: ObjectRef, deps: TriggerDeps, change: () => Promise<void>): Promise<boolean> {
  return exclusivelyOrDeleted("triggers", deps.kube.agents, agent, deps, async () => {
    const labelSelector = "app.kubernetes.io/managed-by=agentic";
    const all = await deps.kube.triggers.list({ namespace: SHARED_NAMESPACE, labelSelector });
    if (all.some((one) => one.metadata.name !== ref.name && isChanging(one, deps.now()))) return false;
    await change();
    return true;
  });
}

/** It is on its way into the channel, or out of it. */
function isChanging(trigger: KubeObject, now: Date): boolean {
  const { creationTimestamp, deletionTimestamp } = trigger.metadata;
  const ready = readyCondition(trigger);
  if (deletionTimestamp === undefined && ready?.status === "True") return false;
  const since = Date.parse(deletionTimestamp ?? ready?.lastTransitionTime ?? creationTimestamp);
  return now.getTime() - since < SETTLES_MS;
}
