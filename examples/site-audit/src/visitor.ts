import { setTimeout as sleep } from "node:timers/promises";
import {
  type AgentEdges,
  type EgressResponse,
  egressAccess,
  egressFetch,
  RetryableError,
  type StepContext,
  TerminalError,
} from "agentic-kubernetes/agent";
import robots from "robots-parser";

// Plain requests to a site, without a browser: its robots.txt, its sitemap, whether its links lead somewhere.

/** robots-parser is CommonJS, though its types say otherwise: its export is the function itself. */
const parseRobots = robots as unknown as typeof robots.default;

/** The name that robots.txt addresses us by. */
export const ROBOTS_NAME = "site-audit";
const USER_AGENT = "Mozilla/5.0 (compatible; site-audit/0.1)";
/** Between two requests to one host, of all steps in this process. */
const PAUSE_MS = 100;
const TIMEOUT_MS = 10_000;
const MAX_REDIRECTS = 5;
const MAX_BYTES = 2 * 1024 * 1024;

export interface Visitor {
  /** The robots.txt of the site. @throws RetryableError RobotsUnreachable */
  robots(site: string): Promise<Robots>;
  /** GET, redirects followed. @throws what egressFetch throws */
  get(url: string): Promise<EgressResponse>;
  /** HEAD, or GET where a server knows no HEAD; redirects followed; asked again once after silence. @throws what egressFetch throws */
  head(url: string): Promise<EgressResponse>;
}

export interface Robots {
  isAllowed(url: string): boolean;
  readonly sitemaps: readonly string[];
}

/** Makes the visitors of one process, which keep their pauses together. */
export function createVisitors(edges: AgentEdges): (context: StepContext) => Visitor {
  const turn = createTurns(PAUSE_MS);
  return (context) => {
    const { signal } = context;
    const fetch = egressFetch(egressAccess(edges, context));
    const send = async (method: "GET" | "HEAD", address: string): Promise<EgressResponse> => {
      const url = new URL(address);
      await turn(url.host, signal);
      return fetch(url, {
        method,
        headers: { "user-agent": USER_AGENT, accept: "text/html,*/*;q=0.5" },
        signal,
        maxBytes: MAX_BYTES,
        timeoutMs: TIMEOUT_MS,
        maxRedirects: MAX_REDIRECTS,
      });
    };
    return {
      get: (url) => send("GET", url),
      async head(url) {
        // Silence may be the network's fault, or that of the proxy, which the second request finds gone.
        const answer = await send("HEAD", url).catch((error: unknown) => {
          if (isSilence(error)) return send("HEAD", url);
          throw error;
        });
        return answer.status === 405 || answer.status === 501 ? send("GET", url) : answer;
      },
      robots: (site) => readRobots((url) => send("GET", url), site),
    };
  };
}

/** Whether an error says that a server gave no answer. */
export function isSilence(error: unknown): boolean {
  return error instanceof RetryableError && ["ConnectionRefused", "BadResponse", "Timeout"].includes(error.reason);
}

/** As RFC 9309 says: 4xx means that there is no robots.txt; 5xx, or no answer, that nothing may be visited now. */
async function readRobots(get: (url: string) => Promise<EgressResponse>, site: string): Promise<Robots> {
  const file = new URL("/robots.txt", site).href;
  const answer = await get(file).catch((cause: unknown) => {
    if (cause instanceof TerminalError) throw cause;
    throw new RetryableError("RobotsUnreachable", `${file} gave no answer: what the site allows is not known`, {
      cause,
    });
  });
  if (answer.status >= 500)
    throw new RetryableError(
      "RobotsUnreachable",
      `${file} answers ${answer.status}: what the site allows is not known`,
    );
  const rules = parseRobots(file, answer.status < 300 ? new TextDecoder().decode(answer.body) : "");
  return { isAllowed: (url) => rules.isAllowed(url, ROBOTS_NAME) !== false, sitemaps: rules.getSitemaps() };
}

/** Lets a request to a host go when its turn has come: turns are `pauseMs` apart. */
function createTurns(pauseMs: number): (host: string, signal: AbortSignal) => Promise<void> {
  const nextTurn = new Map<string, number>();
  return async (host, signal) => {
    const now = performance.now();
    for (const [other, at] of nextTurn) if (at <= now) nextTurn.delete(other);
    const mine = nextTurn.get(host) ?? now;
    nextTurn.set(host, mine + pauseMs);
    if (mine > now) await sleep(mine - now, undefined, { signal });
  };
}
