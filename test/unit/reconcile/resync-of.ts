import { resync } from "../../../functions/reconcile/resync.ts";
import type { Harness } from "./harness.ts";

/** A resync. @returns the workloads that it looks at */
export async function resyncOf(world: Harness): Promise<string[]> {
  const looked: string[] = [];
  const none = async function* () {};
  const all = async function* () {
    if (world.workload) yield world.workload;
  };
  const { kube } = world.deps;
  const deps = {
    ...world.deps,
    kube: {
      ...kube,
      agents: { ...kube.agents, listAll: none },
      workloads: { ...kube.workloads, listAll: all },
      decisions: { ...kube.decisions, listAll: none },
    },
  };
  await resync(
    deps,
    {
      agent: async () => undefined,
      workload: async ({ name }) => void looked.push(name),
      decision: async () => undefined,
      schedule: async () => undefined,
    },
    () => undefined,
  );
  return looked;
}
