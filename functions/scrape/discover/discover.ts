import type { Capture, Discovery } from "../../../pipelines/market-analysis/capture.ts";
import type { PageLinks } from "../in-page-links.ts";
import { readRules } from "../robots.ts";
import { choosePages } from "./choose.ts";
import { readSitemaps, type SitemapsTerms } from "./sitemaps.ts";

export interface DiscoveryInput {
  readonly captured: Pick<Capture, "url" | "finalUrl" | "canonical">;
  readonly links: PageLinks;
  /** The site's robots.txt; empty where there is none. */
  readonly rules: string;
  readonly pagesPerSite: number;
}

/** Sitemaps that a robots.txt names, of which one file may list thousands. */
const MAX_NAMED = 10;

/**
 * Chooses the pages of a site to read beside the named one.
 * @throws as readSitemaps
 */
export async function discoverPages(
  { captured, links, rules, pagesPerSite }: DiscoveryInput,
  terms: SitemapsTerms,
): Promise<Discovery> {
  const { url, finalUrl, canonical } = captured;
  const { isAllowed, sitemaps } = readRules(new URL(url), rules);
  const usual = new URL("/sitemap.xml", finalUrl);
  const roots = sitemaps.length > 0 ? sitemaps.slice(0, MAX_NAMED) : isAllowed(usual) ? [usual.href] : [];
  const listed = await readSitemaps(roots, terms);
  const { chosen, unread, disallowed, elsewhere } = choosePages(
    { home: [url, finalUrl], canonical, links: links.links, listed: listed.pages },
    { wanted: pagesPerSite - 1, allow: terms.allow, isAllowedByRobots: isAllowed },
  );
  const caveats = [
    ...(unread > 0
      ? [`${unread} more pages of the site were not read: ${whyUnread(chosen.length, pagesPerSite)}`]
      : []),
    ...(disallowed > 0
      ? [`robots.txt keeps ${disallowed} further ${disallowed === 1 ? "page" : "pages"} from being read`]
      : []),
    ...(links.more > 0 ? [`${links.more} more links of the page were not looked at`] : []),
    ...listed.caveats,
  ];
  return { chosen: [...chosen], unread, disallowed, elsewhere, caveats };
}

function whyUnread(chosen: number, pagesPerSite: number): string {
  if (chosen === pagesPerSite - 1) return `pagesPerSite is ${pagesPerSite}`;
  return "they look like none of the kinds of pages that are read";
}
