/** Politeness: one visit at a time a host. */
export interface HostQueue {
  /** Pause between the end of one visit and the start of the next, milliseconds. */
  readonly delayMs: number;
  /**
   * Waits for the host's turn. `host` as in URL.host, port included. Whoever got the turn calls the returned function once.
   * @throws the signal's reason
   */
  acquire(host: string, signal: AbortSignal): Promise<() => void>;
}

/** For one process. Hosts do not wait for each other. */
export function createHostQueue(delayMs: number): HostQueue {
  /** The end of the last visit that was queued for each host, pause included. */
  const tails = new Map<string, Promise<void>>();
  return {
    delayMs,
    async acquire(host, signal) {
      const before = tails.get(host) ?? Promise.resolve();
      const done = Promise.withResolvers<void>();
      const tail = before.then(() => done.promise);
      tails.set(host, tail);
      void tail.then(() => {
        if (tails.get(host) === tail) tails.delete(host);
      });
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      try {
        await Promise.race([before, aborted.promise]);
      } catch (reason) {
        // Leave the line without making the next one wait for a visit that never was.
        done.resolve();
        throw reason;
      } finally {
        signal.removeEventListener("abort", abort);
      }
      return () => {
        if (delayMs > 0) setTimeout(done.resolve, delayMs).unref();
        else done.resolve();
      };
    },
  };
}
