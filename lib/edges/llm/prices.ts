/** US dollars for a million tokens, and the tokens of one image at low detail. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
  readonly image: number;
}

/**
 * List prices by OpenAI (https://openai.com/api/pricing, image tokens by https://platform.openai.com/docs/guides/images-vision),
 * as of November 2026. A gateway that tells the price of a call is believed before this table.
 * gpt-4.1-mini and -nano count an image by 32-pixel patches: theirs is the documented ceiling, 1,536 patches times the model's factor.
 */
const PRICES: Readonly<Record<string, ModelPrice>> = {
  "gpt-4o-mini": { input: 0.15, output: 0.6, image: 2833 },
  "gpt-4o": { input: 2.5, output: 10, image: 85 },
  "gpt-4.1": { input: 2, output: 8, image: 85 },
  "gpt-4.1-mini": { input: 0.4, output: 1.6, image: 2489 },
  "gpt-4.1-nano": { input: 0.1, output: 0.4, image: 3779 },
};

/** By a model's name, also with a provider in front ("openai/gpt-4o-mini") or a snapshot's date behind; undefined when unknown. */
export function priceOf(model: string): ModelPrice | undefined {
  const name = model.slice(model.lastIndexOf("/") + 1).replace(/-\d{4}-\d{2}-\d{2}$/, "");
  return Object.hasOwn(PRICES, name) ? PRICES[name] : undefined;
}

export function costOf(price: ModelPrice, inputTokens: number, outputTokens: number): number {
  return (price.input * inputTokens + price.output * outputTokens) / 1_000_000;
}
