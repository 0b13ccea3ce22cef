import { argoEngine } from "../../functions/reconcile/argo/engine.ts";
import type { KubeObject } from "../../lib/edges/kube.ts";
import { follow } from "../follow.ts";

/** What was seen of one run's Workflow from outside. */
export interface Progress {
  /** When another node was settled, in ms of the epoch. */
  readonly settledAt: readonly number[];
  /** When each step's node was settled, by `step index`; in ms of the epoch. */
  readonly endedAt: ReadonlyMap<string, number>;
  /** Nodes that were settled, and were open or settled otherwise later. */
  readonly changed: readonly string[];
  stop(): void;
}

/** Watches the Workflows of a namespace that holds those of one workload. */
export async function watchProgress(kubeconfig: string, namespace: string): Promise<Progress> {
  const settledAt: number[] = [];
  const endedAt = new Map<string, number>();
  const outputs = new Map<string, string>();
  const changed: string[] = [];
  const see = (object: KubeObject): void => {
    const before = outputs.size;
    const { nodes } = argoEngine.view({ ...object, metadata: { ...object.metadata, annotations: {} } });
    for (const { id, step, index = 0, role, phase, output } of nodes) {
      const known = outputs.get(id);
      if (known !== undefined && known !== output) changed.push(`${step} ${index}: ${known}, then ${output}`);
      if (known !== undefined || output === undefined || phase === "Running") continue;
      outputs.set(id, output);
      if (role === "step") endedAt.set(`${step} ${index}`, Date.now());
    }
    if (outputs.size > before) settledAt.push(Date.now());
  };
  const stop = await follow(kubeconfig, `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/workflows`, see);
  return { settledAt, endedAt, changed, stop };
}
