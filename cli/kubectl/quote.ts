import type { AgentPipeline } from "../../crd/agentpipeline.ts";
import type { AgentWorkload } from "../../crd/agentworkload.ts";
import { formatProblems, specProblems } from "../../crd/parse.ts";
import { freeze } from "../../engine/freeze.ts";
import { baseRunOf, runOf } from "../../engine/run.ts";
import { hasEnded } from "../../engine/status-text.ts";
import { workloadProblems } from "../../engine/workload-check.ts";
import { DEFAULT_PIPELINE, loadShipped } from "../../pipelines/shipped.ts";
import { type Documents, readDocuments } from "../documents.ts";
import { EXIT } from "../exit-code.ts";
import { quoteOf, quoteText } from "../quote.ts";
import { pipelineOf } from "../resolve.ts";
import type { Cluster, ClusterOptions, SeenWorkload } from "./cluster.ts";

export interface QuoteOptions extends ClusterOptions {
  readonly output: "text" | "json";
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** `kubectl agentic quote FILE...`: what a workload would do and cost at most. Reads the cluster, and changes nothing. @returns the exit code */
export async function quote(
  connect: (options: ClusterOptions) => Cluster,
  files: readonly string[],
  { output, ...options }: QuoteOptions,
): Promise<number> {
  const documents = await readDocuments(files);
  const [document, second] = documents.workloads;
  if (documents.problems.length > 0 || !document || second) {
    say(formatProblems(documents.problems) || "kubectl agentic: expected one AgentWorkload in the files");
    return EXIT.invalid;
  }
  const { namespace: written, name } = document.value.metadata;
  // A document that names no namespace reads as one of "default".
  const cluster = connect(written === "default" ? options : { namespace: written, ...options });
  const existing = await cluster.workload(name);
  const workload = { ...document.value, metadata: { namespace: cluster.namespace, name } };
  const pipeline = await findPipeline(cluster, document.value, documents);
  if (!pipeline) {
    say(`kubectl agentic: there is no pipeline ${workload.spec.pipeline} in namespace ${cluster.namespace}`);
    return EXIT.invalid;
  }
  const problems = await workloadProblems(workload, pipeline, new Set());
  const frozen = freeze(pipeline, new Map());
  if (problems.length > 0 || "problem" in frozen) {
    say("problem" in frozen ? frozen.problem : formatProblems(specProblems(document, problems)));
    return EXIT.invalid;
  }
  const { spec } = workload;
  const uid = existing?.metadata.uid ?? "";
  const run = runOf({ ...workload.metadata, uid }, spec, frozen.pipeline);
  const isHeld = spec.suspend || spec.stop;
  const isDone = existing !== undefined && hasSucceeded(existing, run.base);
  const spentUsd = Number(existing?.status?.usage?.costUsd ?? 0);
  const terms = { isReuseKnown: existing === undefined, hasModel: true, spentUsd, isOver: isHeld || isDone };
  const quoted = quoteOf(run, new Map(), terms);
  process.stdout.write(output === "json" ? `${JSON.stringify(quoted, null, 2)}\n` : quoteText(quoted));
  if (isHeld) say("kubectl agentic: nothing starts: spec.suspend or spec.stop is true");
  else if (isDone)
    say(`kubectl agentic: this run succeeded at ${existing.status?.finishedAt}: nothing starts without a rerun`);
  else if (existing)
    say(
      `kubectl agentic: ${name} is there already (${existing.status?.phase ?? "Pending"}). Results of steps whose inputs and agents are the same are reused, if not older than ${spec.freshness} (spec.freshness); which these are is not known before`,
    );
  return isHeld ? EXIT.held : EXIT.succeeded;
}

/** In the files, in the cluster, else as it ships: not everybody may read the shared ones. */
async function findPipeline(
  cluster: Cluster,
  workload: AgentWorkload,
  documents: Documents,
): Promise<AgentPipeline | undefined> {
  const own = pipelineOf(workload, { documents, shipped: { pipelines: [], agents: [] } });
  const found = own ?? (await cluster.pipeline(workload.spec.pipeline ?? DEFAULT_PIPELINE));
  if (found) return found;
  const shipped = pipelineOf(workload, { documents, shipped: await loadShipped() });
  if (shipped)
    say(
      `kubectl agentic: pipeline ${shipped.metadata.name} as it ships: you may not read the cluster's, or it has none`,
    );
  return shipped;
}

/** It is this very run, and there is nothing left to do. */
function hasSucceeded(existing: SeenWorkload, base: string): boolean {
  const { metadata, spec, status } = existing;
  return baseRunOf(metadata.uid, spec) === base && hasEnded(existing) && status?.phase === "Succeeded";
}
