import { type Agent, agentSchema } from "../crd/agent.ts";
import { candidates } from "../engine/freeze.ts";
import type { Kube } from "./edges/kube.ts";

/** The Agent that an object of a namespace names: of that namespace, or a shared one. An invalid one is none. */
export async function findAgent(
  name: string,
  namespace: string,
  { agents }: Pick<Kube, "agents">,
): Promise<Agent | undefined> {
  for (const ref of candidates(name, namespace)) {
    const object = await agents.get(ref);
    const parsed = object && agentSchema.safeParse(object);
    if (parsed?.success) return parsed.data;
  }
  return undefined;
}
