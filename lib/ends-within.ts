import { setTimeout as sleep } from "node:timers/promises";

/** Waits for the work, so many ms at most. @returns whether it ended; what it throws is thrown. No timer of it keeps the process */
export async function endsWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(ms, false, { signal: over.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    over.abort();
  }
}
