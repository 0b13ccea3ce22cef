import pLimit from "p-limit";
import { type OutcomeTable, setOutcome } from "../../engine/outcomes.ts";
import { runOf } from "../../engine/run.ts";
import { parseStepOutput } from "../../functions/reconcile/workload/node-output.ts";
import { createResultReader } from "../../lib/durable/results.ts";
import { type CostBy, costReport, costTable, type RunCost } from "../cost.ts";
import { EXIT } from "../exit-code.ts";
import { type ItemCost, itemCosts } from "../item-cost.ts";
import type { Cluster, SeenWorkload } from "./cluster.ts";
import { missing } from "./describe.ts";

export interface CostOptions {
  readonly by?: CostBy;
  readonly allNamespaces?: boolean;
  readonly output: "text" | "json";
}

/** Results that are read at once. */
const READS_AT_ONCE = 16;

/** `kubectl agentic cost`: what runs cost, as their status says, and one by its items. @returns the exit code */
export async function cost(
  cluster: Cluster,
  name: string | undefined,
  { by = name === undefined ? "run" : "step", allNamespaces = false, output }: CostOptions,
): Promise<number> {
  if (name === undefined && by === "item") {
    process.stderr.write("kubectl agentic: --by item is about one workload: name it\n");
    return EXIT.invalid;
  }
  const one = name === undefined ? undefined : await cluster.workload(name);
  if (name !== undefined && !one) return missing(cluster, name);
  const runs = (one ? [one] : await cluster.workloads(allNamespaces)).map(runCost);
  if (one && by === "item") {
    const { items, problems } = await observeItems(cluster, one);
    for (const problem of problems) process.stderr.write(`kubectl agentic: not attributed: ${problem}\n`);
    runs.splice(0, 1, { ...runCost(one), items });
  }
  const report = costReport(by, runs);
  process.stdout.write(output === "json" ? `${JSON.stringify(report, null, 2)}\n` : costTable(report));
  return EXIT.succeeded;
}

export function runCost({ metadata, status = {} }: Pick<SeenWorkload, "metadata" | "status">): RunCost {
  const { namespace, name } = metadata;
  const { pipeline, startedAt, finishedAt, usage, steps = [] } = status;
  const costs = steps.map((step) => ({ name: step.name, costUsd: Number(step.costUsd) }));
  return { namespace, name, pipeline, startedAt, finishedAt, totalUsd: Number(usage?.costUsd ?? 0), steps: costs };
}

/** Each item's cost is in the results of its steps, whose digests are the outputs of the run's nodes. */
export async function observeItems(
  cluster: Pick<Cluster, "run" | "artifacts">,
  { metadata, spec, status = {} }: SeenWorkload,
): Promise<{ readonly items: readonly ItemCost[]; readonly problems: ReadonlySet<string> }> {
  const view = status.workflow === undefined ? undefined : await cluster.run(status.workflow);
  if (!view?.pipeline)
    return { items: [], problems: new Set(["the run's Workflow is gone, or you may not read Workflows here"]) };
  const problems = new Set<string>();
  const outcomes: OutcomeTable = new Map();
  const results = createResultReader(cluster.artifacts);
  const inTurn = pLimit(READS_AT_ONCE);
  await inTurn.map(view.nodes, async ({ role, step, index, output }) => {
    const ended = role === "step" ? parseStepOutput(output) : undefined;
    if (!ended || !("digest" in ended)) return;
    try {
      const result = await results.get(metadata, ended.digest);
      if (result) setOutcome(outcomes, step, index, result);
      else problems.add("bytes of results are gone from the object store");
    } catch (error) {
      problems.add((error as Error).message);
    }
  });
  return { items: itemCosts(runOf(metadata, spec, view.pipeline), outcomes), problems };
}
