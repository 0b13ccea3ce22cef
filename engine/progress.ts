import { type Outcomes, outcomeOf } from "./outcomes.ts";
import type { PipelineStep } from "./pipeline.ts";
import { inputList, type Run } from "./run.ts";
import { stagesOf } from "./stages.ts";
import { type Instance, leftOut, type StageView, type Walk } from "./walk.ts";

/** How far one step of a run is. */
export interface StepProgress {
  readonly name: string;
  /** How often it runs: once, or once for each item; 0 while that is not known. */
  readonly total: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  /** US dollars. */
  readonly costUsd: number;
  /** Entries of its list for which the run had no room. Absent: none. */
  readonly leftOut?: number;
}

/** How far the items of all fan-outs are that are known. */
export interface ItemProgress {
  readonly total: number;
  /** Went through all steps of their fan-out. */
  readonly done: number;
  /** Failed at one step. */
  readonly failed: number;
}

/** In the pipeline's order. `running`: the instances that have started and not ended. */
export function stepProgress(
  run: Run,
  { stages }: Pick<Walk, "stages">,
  outcomes: Outcomes,
  running: readonly Instance[],
): StepProgress[] {
  const totals = new Map<string, number>();
  const left = new Map<string, number>();
  for (const view of stages) {
    const omitted = view.items ? leftOut(run, view.stage, outcomes) : 0;
    for (const { name } of view.stage.steps) {
      totals.set(name, view.stage.forEach === undefined ? 1 : itemCount(run, view));
      if (omitted > 0) left.set(name, omitted);
    }
  }
  const runningOf = new Map<string, number>();
  for (const { step } of running) runningOf.set(step.name, (runningOf.get(step.name) ?? 0) + 1);
  return run.pipeline.steps.map(({ name }) => {
    const progress = { succeeded: 0, failed: 0, skipped: 0, costUsd: 0 };
    for (const outcome of outcomes.get(name) ?? [])
      if (outcome) {
        progress[outcome.outcome]++;
        progress.costUsd += outcome.usage.costUsd;
      }
    const omitted = left.get(name);
    return {
      name,
      total: totals.get(name) ?? 0,
      running: runningOf.get(name) ?? 0,
      ...progress,
      ...(omitted === undefined ? {} : { leftOut: omitted }),
    };
  });
}

export function itemProgress(run: Run, { stages }: Pick<Walk, "stages">, outcomes: Outcomes): ItemProgress {
  const progress = { total: 0, done: 0, failed: 0 };
  for (const view of stages) {
    if (view.stage.forEach === undefined) continue;
    const count = itemCount(run, view);
    progress.total += count;
    for (let index = 0; index < count; index++) {
      const state = itemState(view, index, outcomes);
      if (state !== "open") progress[state]++;
    }
  }
  return progress;
}

/** Of all fan-outs over lists of the inputs. */
export function listedItems(steps: readonly PipelineStep[], inputs: Run["inputs"]): number {
  return stagesOf(steps).reduce((sum, stage) => sum + (inputList({ inputs }, stage)?.length ?? 0), 0);
}

/** A list of the inputs is known before its stage starts; one that a step returns is not. */
function itemCount(run: Run, { stage, items }: StageView): number {
  return (items ?? inputList(run, stage))?.length ?? 0;
}

function itemState({ stage }: StageView, index: number, outcomes: Outcomes): "done" | "failed" | "open" {
  let open = false;
  for (const { name } of stage.steps) {
    const outcome = outcomeOf(outcomes, name, index);
    if (outcome?.outcome === "failed") return "failed";
    open ||= outcome === undefined;
  }
  return open ? "open" : "done";
}
