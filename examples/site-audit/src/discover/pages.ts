import { TerminalError } from "agentic-kubernetes/agent";
import { isSameHost, pageAddress } from "../address.js";
import { isHtml } from "../open.js";
import { isSilence, type Robots, type Visitor } from "../visitor.js";

/** Candidates that are asked for at most, for each page that is wanted. */
const TRIES_PER_PAGE = 5;

export interface Discovery {
  /** At most as many as were asked for, the start page first, then in the order in which they were linked. */
  readonly pages: readonly string[];
  /** Addresses that robots.txt disallows. */
  readonly disallowed: number;
  /** Addresses that were not asked for, because there were enough pages. */
  readonly left: number;
}

/** The addresses of a sitemap. Those of a sitemap index are of other sitemaps, which are not read. */
export function sitemapAddresses(xml: string): string[] {
  if (/<sitemapindex[\s>]/.test(xml)) return [];
  return [...xml.matchAll(/<loc>\s*([^<]+?)\s*<\/loc>/g)].map(([, address = ""]) => address.replaceAll("&amp;", "&"));
}

/** Addresses of the start page's host, each once, in the order given. */
export function candidates(start: string, addresses: readonly string[]): string[] {
  const own = addresses.flatMap((text) => {
    const address = pageAddress(text, start);
    return address !== undefined && isSameHost(address, start) ? [address] : [];
  });
  return [...new Set(own)].filter((address) => address !== start);
}

/** Asks for one candidate after the other until there are `wanted` HTML pages. */
export async function choosePages(
  start: string,
  others: readonly string[],
  wanted: number,
  robots: Robots,
  visitor: Pick<Visitor, "head">,
): Promise<Discovery> {
  const allowed = others.filter((url) => robots.isAllowed(url));
  const pages = new Set([start]);
  let asked = 0;
  for (const url of allowed) {
    if (pages.size >= wanted || asked >= wanted * TRIES_PER_PAGE) break;
    asked += 1;
    const page = await pageAt(url, visitor);
    if (page !== undefined && isSameHost(page, start)) pages.add(page);
  }
  return { pages: [...pages], disallowed: others.length - allowed.length, left: allowed.length - asked };
}

/** The page that an address leads to, or undefined: audit reports links that are broken. */
async function pageAt(url: string, visitor: Pick<Visitor, "head">): Promise<string | undefined> {
  try {
    const { status, headers, url: reached } = await visitor.head(url);
    const type = headers["content-type"];
    return status === 200 && isHtml(Array.isArray(type) ? type[0] : type) ? pageAddress(reached) : undefined;
  } catch (error) {
    if (isSilence(error) || (error instanceof TerminalError && error.reason === "EgressRefused")) return undefined;
    throw error;
  }
}
