import { type ModelChoice, modelsOf } from "./choice.ts";
import { MOST_IMAGE_TOKENS, type ModelPrice, priceOf } from "./prices.ts";

/** Tokens of one call as the provider bills them. */
export interface TokenUsage {
  /** All of the prompt, cached or not. */
  readonly inputTokens: number;
  /** The part of inputTokens that was read from the provider's prompt cache. */
  readonly cachedInputTokens: number;
  /** The part of inputTokens that was written to the provider's prompt cache. */
  readonly cacheWriteTokens: number;
  /** Reasoning and answer. */
  readonly outputTokens: number;
  /** The part of outputTokens that the model used for reasoning. */
  readonly reasoningTokens: number;
}

/** A call before it is made. `inputTokens` counts text only. */
export interface PlannedCall {
  readonly inputTokens: number;
  /** Images at low detail. */
  readonly images: number;
}

type Limits = Pick<ModelChoice, "name" | "fallbacks" | "maxOutputTokens">;

/** The model's message about its own invalid answer: at most 1,000 characters and what the chat format adds. */
const REPAIR_TOKENS = 1_100;
const MILLION = 1_000_000;

/** US dollars. */
export function costOf(price: ModelPrice, usage: TokenUsage): number {
  const { input, cachedInput = input, cacheWrite = input, output, longContext } = price;
  const cached = Math.min(usage.cachedInputTokens, usage.inputTokens);
  const written = Math.min(usage.cacheWriteTokens, usage.inputTokens - cached);
  const plain = usage.inputTokens - cached - written;
  const long = longContext !== undefined && usage.inputTokens > longContext.above ? longContext : undefined;
  const inputUsd = input * plain + cachedInput * cached + cacheWrite * written;
  return (inputUsd * (long?.input ?? 1) + output * usage.outputTokens * (long?.output ?? 1)) / MILLION;
}

/** The most that one model can bill for a call: the whole prompt is written to its cache, and it answers as long as it may. */
export function worstUsage(price: ModelPrice, call: PlannedCall, maxOutputTokens: number): TokenUsage {
  const inputTokens = call.inputTokens + call.images * (price.imageTokens ?? MOST_IMAGE_TOKENS);
  return {
    inputTokens,
    cachedInputTokens: 0,
    cacheWriteTokens: inputTokens,
    outputTokens: maxOutputTokens,
    reasoningTokens: 0,
  };
}

/** US dollars at most for one call: the dearest of the choice's models. Undefined when the price of one of them is unknown. */
export function costOfCall(choice: Limits, call: PlannedCall): number | undefined {
  let most = 0;
  for (const model of modelsOf(choice)) {
    const price = priceOf(model);
    if (!price) return undefined;
    most = Math.max(most, costOf(price, worstUsage(price, call, choice.maxOutputTokens)));
  }
  return most;
}

/** US dollars at most for one question: a call, and the call that repairs an invalid answer. Undefined as in costOfCall. */
export function costOfQuestion(choice: Limits, call: PlannedCall): number | undefined {
  const first = costOfCall(choice, call);
  const repair = { ...call, inputTokens: call.inputTokens + choice.maxOutputTokens + REPAIR_TOKENS };
  const second = costOfCall(choice, repair);
  return first === undefined || second === undefined ? undefined : first + second;
}
