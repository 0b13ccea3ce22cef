import { setTimeout as sleep } from "node:timers/promises";
import { RetryableError } from "../../lib/errors.ts";

/** Longest waits of a visit, in milliseconds. */
export interface Waits {
  /** For the document's first byte. */
  readonly answer: number;
  /** For all of the document. */
  readonly dom: number;
  /** For pictures, styles and scripts. */
  readonly load: number;
  /** For requests that scripts make afterwards. */
  readonly quiet: number;
  readonly script: number;
  readonly picture: number;
}

const FULL: Waits = { answer: 30_000, dom: 15_000, load: 5_000, quiet: 500, script: 10_000, picture: 15_000 };
/** The full waits fit into this; with less time left all are cut alike, so that a slow page still ends with its own reason. */
const FULL_MS = 60_000;

export function waitsWithin(leftMs: number): Waits {
  const part = Math.min(1, Math.max(0.01, leftMs / FULL_MS));
  return {
    answer: Math.ceil(FULL.answer * part),
    dom: Math.ceil(FULL.dom * part),
    load: Math.ceil(FULL.load * part),
    quiet: FULL.quiet,
    script: Math.ceil(FULL.script * part),
    picture: Math.ceil(FULL.picture * part),
  };
}

/** A page that keeps its thread busy answers nothing: whatever is asked of it is asked with a limit. */
export async function answerWithin<T>(ms: number, what: string, answer: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const limit = sleep(ms, undefined, { signal: stop.signal }).then(
    () => {
      throw new RetryableError(
        "PageUnresponsive",
        `the page kept its thread busy: no ${what} within ${(ms / 1000).toFixed(1)} s`,
      );
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
