import type { ReasoningEffort } from "./choice.ts";

/** What the platform knows of a model. Prices are US dollars for a million tokens. */
export interface ModelPrice {
  readonly input: number;
  /** Input tokens that the provider reads from its prompt cache. Absent: billed as input. */
  readonly cachedInput?: number;
  /** Input tokens that the provider writes to its prompt cache. Absent: billed as input. */
  readonly cacheWrite?: number;
  /** Reasoning tokens are output tokens. */
  readonly output: number;
  /** A call with more input tokens than `above` pays these multiples for all its tokens. */
  readonly longContext?: { readonly above: number; readonly input: number; readonly output: number };
  /** Most tokens that one image at low detail can count. Absent: not published. */
  readonly imageTokens?: number;
  /**
   * Set for models that reason before they answer. They take `reasoning_effort` and `max_completion_tokens`, and refuse `temperature`.
   * The value is the least effort that the model takes; it is sent when the workload names none.
   */
  readonly leastEffort?: ReasoningEffort;
  /** First day (UTC, ISO 8601) on which the provider's API no longer serves the model. */
  readonly endsOn?: string;
  /** Where the entry was read, and when. */
  readonly source: string;
  readonly asOf: string;
}

/**
 * OpenAI's price page (https://developers.openai.com/api/docs/pricing) and list of deprecations
 * (https://developers.openai.com/api/docs/deprecations), as LiteLLM's price map quotes them; that map also says which efforts a model takes.
 */
const OPENAI = { source: "OpenAI's price page, by the price map of LiteLLM 1.110.2", asOf: "2026-11-24" } as const;
const GPT_6_LONG_CONTEXT = { above: 272_000, input: 2, output: 1.5 } as const;

/**
 * Standard list prices. A gateway that reports the cost of a call is believed before this table.
 * Image tokens: https://platform.openai.com/docs/guides/images-vision. gpt-4.1-mini, gpt-4.1-nano and gpt-5-nano count an image in
 * 32-pixel patches: theirs is the documented ceiling, 1,536 patches times the model's multiplier. Those of GPT-6 are not published.
 */
const PRICES: Readonly<Record<string, ModelPrice>> = {
  "gpt-6-luna": {
    input: 0.1,
    cachedInput: 0.01,
    cacheWrite: 0.125,
    output: 0.5,
    longContext: GPT_6_LONG_CONTEXT,
    leastEffort: "none",
    ...OPENAI,
  },
  "gpt-6-sol": {
    input: 2,
    cachedInput: 0.2,
    cacheWrite: 2.5,
    output: 10,
    longContext: GPT_6_LONG_CONTEXT,
    leastEffort: "none",
    ...OPENAI,
  },
  "gpt-5-nano": {
    input: 0.05,
    cachedInput: 0.005,
    output: 0.4,
    imageTokens: 3779,
    leastEffort: "minimal",
    endsOn: "2026-12-11",
    ...OPENAI,
  },
  "gpt-4o-mini": {
    input: 0.15,
    cachedInput: 0.075,
    output: 0.6,
    imageTokens: 2833,
    endsOn: "2027-01-14",
    ...OPENAI,
  },
  "gpt-4o": {
    input: 2.5,
    cachedInput: 1.25,
    output: 10,
    imageTokens: 85,
    endsOn: "2027-01-14",
    ...OPENAI,
  },
  "gpt-4.1": {
    input: 2,
    cachedInput: 0.5,
    output: 8,
    imageTokens: 85,
    endsOn: "2027-01-14",
    ...OPENAI,
  },
  "gpt-4.1-mini": {
    input: 0.4,
    cachedInput: 0.1,
    output: 1.6,
    imageTokens: 2489,
    endsOn: "2027-01-14",
    ...OPENAI,
  },
  "gpt-4.1-nano": {
    input: 0.1,
    cachedInput: 0.025,
    output: 0.4,
    imageTokens: 3779,
    endsOn: "2026-10-23",
    ...OPENAI,
  },
};

/** Image tokens reserved for a model whose own are not published: the most of any model here. */
export const MOST_IMAGE_TOKENS = Math.max(...Object.values(PRICES).map(({ imageTokens }) => imageTokens ?? 0));

/** By a model's name, also with a provider in front ("openai/gpt-6-luna") or a snapshot's date behind; undefined when unknown. */
export function priceOf(model: string): ModelPrice | undefined {
  const name = model.slice(model.lastIndexOf("/") + 1).replace(/-\d{4}-\d{2}-\d{2}$/, "");
  return Object.hasOwn(PRICES, name) ? PRICES[name] : undefined;
}

/** When the provider's API stops serving a model. Undefined when no end is announced, or the model is unknown. */
export function modelEnd(model: string, now: Date): { readonly endsOn: string; readonly ended: boolean } | undefined {
  const endsOn = priceOf(model)?.endsOn;
  return endsOn === undefined ? undefined : { endsOn, ended: now.getTime() >= Date.parse(endsOn) };
}
