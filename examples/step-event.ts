/**
 * An AgentWorkload walked by hand: writes the event of one step, made of what the steps before it left, and prints the arguments by
 * which `func invoke` sends it (docs/func.md).
 */
import { parseArgs } from "node:util";
import { readSigningKey, requestByHand, writeInvocation } from "../agent/invocation.ts";
import { readDocuments } from "../cli/documents.ts";
import { itemText } from "../cli/item-cost.ts";
import { resolveWorkload } from "../cli/resolve.ts";
import { formatProblems } from "../crd/parse.ts";
import type { Outcomes } from "../engine/outcomes.ts";
import type { PipelineStep } from "../engine/pipeline.ts";
import { type Run, stepOf } from "../engine/run.ts";
import { type Instance, inputOf } from "../engine/walk.ts";
import { allowListFor } from "../lib/allow-list.ts";
import { readSettings } from "../lib/config.ts";
import { connectArtifacts } from "../lib/connect.ts";
import { connectRedis } from "../lib/edges/redis.ts";
import { loadShipped } from "../pipelines/shipped.ts";
import { instancesOf, outcomesSoFar, reviewInvocation, reviewsBeside } from "./by-hand.ts";

const USAGE = `usage: func invoke --target URL $(node examples/step-event.ts WORKLOAD STEP [ITEM] --key FILE [--file FILE])
  WORKLOAD  an AgentWorkload's file, of a pipeline that ships
  STEP      a step of the pipeline; of a gate the event asks approve for its decision
  ITEM      which item of a fan-out
  --key     PEM of the Ed25519 key whose public half the functions have as STEP_TOKEN_PUBLIC_KEY and REVIEW_LINK_PUBLIC_KEY
  --file    where the event's data goes (default: step-event.json)
REDIS_URL, REDIS_CA and ARTIFACTS_URL as the functions have them.`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { key: { type: "string" }, file: { type: "string", default: "step-event.json" } },
  });
  const [workload, step, item] = positionals;
  if (workload === undefined || step === undefined || positionals.length > 3) throw new Error(USAGE);
  console.log(await invocationOf(await runOf(workload), step, item, values));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** The run that `agentic run` would start. */
async function runOf(file: string): Promise<Run> {
  const documents = await readDocuments([file]);
  if (documents.problems.length > 0) throw new Error(formatProblems(documents.problems));
  const [workload] = documents.workloads;
  if (!workload) throw new Error(`${file} has no AgentWorkload`);
  const options = {
    documents,
    shipped: await loadShipped(),
    addresses: new Map(),
    allowPrivateHosts: new Set<string>(),
  };
  const resolved = await resolveWorkload(workload, options);
  if ("problems" in resolved) throw new Error(formatProblems(resolved.problems));
  return resolved.run;
}

async function invocationOf(
  run: Run,
  name: string,
  item: string | undefined,
  { key: keyFile, file }: { readonly key?: string | undefined; readonly file: string },
): Promise<string> {
  const step = run.pipeline.steps.find((one) => one.name === name);
  if (!step) throw new Error(`${name} is no step: expected ${run.pipeline.steps.map((one) => one.name).join(", ")}`);
  const key = await readSigningKey(keyFile);
  const settings = readSettings();
  const redis = await connectRedis(settings.REDIS_URL, settings.REDIS_CA);
  try {
    const artifacts = await connectArtifacts(settings);
    const traces = { redis, artifacts, reviews: reviewsBeside(settings.ARTIFACTS_URL) };
    const outcomes = await outcomesSoFar(run, traces);
    const instance = instanceOf(run, step, item, outcomes);
    checkBefore(run, instance, outcomes);
    const now = new Date();
    if (step.gate) return await reviewInvocation(run, step, outcomes, traces, { key, file, now });
    const request = {
      workload: run.workload,
      run: run.run,
      step: name,
      revision: run.pipeline.agents[step.agent ?? ""]?.revision ?? "",
      input: inputOf(run, instance, outcomes),
    };
    const allow = allowListFor(step, instance.item, run.egressAllow);
    return await writeInvocation(await requestByHand(request, allow, key, now), file);
  } finally {
    redis.disconnect();
  }
}

function instanceOf(run: Run, step: PipelineStep, item: string | undefined, outcomes: Outcomes): Instance {
  const instances = instancesOf(run, step, outcomes);
  if (step.forEach === undefined && item !== undefined) throw new Error(`${step.name} runs once, not for an item`);
  const texts = instances.map((one) => (one.item === undefined ? "" : itemText(one.item)));
  const found = step.forEach === undefined ? instances[0] : instances[item === undefined ? -1 : texts.indexOf(item)];
  if (found) return found;
  throw new Error(`${step.name} runs for an item, one of\n  ${texts.join("\n  ")}`);
}

/** Each step before it must have succeeded at least once: on this item, where both are of one fan-out. Optional ones need not. */
function checkBefore(run: Run, instance: Instance, outcomes: Outcomes): void {
  const { forEach } = instance.step;
  const isNeeded = (name: string) => {
    const before = stepOf(run, name);
    return !before?.optional || before.forEach === forEach;
  };
  for (const [before, results] of Object.entries(inputOf(run, instance, outcomes).from))
    if (isNeeded(before) && !results.some(({ outcome }) => outcome === "succeeded"))
      throw new Error(`${before} has not succeeded: invoke it before ${instance.step.name}`);
}
