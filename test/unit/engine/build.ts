import { type AgentPipeline, agentPipelineSchema } from "../../../crd/agentpipeline.ts";
import { type AgentWorkload, agentWorkloadSchema } from "../../../crd/agentworkload.ts";
import { type OutcomeTable, SKIPPED, type StepOutcome, setOutcome } from "../../../engine/outcomes.ts";
import { outputStep } from "../../../engine/pipeline.ts";
import { failedResult, NO_USAGE } from "../../../engine/result.ts";
import { type Run, runOf } from "../../../engine/run.ts";
import type { Instance, Walk } from "../../../engine/walk.ts";

/** A step as YAML would have it; `agent` is filled in where neither agent nor gate is given. */
export type StepYaml = { readonly name: string; readonly [field: string]: unknown };

export function pipelineOf(steps: readonly StepYaml[], spec: object = {}): AgentPipeline {
  return agentPipelineSchema.parse({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentPipeline",
    metadata: { name: "pipeline" },
    spec: { ...spec, steps: steps.map((step) => ("gate" in step ? step : { agent: "worker", ...step })) },
  });
}

export function workloadOf(spec: object): AgentWorkload {
  return agentWorkloadSchema.parse({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentWorkload",
    metadata: { name: "demo" },
    spec,
  });
}

/** A run of these steps; `spec` is the workload's, of which each item may fail unless it says otherwise. */
export function runWith(steps: readonly StepYaml[], spec: object = {}): Run {
  const pipeline = pipelineOf(steps);
  const workload = workloadOf({ tolerate: { failedItems: "100%" }, ...spec });
  return runOf({ namespace: "default", name: "demo", uid: "uid-1" }, workload.spec, {
    namespace: "default",
    name: "pipeline",
    steps: pipeline.spec.steps,
    output: outputStep(pipeline.spec),
    agents: { worker: { namespace: "default", name: "worker", revision: "1" } },
  });
}

/** How steps ended: by step one outcome, or one for each item; null has not ended. */
export type Ended = Readonly<Record<string, StepOutcome | readonly (StepOutcome | null)[]>>;

export function outcomesOf(ended: Ended): OutcomeTable {
  const table: OutcomeTable = new Map();
  for (const [step, given] of Object.entries(ended))
    for (const [index, outcome] of (Array.isArray(given) ? given : [given]).entries())
      if (outcome) setOutcome(table, step, index, outcome as StepOutcome);
  return table;
}

export const ok = (more: Partial<StepOutcome> = {}): StepOutcome => ({
  outcome: "succeeded",
  artifacts: {},
  usage: NO_USAGE,
  ...more,
});
export const bad = (reason = "Broken", message = "it broke"): StepOutcome => failedResult(reason, message);
export const skipped = SKIPPED;

/** `step` or `step[index]`. */
export function nameOf({ step, index }: Instance): string {
  return index === undefined ? step.name : `${step.name}[${index}]`;
}

/** What may start, and the state of each stage, for tables. */
export function shapeOf({ stages, ready, end }: Walk): { ready: string[]; stages: string[]; end?: string } {
  return {
    ready: ready.map(nameOf),
    stages: stages.map(({ stage, state }) => `${stage.name} ${state}`),
    ...(end ? { end: end.phase === "Succeeded" ? end.phase : `${end.phase} ${end.reason}` } : {}),
  };
}
