import { triggerName } from "../../functions/reconcile/agent/render.ts";
import { apply, get, kubectl, list, until } from "./cluster.ts";

// Agents, one after the other: of several Triggers that are made or deleted at once, Knative may lose one among its channel's
// subscribers, or keep it for ever (each Subscription writes the whole list, by what it knew of the others).

type Agent = { readonly metadata: { readonly namespace: string; readonly name: string } };

export async function createAgents(...agents: readonly Agent[]): Promise<void> {
  for (const one of agents) {
    await apply(one);
    await untilReady(one.metadata);
  }
}

export async function untilReady({ namespace, name }: Agent["metadata"]): Promise<void> {
  await until(
    `Agent ${namespace}/${name} to be ready`,
    async () => {
      const object = await get("agents", namespace, name);
      const ready = object?.status?.conditions?.find(({ type }: { type: string }) => type === "Ready");
      return ready?.status === "True" && ready.observedGeneration === object?.metadata.generation;
    },
    { seen: async () => (await get("agents", namespace, name))?.status },
  );
}

export async function deleteAgent(namespace: string, name: string): Promise<void> {
  await kubectl(["-n", namespace, "delete", "agent", name, "--ignore-not-found", "--timeout=60s"]);
  await untilUnsubscribed(namespace, name);
}

/** All of a namespace. */
export async function deleteAgents(namespace: string): Promise<void> {
  for (const { metadata } of await list("agents", namespace)) await deleteAgent(namespace, metadata.name);
}

/** Until an Agent that is gone has left the channel too. */
export async function untilUnsubscribed(namespace: string, name: string): Promise<void> {
  const prefix = `default-${triggerName({ metadata: { namespace, name } })}-`;
  await until(`${namespace}/${name} to leave the channel`, async () => {
    const subscriptions = await list("subscriptions", "agentic-system");
    return !subscriptions.some(({ metadata }) => metadata.name.startsWith(prefix));
  });
}
