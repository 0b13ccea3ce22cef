import type { PipelineStep } from "../../engine/pipeline.ts";
import { MODEL, type Run } from "../../engine/run.ts";
import { ancestorsOf, stagesOf } from "../../engine/stages.ts";

/** The part of a run that an evaluation does again, and what comes before it. */
export interface EvaluatedPart {
  /** Without gates, and without the steps that nothing evaluated needs. */
  readonly run: Run;
  /** Steps that are done with each model. */
  readonly steps: readonly string[];
}

/**
 * The steps that ask a model and wait for no gate: nobody reviews the findings of an evaluation. `only`: one of them.
 * @returns a sentence where there is none
 */
export function evaluatedPart(run: Run, only?: string): EvaluatedPart | { readonly problem: string } {
  const { steps, name } = run.pipeline;
  const isGated = (step: PipelineStep): boolean =>
    steps.some(({ gate, name: other }) => gate && ancestorsOf(step.name, steps).has(other));
  const evaluable = steps.filter((step) => !step.gate && step.with.includes(MODEL) && !isGated(step));
  const chosen = evaluable.filter((step) => only === undefined || step.name === only);
  if (chosen.length === 0) {
    const known = evaluable.map((step) => step.name).join(", ") || "none";
    return {
      problem: `pipeline ${name} has no ${only === undefined ? "such step" : `such step as ${only}`}: an evaluation does steps with \`with: [${MODEL}]\` before the first gate (here: ${known})`,
    };
  }
  const needed = new Set(chosen.flatMap((step) => [step.name, ...ancestorsOf(step.name, steps)]));
  const kept = steps.filter((step) => needed.has(step.name));
  const output = chosen.at(-1)?.name ?? "";
  return {
    run: { ...run, pipeline: { ...run.pipeline, steps: kept, output }, stages: stagesOf(kept) },
    steps: chosen.map((step) => step.name),
  };
}
