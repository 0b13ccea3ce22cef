const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Durations in specs: `90s`, `3m`, `1h30m`, `30d`. */
export const DURATION_PATTERN = "^([0-9]+(ms|s|m|h|d))+$";

/** @returns milliseconds. @throws RangeError if the text does not match DURATION_PATTERN, or means more than ten years */
export function parseDuration(text: string): number {
  if (!new RegExp(DURATION_PATTERN).test(text))
    throw new RangeError(`${JSON.stringify(text)} is not a duration such as 90s, 3m, 24h or 30d`);
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    ms += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  if (ms > 3650 * UNIT_MS.d) throw new RangeError(`${text} is longer than ten years`);
  return ms;
}
