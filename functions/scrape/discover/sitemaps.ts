import { hostAllowed } from "../../../lib/allow-list.ts";
import type { EgressAccess } from "../../../lib/edges/egress-access.ts";
import { egressFetch } from "../../../lib/edges/egress-client.ts";
import { RetryableError, TerminalError } from "../../../lib/errors.ts";
import { parseSitemap } from "./sitemap.ts";

export interface SitemapsTerms {
  readonly access: EgressAccess;
  readonly userAgent: string;
  /** Hosts that the step may reach. */
  readonly allow: readonly string[];
  readonly signal: AbortSignal;
}

/** For all sitemaps of a site together. */
const LIMITS = { files: 8, depth: 2, bytes: 5_000_000, entries: 5_000, ms: 10_000 };
/** Of one of them: 50,000 pages are more, a file that explodes leaves room for others. */
const FILE_BYTES = 2_000_000;
const MAX_REDIRECTS = 3;

/**
 * The pages that a site's sitemaps list. What cannot be read is a caveat and no failure: a site has its links.
 * @throws RetryableError EgressUnavailable; the signal's reason
 */
export async function readSitemaps(
  roots: readonly string[],
  { access, userAgent, allow, signal }: SitemapsTerms,
): Promise<{ readonly pages: readonly string[]; readonly caveats: readonly string[] }> {
  // As of robots.txt: the browser judges certificates, and nothing secret is sent.
  const fetch = egressFetch(access, { checkCertificates: false });
  const timeout = AbortSignal.timeout(LIMITS.ms);
  const pages: string[] = [];
  const caveats: string[] = [];
  const seen = new Set<string>();
  let bytes = 0;
  const queue = roots.map((address) => ({ address, depth: 0 }));
  for (let next = queue.shift(); next; next = queue.shift()) {
    const url = URL.parse(next.address);
    if (!url || seen.has(url.href) || !hostAllowed(url.hostname, allow)) continue;
    if (seen.size >= LIMITS.files || bytes >= LIMITS.bytes || pages.length >= LIMITS.entries) {
      caveats.push(
        `the sitemaps list more than was read: ${LIMITS.files} files, ${LIMITS.entries} pages and 5 MB at most`,
      );
      break;
    }
    seen.add(url.href);
    const left = { bytes: Math.min(FILE_BYTES, LIMITS.bytes - bytes), entries: LIMITS.entries - pages.length };
    try {
      const answer = await fetch(url, {
        headers: { "user-agent": userAgent, accept: "application/xml,text/xml;q=0.9,*/*;q=0.5" },
        maxBytes: left.bytes,
        maxRedirects: MAX_REDIRECTS,
        signal: AbortSignal.any([signal, timeout]),
      });
      if (answer.status !== 200) {
        // Nobody said that there is one.
        if (answer.status >= 500) caveats.push(`${url.href} answers ${answer.status}`);
        continue;
      }
      const read = await parseSitemap(answer.body, left);
      bytes += Math.max(read.bytes, answer.body.length);
      pages.push(...read.pages);
      if (next.depth < LIMITS.depth)
        queue.push(...read.sitemaps.map((address) => ({ address, depth: (next?.depth ?? 0) + 1 })));
      if (read.cut || answer.truncated)
        caveats.push(`${url.href} was read in part: it is larger than is read, or broken`);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof RetryableError && error.reason === "EgressUnavailable") throw error;
      if (timeout.aborted) {
        caveats.push(`the sitemaps were not read whole: they took more than ${LIMITS.ms / 1000} s`);
        break;
      }
      if (!(error instanceof RetryableError) && !(error instanceof TerminalError)) throw error;
      caveats.push(`${url.href} could not be read: ${error.message}`);
    }
  }
  return { pages, caveats: [...new Set(caveats)] };
}
