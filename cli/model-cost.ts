import type { Outcomes } from "../engine/outcomes.ts";

/** What was paid for calls to a model. */
export interface ModelCost {
  readonly model: string;
  /** US dollars. */
  readonly costUsd: number;
}

/** What each model cost, the dearest first. */
export function modelCosts(outcomes: Outcomes): ModelCost[] {
  const costs = new Map<string, number>();
  const calls = [...outcomes.values()].flat().flatMap((outcome) => outcome?.modelCalls ?? []);
  for (const { model, costUsd } of calls) costs.set(model, (costs.get(model) ?? 0) + costUsd);
  return [...costs].map(([model, costUsd]) => ({ model, costUsd })).toSorted((a, b) => b.costUsd - a.costUsd);
}
