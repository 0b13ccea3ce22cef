import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContext, BrowserContextOptions, Browser as Connection } from "playwright-core";
import { RetryableError, TerminalError } from "../errors.ts";

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
  /**
   * What the browser calls itself.
   * @throws RetryableError BrowserUnavailable
   */
  userAgent(): Promise<string>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;
const CONNECT_TRIES = 3;
const CONNECT_PAUSE_MS = 200;
/** A context whose page hangs is closed by the browser process and not by the page; still, nothing waits for it for ever. */
const CLOSE_TIMEOUT_MS = 3_000;

/**
 * `endpoint` is asked at each (re)connection: a supervised browser has another address after a restart. Downloads are kept in
 * `artifactsDir` until their context closes; absent: in a temporary folder, which a killed process leaves behind.
 */
export function connectBrowser(endpoint: () => Promise<string> | string, artifactsDir?: string): Browser {
  let connecting: Promise<{ connection: Connection; userAgent: string }> | undefined;

  const connect = async () => {
    // Loaded here: it takes 200 ms and 50 MB, which a function that starts need not wait for.
    const { chromium } = await import("playwright-core");
    const connection = await chromium.connectOverCDP(await endpoint(), {
      timeout: CONNECT_TIMEOUT_MS,
      ...(artifactsDir ? { artifactsDir } : {}),
    });
    const session = await connection.newBrowserCDPSession();
    const { userAgent } = await session.send("Browser.getVersion");
    await session.detach();
    return { connection, userAgent };
  };
  const connected = async () => {
    const before = connecting;
    const shared = await before?.catch(() => undefined);
    // Whoever comes first connects again; the others find the new promise here.
    if (!shared?.connection.isConnected() && connecting === before) connecting = connect();
    try {
      return await (connecting ?? connect());
    } catch (cause) {
      throw cause instanceof RetryableError ? cause : unavailable(cause);
    }
  };
  /** A browser that died this moment is not known to be dead yet: a later try finds its successor. */
  const withConnected = async <T>(use: (shared: { connection: Connection; userAgent: string }) => Promise<T>) => {
    for (let tries = 1; ; tries++) {
      try {
        return await use(await connected());
      } catch (cause) {
        if (tries === CONNECT_TRIES) throw cause instanceof RetryableError ? cause : unavailable(cause);
        await sleep(CONNECT_PAUSE_MS);
      }
    }
  };

  return {
    async withContext(options, signal, use) {
      signal.throwIfAborted();
      const { connection, context } = await withConnected(async (shared) => ({
        connection: shared.connection,
        context: await shared.connection.newContext(options),
      }));
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      try {
        return await Promise.race([use(context), aborted.promise]);
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        if (cause instanceof TerminalError || (connection.isConnected() && !isGone(cause))) throw cause;
        throw unavailable(cause);
      } finally {
        signal.removeEventListener("abort", abort);
        await closeWithin(context, CLOSE_TIMEOUT_MS);
      }
    },
    userAgent: () => withConnected(async ({ userAgent }) => userAgent),
    async close() {
      const shared = await connecting?.catch(() => undefined);
      connecting = undefined;
      // Over CDP this ends the connection, not the browser.
      await shared?.connection.close().catch(() => undefined);
    },
  };
}

/** The page or the browser went away under us. */
function isGone(cause: unknown): boolean {
  return (
    cause instanceof Error &&
    /Target (page, context or browser|closed)|Target crashed|Page crashed/i.test(cause.message)
  );
}

async function closeWithin(context: BrowserContext, ms: number): Promise<void> {
  const timer = Promise.withResolvers<void>();
  const timeout = setTimeout(timer.resolve, ms);
  await Promise.race([context.close().catch(() => undefined), timer.promise]);
  clearTimeout(timeout);
}

function unavailable(cause: unknown): RetryableError {
  const detail = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
  return new RetryableError("BrowserUnavailable", `the browser is not there: ${detail}`, {
    cause,
    retryAfterSeconds: 2,
    // The browser's trouble, not the step's: its deadline is what ends it.
    countsAsAttempt: false,
  });
}
