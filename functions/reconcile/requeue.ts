/** Farther ahead a resync comes first, which keeps the times of schedules. */
const LONGEST_MS = 90_000;

/**
 * Calls `enqueue` for a key at a time, when no event comes before; a later call for the same key replaces the earlier. Lost with the
 * process, as events are: the resync makes up for both.
 */
export function createRequeue(enqueue: (key: string) => void): (key: string, at: Date | undefined, now: Date) => void {
  const timers = new Map<string, NodeJS.Timeout>();
  return (key, at, now) => {
    clearTimeout(timers.get(key));
    timers.delete(key);
    const ms = at === undefined ? Number.POSITIVE_INFINITY : Math.max(at.getTime() - now.getTime(), 0);
    if (ms > LONGEST_MS) return;
    const timer = setTimeout(() => {
      timers.delete(key);
      enqueue(key);
    }, ms);
    timers.set(key, timer.unref());
  };
}
