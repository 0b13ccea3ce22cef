import { runOf } from "../../engine/run.ts";
import type { FailedItem } from "../../engine/status-text.ts";
import { EXIT } from "../exit-code.ts";
import type { Cluster, SeenWorkload } from "./cluster.ts";
import { failedItems, runTree } from "./tree.ts";

export interface DescribeOptions {
  readonly output: "text" | "json";
}

/** `kubectl agentic describe`: a run as a tree, with reasons and cost. @returns the exit code */
export async function describe(cluster: Cluster, name: string, { output }: DescribeOptions): Promise<number> {
  const workload = await cluster.workload(name);
  if (!workload) return missing(cluster, name);
  const failures = await failuresOf(cluster, workload);
  if (output === "json") {
    const { metadata, status = {} } = workload;
    const { namespace } = metadata;
    process.stdout.write(`${JSON.stringify({ namespace, name, ...status, failures }, null, 2)}\n`);
  } else process.stdout.write(runTree(workload, failures));
  return EXIT.succeeded;
}

export function missing({ namespace }: Cluster, name: string): number {
  process.stderr.write(`kubectl agentic: there is no AgentWorkload ${name} in namespace ${namespace}\n`);
  return EXIT.failed;
}

/** Why items failed is in the run's object, which not everybody may read. */
export async function failuresOf(cluster: Cluster, { metadata, spec, status }: SeenWorkload): Promise<FailedItem[]> {
  const hasFailed = status?.steps?.some(({ failed }) => failed > 0);
  const view = hasFailed && status?.workflow ? await cluster.run(status.workflow) : undefined;
  return view?.pipeline ? failedItems(runOf(metadata, spec, view.pipeline), view.nodes) : [];
}
