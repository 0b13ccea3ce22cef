import type { ModelChoice, ReasoningEffort } from "./choice.ts";
import { priceOf } from "./prices.ts";

/** Parameters of a chat completion that differ from model to model. */
export interface ModelParameters {
  readonly temperature?: 0;
  readonly max_tokens?: number;
  /** Bounds reasoning and answer together. */
  readonly max_completion_tokens?: number;
  readonly reasoning_effort?: ReasoningEffort;
}

/**
 * Only models that the price table knows get `temperature`: others may refuse it. A model outside the table counts as one that
 * reasons when the workload names an effort.
 */
export function parametersFor(
  model: string,
  { maxOutputTokens, reasoningEffort }: Pick<ModelChoice, "maxOutputTokens" | "reasoningEffort">,
): ModelParameters {
  const price = priceOf(model);
  const effort = price ? price.leastEffort && (reasoningEffort ?? price.leastEffort) : reasoningEffort;
  if (effort) return { max_completion_tokens: maxOutputTokens, reasoning_effort: effort };
  return { max_tokens: maxOutputTokens, ...(price ? { temperature: 0 } : {}) };
}
