import { addUsage, NO_USAGE, type Usage } from "../lib/step.ts";
import type { StepOutcome } from "./dispatch.ts";
import type { Findings } from "./findings.ts";
import type { Step } from "./pipeline.ts";
import type { RunOrder } from "./run-order.ts";

/** How the steps of a run ended, by step; those of a fan-out carry their item. */
export type Outcomes = ReadonlyMap<string, readonly StepOutcome[]>;

export function usageOf(outcomes: Outcomes): Usage {
  return [...outcomes.values()].flat().reduce((sum, outcome) => addUsage(sum, outcome.usage), NO_USAGE);
}

/** Why a run ends after its fan-out; undefined where enough sites came through. */
export function fanOutFailure(
  chain: readonly Step[],
  order: RunOrder,
  outcomes: Outcomes,
): { reason: string; message: string } | undefined {
  const failed = chain.flatMap((step) => (outcomes.get(step.name) ?? []).filter((o) => o.outcome === "failed"));
  const spent = failed.find((outcome) => outcome.reason === BUDGET_EXCEEDED);
  if (spent)
    return { reason: BUDGET_EXCEEDED, message: spent.message ?? "the budget is spent: raise spec.budget.maxUsd" };
  if (failed.length <= order.tolerated) return undefined;
  const reasons = new Map<string, number>();
  for (const { reason = "Unknown" } of failed) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const list = [...reasons].map(([reason, count]) => `${count} × ${reason}`).join(", ");
  return {
    reason: "TooManyFailedSites",
    message: `${failed.length} of ${order.lists.sites.length} sites failed (${list}); spec.tolerate.failedSites allows ${order.tolerated}`,
  };
}

/** The reason of a step that found the run's budget spent: each further one could only fail the same way. */
export const BUDGET_EXCEEDED = "BudgetExceeded";

/** In the order of the spec's list, whatever order the sites ended in: equal results give an equal digest. */
export function findingsOf(order: RunOrder, outcomes: Outcomes): Findings {
  return {
    workload: order.workload,
    run: order.run,
    objective: order.params.objective,
    items: order.lists.sites.map((item) => ({
      item,
      steps: Object.fromEntries(
        [...outcomes].flatMap(([step, all]) =>
          all.filter((o) => o.item === item).map(({ item: _item, ...result }) => [step, result] as const),
        ),
      ),
    })),
  };
}
