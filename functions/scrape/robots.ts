import robotsParser from "robots-parser";
import type { EgressAccess } from "../../lib/edges/egress-access.ts";
import { type EgressResponse, egressFetch } from "../../lib/edges/egress-client.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import type { Capture } from "../../pipelines/market-analysis/capture.ts";

/** The package is CommonJS: its export is the function itself, though its types say otherwise. */
const parseRobots = robotsParser as unknown as typeof robotsParser.default;

/** The name by which robots.txt files address scrape. */
const ROBOTS_AGENT = "agentic";
const MAX_BYTES = 500 * 1024;
const MAX_REDIRECTS = 5;
/** For robots.txt, its redirects included. */
const TIMEOUT_MS = 10_000;

export interface RobotsAnswer {
  readonly verdict: Capture["robots"];
  /** The file's text, where there is one. */
  readonly rules?: string;
  /** Seconds between two visits, where it asks for some. */
  readonly crawlDelay?: number;
}

/**
 * Reads the site's robots.txt as RFC 9309 says: 4xx means that there is none; 5xx or no answer forbids the visit for now; more than
 * five redirects make it unreachable, which forbids nothing.
 * @throws TerminalError RobotsDisallowed; RetryableError RobotsUnreachable; what EgressFetch throws
 */
export async function checkRobots(
  access: EgressAccess,
  site: URL,
  userAgent: string,
  signal: AbortSignal,
): Promise<RobotsAnswer> {
  const file = new URL("/robots.txt", site);
  const answer = await fetchFollowing(access, file, userAgent, signal);
  if (answer === undefined) return { verdict: "unreachable" };
  if (answer.status >= 500) throw unreachable(file, `answers ${answer.status}`);
  if (answer.status >= 300) return { verdict: "absent" };
  const rules = new TextDecoder().decode(answer.body);
  const robots = parseRobots(file.href, rules);
  if (robots.isDisallowed(site.href, ROBOTS_AGENT))
    throw new TerminalError("RobotsDisallowed", `${file.href} does not allow ${site.pathname}${site.search}`);
  const crawlDelay = robots.getCrawlDelay(ROBOTS_AGENT);
  const isDelay = crawlDelay !== undefined && Number.isFinite(crawlDelay) && crawlDelay > 0;
  return { verdict: "allowed", rules, ...(isDelay ? { crawlDelay } : {}) };
}

/** What a robots.txt says of the pages of its own host; of those of other hosts it says nothing. */
export function readRules(
  site: URL,
  rules: string,
): { readonly isAllowed: (url: URL) => boolean; readonly sitemaps: readonly string[] } {
  const robots = parseRobots(new URL("/robots.txt", site).href, rules);
  return { isAllowed: (url) => robots.isAllowed(url.href, ROBOTS_AGENT) !== false, sitemaps: robots.getSitemaps() };
}

/** Undefined where its redirects do not end, or lead to where the step may not go. */
async function fetchFollowing(
  access: EgressAccess,
  file: URL,
  userAgent: string,
  signal: AbortSignal,
): Promise<EgressResponse | undefined> {
  // The browser judges certificates, by what its users trust; this request sends nothing secret.
  const fetch = egressFetch(access, { checkCertificates: false });
  const headers = { "user-agent": userAgent, accept: "text/plain,*/*;q=0.5" };
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let url = file;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    try {
      const request = { headers, maxBytes: MAX_BYTES, signal: AbortSignal.any([signal, timeout]) };
      const answer = await fetch(url, request);
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status > 399 || typeof location !== "string") return answer;
      const next = URL.parse(location, url);
      if (next?.protocol !== "http:" && next?.protocol !== "https:") return undefined;
      url = next;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (timeout.aborted) throw unreachable(file, `gave no answer within ${TIMEOUT_MS / 1000} s`);
      // Only the site itself must be reachable: a robots.txt elsewhere that the step may not reach does not count.
      if (error instanceof TerminalError && hop > 0) return undefined;
      throw error;
    }
  }
  return undefined;
}

function unreachable(file: URL, what: string): RetryableError {
  return new RetryableError("RobotsUnreachable", `${file.href} ${what}: what the site allows is not known`, {
    retryAfterSeconds: 5,
  });
}
