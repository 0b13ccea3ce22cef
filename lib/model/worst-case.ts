import type { Outcomes } from "../../engine/outcomes.ts";
import { listRef, type PipelineStep } from "../../engine/pipeline.ts";
import { MAX_ITEMS } from "../../engine/result.ts";
import { inputList, MODEL, type Run, stepOf } from "../../engine/run.ts";
import { walk } from "../../engine/walk.ts";
import type { ModelChoice } from "./choice.ts";
import { costOfQuestion, type PlannedCall } from "./cost.ts";

/** What a step is assumed to ask its model: one question about a long briefing and one picture. */
export const ASSUMED_CALL: PlannedCall = { inputTokens: 20_000, images: 1 };

export function asksModel(step: PipelineStep): boolean {
  return step.agent !== undefined && step.with.includes(MODEL);
}

/** US dollars of a run's budget that are not spent; undefined: there is no budget. */
export function budgetLeft({ budgetUsd }: Pick<Run, "budgetUsd">, spentUsd: number): number | undefined {
  return budgetUsd === undefined ? undefined : Math.max(0, Number(budgetUsd) - spentUsd);
}

/**
 * US dollars that so many steps cost at most, of which each asks its model once: never more than what is left of the budget, if there is
 * one. Undefined where a price is unknown and there is no budget.
 */
export function costOfAsking(model: ModelChoice, times: number, leftUsd: number | undefined): number | undefined {
  if (times === 0) return 0;
  const question = costOfQuestion(model, ASSUMED_CALL);
  if (question === undefined) return leftUsd;
  return Math.min(leftUsd ?? Number.POSITIVE_INFINITY, times * question);
}

/** How often a step runs; undefined: over a list that no step has returned yet. */
export function knownTimes(run: Run, step: PipelineStep, outcomes: Outcomes): number | undefined {
  if (step.forEach === undefined) return 1;
  const view = walk(run, outcomes).stages.find(({ stage }) => stage.steps.some(({ name }) => name === step.name));
  return view && (view.items ?? inputList(run, view.stage))?.length;
}

/** How often a step runs; of a list that no step has returned yet, at most. */
export function timesOf(run: Run, step: PipelineStep, outcomes: Outcomes): number {
  const known = knownTimes(run, step, outcomes);
  if (known !== undefined || step.forEach === undefined) return known ?? 1;
  const ref = listRef(step.forEach);
  const returning = "step" in ref ? stepOf(run, ref.step) : undefined;
  const most = returning ? timesOf(run, returning, outcomes) * (returning.maxItems ?? MAX_ITEMS) : MAX_ITEMS;
  // A list that several stages run over counts once.
  const given = new Map(run.stages.map((stage) => [stage.forEach, inputList(run, stage)?.length ?? 0]));
  const left = [...given.values()].reduce((room, length) => room - length, MAX_ITEMS);
  return Math.max(0, Math.min(most, left));
}
