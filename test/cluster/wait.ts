import { setTimeout as sleep } from "node:timers/promises";

/** Asks until the answer is yes, an error counting as no. False: the time is up. */
export async function until(ready: () => Promise<boolean>, seconds: number, everyMs = 200): Promise<boolean> {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    if (await ready().catch(() => false)) return true;
    await sleep(everyMs);
  }
  return false;
}

/** Tries until it works; when the time is up, its last error. */
export async function retried(work: () => Promise<void>, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(1000);
    }
  }
}
