import { setTimeout as sleep } from "node:timers/promises";
import { RetryableError } from "../../lib/errors.ts";

/** Limits on the waits of a visit, in milliseconds. */
export interface Waits {
  /** For the document's first byte. */
  readonly answer: number;
  /** For the whole document. */
  readonly dom: number;
  /** For pictures, styles and scripts. */
  readonly load: number;
  /** For requests that scripts make afterwards, before the page is scrolled. */
  readonly quiet: number;
  /** For what scripts add late. */
  readonly late: number;
  readonly script: number;
  readonly picture: number;
}

const FULL: Waits = {
  answer: 30_000,
  dom: 15_000,
  load: 5_000,
  quiet: 500,
  late: 5_000,
  script: 10_000,
  picture: 15_000,
};
/** All full waits fit into this. With less time left all shrink alike, so that a slow page still fails with a reason of its own. */
const FULL_MS = 60_000;

export function waitsWithin(leftMs: number): Waits {
  const part = Math.min(1, Math.max(0.01, leftMs / FULL_MS));
  return {
    answer: Math.ceil(FULL.answer * part),
    dom: Math.ceil(FULL.dom * part),
    load: Math.ceil(FULL.load * part),
    quiet: FULL.quiet,
    late: Math.ceil(FULL.late * part),
    script: Math.ceil(FULL.script * part),
    picture: Math.ceil(FULL.picture * part),
  };
}

/** Limits a question to the page: a page whose thread is busy never answers. @throws RetryableError PageUnresponsive */
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
  // An answer after the limit must not become an unhandled rejection.
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, limit]);
  } finally {
    stop.abort();
  }
}

/** Waits until `pending` has been zero for 60 ms, `maxMs` at most; returns at once when nothing is in flight. */
export async function settle(pending: () => number, maxMs: number): Promise<void> {
  const until = performance.now() + maxMs;
  let quiet = 0;
  while (pending() > 0 || quiet > 0) {
    if (performance.now() >= until) return;
    await sleep(20);
    quiet = pending() > 0 ? 3 : quiet - 1;
  }
}
