/** Farther ahead the resync comes first. */
const LONGEST_MS = 60_000;

/**
 * Looks again at a key when the event that is waited for does not come; a later alarm for the same key replaces the earlier. Lost
 * with the process, as events are: the resync makes up for both.
 */
export function createAlarms(ring: (key: string) => void): (key: string, at: Date | undefined, now: Date) => void {
  const alarms = new Map<string, NodeJS.Timeout>();
  return (key, at, now) => {
    clearTimeout(alarms.get(key));
    alarms.delete(key);
    const ms = at === undefined ? Number.POSITIVE_INFINITY : Math.max(at.getTime() - now.getTime(), 0);
    if (ms > LONGEST_MS) return;
    const alarm = setTimeout(() => {
      alarms.delete(key);
      ring(key);
    }, ms);
    alarms.set(key, alarm.unref());
  };
}
