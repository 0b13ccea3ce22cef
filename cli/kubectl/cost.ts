import pLimit from "p-limit";
import { type OutcomeTable, setOutcome } from "../../engine/outcomes.ts";
import { runOf } from "../../engine/run.ts";
import { parseStepOutput } from "../../functions/reconcile/workload/node-output.ts";
import { createResultReader } from "../../lib/durable/results.ts";
import { type CostBy, costReport, costTable, type RunCost } from "../cost.ts";
import { EXIT } from "../exit-code.ts";
import { type ItemCost, itemCosts } from "../item-cost.ts";
import { type ModelCost, modelCosts } from "../model-cost.ts";
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
  const runs: RunCost[] = [];
  for (const workload of one ? [one] : await cluster.workloads(allNamespaces)) {
    if (by !== "item" && by !== "model") {
      runs.push(runCost(workload));
      continue;
    }
    const { problems, ...costs } = await observeCosts(cluster, workload);
    const which = one ? "" : `${workload.metadata.namespace}/${workload.metadata.name}: `;
    for (const problem of problems) process.stderr.write(`kubectl agentic: not attributed: ${which}${problem}\n`);
    runs.push({ ...runCost(workload), ...costs });
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

interface ObservedCosts {
  readonly items: readonly ItemCost[];
  readonly models: readonly ModelCost[];
  /** Why some of the cost is in none of them. */
  readonly problems: ReadonlySet<string>;
}

const NO_WORKFLOW = "the run's Workflow is gone, or you may not read Workflows here";

/** What items and models cost is in the results of the steps, whose digests are the outputs of the run's nodes. */
export async function observeCosts(
  cluster: Pick<Cluster, "run" | "artifacts">,
  { metadata, spec, status = {} }: SeenWorkload,
): Promise<ObservedCosts> {
  const view = status.workflow === undefined ? undefined : await cluster.run(status.workflow);
  if (!view?.pipeline) return { items: [], models: [], problems: new Set([NO_WORKFLOW]) };
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
  return { items: itemCosts(runOf(metadata, spec, view.pipeline), outcomes), models: modelCosts(outcomes), problems };
}
