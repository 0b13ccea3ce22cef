import { setTimeout as sleep } from "node:timers/promises";

interface Turn {
  readonly work: Promise<void>;
  /** Whoever comes from now on needs the next. */
  begun: boolean;
  /** Resolves when the next may begin. */
  readonly over: Promise<void>;
  next: Promise<void> | undefined;
}

/** So long a flock takes to come. */
const GATHERING_MS = 100;
const LONGEST_REST_MS = 1000;

/**
 * Runs work for a key, one at a time. Whoever comes while it runs shares the next run, which begins after this one has
 * ended: fifty events that arrive together are two looks, and each event is answered by a look that began after it came.
 * After each run is a rest as long as the run: a long look at a large workload leaves the machine to those whose events it
 * waits for, and gathers these. `inFlock`: others of its kind follow closely, and are waited for.
 */
export function oneAtATime(
  work: (key: string) => Promise<void>,
): (key: string, how?: { inFlock: boolean }) => Promise<void> {
  const turns = new Map<string, Turn>();

  const start = (key: string, inFlock: boolean): Promise<void> => {
    let began = 0;
    const run = (inFlock ? sleep(GATHERING_MS) : Promise.resolve()).then(() => {
      began = performance.now();
      turn.begun = true;
      return work(key);
    });
    const rest = () => sleep(Math.min(performance.now() - began, LONGEST_REST_MS));
    const turn: Turn = { work: run, begun: false, over: run.then(rest, rest), next: undefined };
    turns.set(key, turn);
    void turn.over.then(() => {
      if (!turn.next) turns.delete(key);
    });
    return run;
  };

  return (key, { inFlock } = { inFlock: false }) => {
    const turn = turns.get(key);
    if (!turn) return start(key, inFlock);
    if (!turn.begun) return turn.work;
    turn.next ??= turn.over.then(() => start(key, false));
    return turn.next;
  };
}
