import { setTimeout as sleep } from "node:timers/promises";
import type {
  BrowserContext,
  BrowserContextOptions,
  Browser as Connection,
  ConnectOverCDPTransport,
} from "playwright-core";
import { endsWithin } from "../ends-within.ts";
import { RetryableError, TerminalError } from "../errors.ts";
import { METRIC, measured } from "../telemetry/metrics.ts";
import { inSpan } from "../telemetry/span.ts";
import { unlessAborted } from "../unless-aborted.ts";

/** A browser reached over CDP: Browserless in a cluster by websocket, a local Chromium by its pipe. */
export interface Browser {
  /**
   * Lends a context of its own, closed at the end whatever happens. Reconnects when the browser was restarted meanwhile.
   * @throws RetryableError BrowserUnavailable, BrowserPoolFull
   */
  withContext<T>(
    options: BrowserContextOptions,
    signal: AbortSignal,
    use: (context: BrowserContext) => Promise<T>,
  ): Promise<T>;
  /**
   * What the browser calls itself.
   * @throws RetryableError BrowserUnavailable, BrowserPoolFull
   */
  userAgent(): Promise<string>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 15_000;
const CONNECT_TRIES = 3;
const CONNECT_PAUSE_MS = 200;
/** A context whose page hangs is closed by the browser process and not by the page; still, nothing waits for it for ever. */
const CLOSE_TIMEOUT_MS = 3_000;

/** The pool starts a browser for each connection. */
interface ConnectionLimits {
  /** What pages leave behind in a browser goes with it. */
  readonly contexts: number;
  /** A browser that has no context for so long is somebody else's turn, in milliseconds. */
  readonly idleMs: number;
}

const LIMITS: ConnectionLimits = { contexts: 100, idleMs: 30_000 };

interface Shared {
  readonly connection: Connection;
  readonly userAgent: string;
  /** Contexts that it has lent, and those that are not closed yet. */
  lent: number;
  open: number;
  idle?: NodeJS.Timeout;
}

/**
 * `endpoint` is asked at each (re)connection: it may start a browser, or know another address after a restart. Downloads are kept in
 * `artifactsDir` until their context closes; absent: in a temporary folder, which a killed process leaves behind. A connection that has
 * lent so many contexts is replaced, and closed with the last of them; one that is not used is closed, too.
 */
export function connectBrowser(
  endpoint: () => Promise<string | ConnectOverCDPTransport> | string,
  artifactsDir?: string,
  limits = LIMITS,
): Browser {
  let connecting: Promise<Shared> | undefined;
  const isWorn = ({ lent }: Shared) => lent >= limits.contexts;

  // Over CDP this ends the connection, not a browser that others use, too.
  const disconnect = ({ connection }: Shared): Promise<void> => connection.close().catch(() => undefined);
  const rest = (shared: Shared): void => {
    shared.idle = setTimeout(() => void disconnect(shared), limits.idleMs).unref();
  };
  const connect = async (): Promise<Shared> => {
    // Loaded here: it takes 200 ms and 50 MB, which a function that starts need not wait for.
    const { chromium } = await import("playwright-core");
    const at = await endpoint();
    const settings = { timeout: CONNECT_TIMEOUT_MS, ...(artifactsDir ? { artifactsDir } : {}) };
    const connection = await (typeof at === "string"
      ? chromium.connectOverCDP(at, settings)
      : chromium.connectOverCDP(at, settings));
    const session = await connection.newBrowserCDPSession();
    const { userAgent } = await session.send("Browser.getVersion");
    await session.detach();
    const shared = { connection, userAgent, lent: 0, open: 0 };
    rest(shared);
    return shared;
  };
  const connected = async () => {
    const before = connecting;
    const shared = await before?.catch(() => undefined);
    // Whoever comes first connects again; the others find the new promise here.
    const usable = shared?.connection.isConnected() && !isWorn(shared);
    if (!usable && connecting === before) connecting = connect();
    try {
      return await (connecting ?? connect());
    } catch (cause) {
      throw cause instanceof RetryableError ? cause : isFull(cause) ? poolFull(cause) : unavailable(cause);
    }
  };
  /** A browser that died this moment is not known to be dead yet: a later try finds its successor. */
  const withConnected = async <T>(use: (shared: Shared) => Promise<T>) => {
    for (let tries = 1; ; tries++) {
      try {
        return await use(await connected());
      } catch (cause) {
        const isHopeless = tries === CONNECT_TRIES || (cause instanceof RetryableError && cause.reason === POOL_FULL);
        if (isHopeless) throw cause instanceof RetryableError ? cause : unavailable(cause);
        await sleep(CONNECT_PAUSE_MS);
      }
    }
  };
  const lend = (shared: Shared): void => {
    clearTimeout(shared.idle);
    shared.lent++;
    shared.open++;
  };
  const giveBack = async (shared: Shared): Promise<void> => {
    shared.open--;
    if (shared.open > 0) return;
    if (isWorn(shared)) await disconnect(shared);
    else rest(shared);
  };

  const close = async ({ shared, context }: { shared: Shared; context: BrowserContext }): Promise<void> => {
    await endsWithin(
      CLOSE_TIMEOUT_MS,
      context.close().catch(() => undefined),
    );
    await giveBack(shared);
  };

  return {
    async withContext(options, signal, use) {
      signal.throwIfAborted();
      const taking = withConnected(async (shared) => {
        lend(shared);
        try {
          return { shared, context: await shared.connection.newContext(options) };
        } catch (cause) {
          await giveBack(shared);
          throw cause;
        }
      });
      const { shared, context } = await unlessAborted(taking, signal).catch((reason) => {
        // A context that comes after all is somebody else's turn.
        void taking.then(close, () => undefined);
        throw reason;
      });
      try {
        return await measured(METRIC.browserDuration, {}, () =>
          inSpan("browser visit", {}, () => unlessAborted(use(context), signal)),
        );
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        if (cause instanceof TerminalError || (shared.connection.isConnected() && !isGone(cause))) throw cause;
        throw unavailable(cause);
      } finally {
        await close({ shared, context });
      }
    },
    userAgent: () => withConnected(async ({ userAgent }) => userAgent),
    async close() {
      const shared = await connecting?.catch(() => undefined);
      connecting = undefined;
      clearTimeout(shared?.idle);
      if (shared) await disconnect(shared);
    },
  };
}

const POOL_FULL = "BrowserPoolFull";

/** As many run, and as many wait for their turn, as the pool takes. */
function isFull(cause: unknown): boolean {
  return cause instanceof Error && /WebSocket error: \S+ 429 /.test(cause.message);
}

function poolFull(cause: unknown): RetryableError {
  return new RetryableError(POOL_FULL, "the browser pool is full, and so is its queue", {
    cause,
    retryAfterSeconds: 5,
    countsAsAttempt: false,
  });
}

/** The page or the browser went away under us. */
function isGone(cause: unknown): boolean {
  return (
    cause instanceof Error &&
    /Target (page, context or browser|closed)|Target crashed|Page crashed/i.test(cause.message)
  );
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
