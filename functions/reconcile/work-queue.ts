import { setTimeout as sleep } from "node:timers/promises";

interface Entry {
  readonly work: Promise<void>;
  /** Whoever comes from now on needs the next. */
  begun: boolean;
  /** Resolves when the next may begin. */
  readonly over: Promise<void>;
  next: Promise<void> | undefined;
}

/** Debounce window for event bursts. */
const DEBOUNCE_MS = 100;
const LONGEST_REST_MS = 1000;

export interface EnqueueOptions {
  /** Others of its kind follow closely: steps that started together end together. */
  readonly debounce: boolean;
}
export type Enqueue = (key: string, options?: EnqueueOptions) => Promise<void>;

/**
 * Runs work for a key, one at a time. Whoever comes while it runs shares the next run, which begins after this one has ended: fifty
 * events that arrive together are two looks, and each event is answered by a look that began after it came. After each run is a
 * rest as long as the run: a long look at a large workload leaves the machine to those whose events it waits for.
 */
export function createWorkQueue(work: (key: string) => Promise<void>): Enqueue {
  const entries = new Map<string, Entry>();

  const start = (key: string, debounce: boolean): Promise<void> => {
    let began = 0;
    const run = (debounce ? sleep(DEBOUNCE_MS) : Promise.resolve()).then(() => {
      began = performance.now();
      entry.begun = true;
      return work(key);
    });
    const rest = () => sleep(Math.min(performance.now() - began, LONGEST_REST_MS));
    const entry: Entry = { work: run, begun: false, over: run.then(rest, rest), next: undefined };
    entries.set(key, entry);
    void entry.over.then(() => {
      if (!entry.next) entries.delete(key);
    });
    return run;
  };

  return (key, { debounce } = { debounce: false }) => {
    const entry = entries.get(key);
    if (!entry) return start(key, debounce);
    if (!entry.begun) return entry.work;
    entry.next ??= entry.over.then(() => start(key, false));
    return entry.next;
  };
}
