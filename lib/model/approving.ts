import { type Outcomes, usageOf } from "../../engine/outcomes.ts";
import type { PipelineStep } from "../../engine/pipeline.ts";
import { MAX_ITEMS } from "../../engine/result.ts";
import { inputList, MODEL, type Run } from "../../engine/run.ts";
import { ancestorsOf } from "../../engine/stages.ts";
import { walk } from "../../engine/walk.ts";
import { costOfQuestion } from "./cost.ts";

/** What a step is assumed to ask its model: one question about a long briefing and one picture. */
const ASSUMED_CALL = { inputTokens: 20_000, images: 1 };

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
  const { steps } = run.pipeline;
  const asking = steps.filter(
    (step) => step.agent !== undefined && step.with.includes(MODEL) && ancestorsOf(step.name, steps).has(gate.name),
  );
  if (!hasModel || asking.length === 0) return 0;
  const left = run.budgetUsd === undefined ? undefined : Math.max(0, Number(run.budgetUsd) - usageOf(outcomes).costUsd);
  const question = costOfQuestion(run.model, ASSUMED_CALL);
  if (question === undefined) return left;
  const questions = asking.reduce((sum, step) => sum + timesOf(run, step, outcomes), 0);
  return Math.min(left ?? Number.POSITIVE_INFINITY, questions * question);
}

/** How often a step runs; of a list that no step has returned yet, at most. */
function timesOf(run: Run, step: PipelineStep, outcomes: Outcomes): number {
  if (step.forEach === undefined) return 1;
  const view = walk(run, outcomes).stages.find(({ stage }) => stage.steps.some(({ name }) => name === step.name));
  return (view && (view.items ?? inputList(run, view.stage))?.length) ?? MAX_ITEMS;
}
