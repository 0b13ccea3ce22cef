import { waitingReviews } from "../../engine/status-text.ts";
import { EXIT } from "../exit-code.ts";
import type { Cluster } from "./cluster.ts";
import { table } from "./table.ts";

export interface ReviewsOptions {
  readonly allNamespaces?: boolean;
  readonly output: "text" | "json";
}

/** `kubectl agentic reviews`: the gates that wait. @returns the exit code */
export async function reviews(cluster: Cluster, { allNamespaces = false, output }: ReviewsOptions): Promise<number> {
  const workloads = await cluster.workloads(allNamespaces);
  const waiting = workloads.flatMap((workload) => {
    const { namespace, name } = workload.metadata;
    return waitingReviews(workload).map((review) => ({ namespace, workload: name, ...review }));
  });
  if (output === "json") process.stdout.write(`${JSON.stringify(waiting, null, 2)}\n`);
  else if (waiting.length === 0)
    process.stderr.write(`no gate waits in ${allNamespaces ? "any namespace" : `namespace ${cluster.namespace}`}\n`);
  else {
    const rows = waiting.map(({ namespace, workload, gate, openedAt, timeoutAt, onTimeout, costOfApproving = "?" }) => [
      ...(allNamespaces ? [namespace] : []),
      workload,
      gate,
      openedAt,
      `${timeoutAt} (${onTimeout})`,
      `$${costOfApproving}`,
    ]);
    const head = [
      ...(allNamespaces ? ["NAMESPACE"] : []),
      "WORKLOAD",
      "GATE",
      "SINCE",
      "UNTIL (THEN)",
      "COSTS AT MOST",
    ];
    process.stdout.write(table([head, ...rows]));
  }
  return EXIT.succeeded;
}
