import { EXIT } from "../exit-code.ts";
import type { Cluster, SeenWorkload } from "./cluster.ts";
import { missing } from "./describe.ts";
import { table } from "./table.ts";

export interface GetOptions {
  readonly allNamespaces?: boolean;
  readonly output: "text" | "json" | "name";
}

/** A workload in a few words: what its printer columns say. */
interface Listed {
  readonly namespace: string;
  readonly name: string;
  readonly phase: string;
  readonly pipeline?: string;
  /** Done, of how many. */
  readonly items?: string;
  readonly costUsd?: string;
  /** Reason of the condition Reviewed. */
  readonly review?: string;
  readonly createdAt: string;
}

/** `kubectl agentic get`: the workloads, or one of them. @returns the exit code */
export async function get(
  cluster: Cluster,
  name: string | undefined,
  { allNamespaces = false, output }: GetOptions,
  now: Date,
): Promise<number> {
  const one = name === undefined ? undefined : await cluster.workload(name);
  if (name !== undefined && !one) return missing(cluster, name);
  const all = (one ? [one] : await cluster.workloads(allNamespaces)).map(listed);
  if (output === "json") process.stdout.write(`${JSON.stringify(one ? all[0] : all, null, 2)}\n`);
  else if (output === "name") process.stdout.write(all.map((each) => `${each.name}\n`).join(""));
  else if (all.length === 0)
    process.stderr.write(
      `there is no AgentWorkload in ${allNamespaces ? "any namespace" : `namespace ${cluster.namespace}`}\n`,
    );
  else process.stdout.write(listTable(all, allNamespaces, now));
  return EXIT.succeeded;
}

function listed({ metadata, status = {} }: SeenWorkload): Listed {
  const { namespace, name, createdAt } = metadata;
  const { phase = "Pending", pipeline, items, usage, conditions = [] } = status;
  const review = conditions.find(({ type }) => type === "Reviewed")?.reason;
  return {
    namespace,
    name,
    phase,
    ...(pipeline ? { pipeline } : {}),
    ...(items ? { items: items.progress } : {}),
    ...(usage ? { costUsd: usage.costUsd } : {}),
    ...(review ? { review } : {}),
    createdAt,
  };
}

export function listTable(all: readonly Listed[], withNamespace: boolean, now: Date): string {
  const place = (namespace: string): string[] => (withNamespace ? [namespace] : []);
  return table([
    [...place("NAMESPACE"), "NAME", "PHASE", "PIPELINE", "ITEMS", "COST", "REVIEW", "AGE"],
    ...all.map(({ namespace, name, phase, pipeline = "", items = "", costUsd, review = "", createdAt }) => [
      ...place(namespace),
      name,
      phase,
      pipeline,
      items,
      costUsd === undefined ? "" : `$${costUsd}`,
      review,
      age(now.getTime() - Date.parse(createdAt)),
    ]),
  ]);
}

/** As kubectl says it: in the largest unit of which two have passed. */
function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
