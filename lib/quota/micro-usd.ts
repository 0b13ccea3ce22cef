/** Millionths of a US dollar, an integer: what a decimal string in a spec has, and exact in sums. */
export type MicroUsd = number;

export const MICRO = 1_000_000;
/** A sum of some of these is still exact. An agent may report any cost. */
const MOST: MicroUsd = 10 ** 15;

/** Never less than the dollars. What binary fractions add is no dollar's worth: 0.07 times a million is 70000.00000000001. */
export function microUsd(usd: number): MicroUsd {
  return Math.min(Math.ceil(Number((usd * MICRO).toFixed(3))), MOST);
}

/** As specs and messages have it. */
export function usdText(micro: MicroUsd): string {
  return String(micro / MICRO);
}
