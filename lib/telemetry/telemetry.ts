/** What a process sends of itself. */
export interface Telemetry {
  /** Sends what has ended, and waits for that a moment at most: a receiver that is away or slow holds nobody up. */
  flush(): Promise<void>;
  /** Sends all of it, before the process ends. @returns whether that was done in time; otherwise what is under way keeps the process alive */
  shutdown(): Promise<boolean>;
}

export const NO_TELEMETRY: Telemetry = { flush: async () => undefined, shutdown: async () => true };
