import { setTimeout as sleep } from "node:timers/promises";
import { RetryableError } from "../../lib/errors.ts";

const PAUSE_MS = 500;

/** Asks again while what it needs is away: a store on a busy machine may not answer in time once. @throws the last error */
export async function patiently<T>(ask: () => Promise<T>, forMs: number, signal: AbortSignal): Promise<T> {
  const until = Date.now() + forMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof RetryableError) || Date.now() >= until) throw error;
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }
}
