import { apply, get, kubectl, list, until } from "./cluster.ts";

interface Agent {
  readonly spec?: object;
  readonly metadata: { readonly namespace: string; readonly name: string };
}

export async function createAgents(...agents: readonly Agent[]): Promise<void> {
  await apply(...agents);
  for (const { metadata } of agents) await untilReady(metadata);
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
  await kubectl(["-n", namespace, "delete", "agent", name, "--ignore-not-found", "--timeout=180s"]);
}

/** All of a namespace. */
export async function deleteAgents(namespace: string): Promise<void> {
  await kubectl(["-n", namespace, "delete", "agents", "--all", "--timeout=180s"]);
}

/** The uids of the Subscriptions that the Broker's channel delivers to, and of those that exist. */
export async function subscribers(): Promise<{ inChannel: string[]; subscriptions: string[] }> {
  const channel = await get("inmemorychannels", "agentic-system", "default-kne-trigger");
  const subscriptions = await list("subscriptions", "agentic-system");
  return {
    inChannel: (channel?.spec.subscribers ?? []).map(({ uid }: { uid: string }) => uid).toSorted(),
    subscriptions: subscriptions.map(({ metadata }) => metadata.uid).toSorted(),
  };
}
