import { setTimeout as sleep } from "node:timers/promises";
import { RetryableError } from "../../lib/errors.ts";

const PAUSE_MS = 500;

/** Tries again for `forMs` while a store is unavailable: on a busy machine one answer may come too late. @throws the last error */
export async function patiently<T>(attempt: () => Promise<T>, forMs: number, signal: AbortSignal): Promise<T> {
  const until = Date.now() + forMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RetryableError) || Date.now() >= until) throw error;
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }
}
