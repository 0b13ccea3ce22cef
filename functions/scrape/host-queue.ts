import { unlessAborted } from "../../lib/unless-aborted.ts";

/** Lets one visit at a time reach a host. */
export interface HostQueue {
  /**
   * Waits for a turn at the host. `host` as in URL.host, port included. @returns what ends the turn, to be called once
   * @throws the signal's reason
   */
  acquire(host: string, signal: AbortSignal): Promise<() => void>;
}

/** For the visits of one process. `delayMs`: pause between the end of one visit and the start of the next. */
export function createHostQueue(delayMs: number): HostQueue {
  /** By host: the end of the last visit in its queue, pause included. */
  const tails = new Map<string, Promise<void>>();
  return {
    async acquire(host, signal) {
      const before = tails.get(host) ?? Promise.resolve();
      const done = Promise.withResolvers<void>();
      const tail = before.then(() => done.promise);
      tails.set(host, tail);
      void tail.then(() => {
        if (tails.get(host) === tail) tails.delete(host);
      });
      try {
        await unlessAborted(before, signal);
      } catch (reason) {
        // The next in the queue must not wait for a visit that never happens.
        done.resolve();
        throw reason;
      }
      return () => {
        if (delayMs > 0) setTimeout(done.resolve, delayMs).unref();
        else done.resolve();
      };
    },
  };
}
