/** Lets a number of sessions run at once and others wait for their turn, up to a number of those. */
export interface Turns {
  readonly running: number;
  readonly waiting: number;
  /** Refused since the start. */
  readonly rejected: number;
  /** Calls `start` now or when it is its turn. Returns how to end it, waiting or running; undefined where there is no room. */
  take(start: () => void): (() => void) | undefined;
}

export function createTurns(concurrent: number, queued: number): Turns {
  const running = new Set<() => void>();
  const waiting = new Set<() => void>();
  let rejected = 0;
  const next = (): void => {
    for (const start of waiting) {
      if (running.size >= concurrent) return;
      waiting.delete(start);
      running.add(start);
      start();
    }
  };
  return {
    get running() {
      return running.size;
    },
    get waiting() {
      return waiting.size;
    },
    get rejected() {
      return rejected;
    },
    take(start) {
      if (running.size >= concurrent && waiting.size >= queued) {
        rejected++;
        return undefined;
      }
      waiting.add(start);
      next();
      return () => {
        waiting.delete(start);
        running.delete(start);
        next();
      };
    },
  };
}
