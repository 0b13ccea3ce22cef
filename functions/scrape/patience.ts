import { setTimeout as sleep } from "node:timers/promises";
import { RetryableError } from "../../lib/errors.ts";

/** A page that keeps its thread busy answers nothing: whatever is asked of it is asked with a limit. */
export async function answerWithin<T>(ms: number, what: string, answer: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const limit = sleep(ms, undefined, { signal: stop.signal }).then(
    () => {
      throw new RetryableError("PageUnresponsive", `the page kept its thread busy: no ${what} within ${ms / 1000} s`);
    },
    () => undefined as never,
  );
  // What comes after the limit is of no interest, and no unhandled rejection.
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, limit]);
  } finally {
    stop.abort();
  }
}

/** Waits until `pending` has been zero for a moment; returns at once when nothing is under way, and after `maxMs` in any case. */
export async function settle(pending: () => number, maxMs: number): Promise<void> {
  const until = performance.now() + maxMs;
  let quiet = 0;
  while (pending() > 0 || quiet > 0) {
    if (performance.now() >= until) return;
    await sleep(20);
    quiet = pending() > 0 ? 3 : quiet - 1;
  }
}
