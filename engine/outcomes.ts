import { addUsage, type Item, NO_USAGE, type StepResult, type UpstreamResult, type Usage } from "./result.ts";

/** How a step ended: by its result, or skipped because its `when` was false. */
export type StepOutcome = Omit<StepResult, "outcome"> & { readonly outcome: StepResult["outcome"] | "skipped" };

export const SKIPPED: StepOutcome = { outcome: "skipped", artifacts: {}, usage: NO_USAGE };

/** How the steps of a run ended so far, by step: of a fan-out by the item's index, of a single step at index 0. */
export type Outcomes = ReadonlyMap<string, readonly (StepOutcome | undefined)[]>;

export function outcomeOf(outcomes: Outcomes, step: string, index = 0): StepOutcome | undefined {
  return outcomes.get(step)?.[index];
}

/** Outcomes that are being gathered. */
export type OutcomeTable = Map<string, (StepOutcome | undefined)[]>;

export function setOutcome(table: OutcomeTable, step: string, index: number | undefined, outcome: StepOutcome): void {
  const all = table.get(step) ?? [];
  all[index ?? 0] = outcome;
  table.set(step, all);
}

/** The reason of a step that found the budget spent: each further one could only fail the same way. */
export const BUDGET_EXCEEDED = "BudgetExceeded";

export function usageOf(outcomes: Outcomes): Usage {
  let sum = NO_USAGE;
  for (const all of outcomes.values()) for (const outcome of all) if (outcome) sum = addUsage(sum, outcome.usage);
  return sum;
}

/** What a later step sees of an outcome. */
export function upstream(
  { outcome, reason, message, output, data, artifacts }: StepOutcome,
  item?: Item,
): UpstreamResult {
  return {
    ...(item === undefined ? {} : { item }),
    outcome,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...(output === undefined ? {} : { output }),
    ...(data === undefined ? {} : { data }),
    artifacts,
  };
}
