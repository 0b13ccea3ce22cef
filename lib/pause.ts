import { setTimeout as sleep } from "node:timers/promises";

/** @throws the reason of the signal, as soon as it aborts */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
