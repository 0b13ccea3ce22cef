import robots from "robots-parser";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import type { Capture } from "../../pipeline/capture.ts";
import { getThroughProxy, type ProxyAccess } from "./through-proxy.ts";

/** The package is CommonJS, though its types say otherwise: its export is the function itself. */
const parseRobots = robots as unknown as typeof robots.default;

/** The name that robots.txt files address us by. */
const ROBOTS_AGENT = "agentic";
const MAX_BYTES = 500 * 1024;
const MAX_REDIRECTS = 5;
const TIMEOUT_MS = 10_000;

/**
 * Reads the site's robots.txt, as RFC 9309 says: 4xx is no robots.txt; 5xx or silence forbids for now; what redirects more than five
 * times counts as unreachable and forbids nothing.
 * @throws TerminalError RobotsDisallowed; RetryableError RobotsUnreachable; what getThroughProxy throws
 */
export async function checkRobots(
  proxy: ProxyAccess,
  site: URL,
  userAgent: string,
  signal: AbortSignal,
): Promise<Capture["robots"]> {
  const file = new URL("/robots.txt", site);
  const answer = await fetchFollowing(proxy, file, userAgent, signal);
  if (answer === undefined) return "unreachable";
  if (answer.status >= 500) throw unreachable(file, `answers ${answer.status}`);
  if (answer.status >= 300) return "absent";
  if (parseRobots(file.href, answer.body).isDisallowed(site.href, ROBOTS_AGENT))
    throw new TerminalError("RobotsDisallowed", `${file.href} does not allow ${site.pathname}${site.search}`);
  return "allowed";
}

async function fetchFollowing(proxy: ProxyAccess, file: URL, userAgent: string, signal: AbortSignal) {
  const patience = AbortSignal.timeout(TIMEOUT_MS);
  let url = file;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    try {
      const options = { userAgent, maxBytes: MAX_BYTES, signal: AbortSignal.any([signal, patience]) };
      const answer = await getThroughProxy(proxy, url, options);
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status > 399 || !location) return answer;
      if (!URL.canParse(location, url)) return undefined;
      url = new URL(location, url);
      if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (patience.aborted) throw unreachable(file, `gave no answer within ${TIMEOUT_MS / 1000} s`);
      // Only the site itself must be reachable: a robots.txt that lies elsewhere, where we may not go, does not count.
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
