import type { BrowserContext, BrowserContextOptions } from "playwright-core";

/** A browser reached over CDP: Browserless in a cluster, a local Chromium in the CLI and tests. */
export interface Browser {
  /**
   * Lends a context of its own, closed at the end whatever happens. Reconnects when the browser was restarted meanwhile.
   * @throws RetryableError BrowserUnavailable
   */
  withContext<T>(
    options: BrowserContextOptions,
    signal: AbortSignal,
    use: (context: BrowserContext) => Promise<T>,
  ): Promise<T>;
  close(): Promise<void>;
}
