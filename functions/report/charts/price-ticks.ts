/** Room for "$1,000" between two ticks, in pixels. */
const ROOM = 46;

/** 0, 1, 2, 5, 10, 20, 50, … as far as the scale goes, those that have room: a square-root scale is wide where prices are small. */
export function priceTicks(scale: ((amount: number) => number) & { domain(): number[] }): number[] {
  const most = scale.domain()[1] ?? 0;
  const kept = [0];
  for (let power = 1; power <= most; power *= 10)
    for (const tick of [power, 2 * power, 5 * power])
      if (tick <= most && scale(tick) - scale(kept.at(-1) ?? 0) >= ROOM) kept.push(tick);
  return kept;
}
