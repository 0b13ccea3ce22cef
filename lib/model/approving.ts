import { type Outcomes, usageOf } from "../../engine/outcomes.ts";
import type { PipelineStep } from "../../engine/pipeline.ts";
import type { Run } from "../../engine/run.ts";
import { ancestorsOf } from "../../engine/stages.ts";
import { asksModel, budgetLeft, costOfAsking, timesOf } from "./worst-case.ts";

/**
 * US dollars that the steps after a gate cost at most: the rest of the budget, or one question for each step that gets the model,
 * whichever is less. 0 where no model is configured; undefined where a price is unknown and there is no budget.
 */
export function costOfApproving(
  run: Run,
  gate: Pick<PipelineStep, "name">,
  outcomes: Outcomes,
  { hasModel }: { readonly hasModel: boolean },
): number | undefined {
  if (!hasModel) return 0;
  const { steps } = run.pipeline;
  const asking = steps.filter((step) => asksModel(step) && ancestorsOf(step.name, steps).has(gate.name));
  const times = asking.reduce((sum, step) => sum + timesOf(run, step, outcomes), 0);
  return costOfAsking(run.model, times, budgetLeft(run, usageOf(outcomes).costUsd));
}
