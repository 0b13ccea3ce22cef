import { getDomain } from "tldts";
import { hostAllowed } from "../../../lib/allow-list.ts";
import { addressKey } from "../../../pipelines/market-analysis/page-address.ts";
import type { Link } from "../in-page-links.ts";
import { pageAddress } from "./address.ts";
import { kindOf, SOUGHT_KINDS, type SoughtKind } from "./kinds.ts";

/** What is known of a site's pages. */
export interface Known {
  /** The named page: as the workload names it, and where it led to. */
  readonly home: readonly string[];
  /** What it says its address is. It may say anything: its host counts for nothing. */
  readonly canonical?: string | undefined;
  /** Of the named page. */
  readonly links: readonly Link[];
  /** Of the site's sitemaps. */
  readonly listed: readonly string[];
}

export interface ChoiceTerms {
  /** Pages beside the named one. */
  readonly wanted: number;
  /** Hosts that the step may reach. */
  readonly allow: readonly string[];
  readonly isAllowedByRobots: (url: URL) => boolean;
}

export interface Choice {
  readonly chosen: readonly { readonly url: string; readonly kind: SoughtKind }[];
  /** Other pages of the site: not chosen, and not known to be kept from us. */
  readonly unread: number;
  /** Pages that would have been chosen, had robots.txt allowed it. */
  readonly disallowed: number;
  /** Links and entries that lead to other sites. */
  readonly elsewhere: number;
}

interface Candidate {
  readonly url: URL;
  readonly words: string;
  /** By where it was found: links first. */
  readonly rank: number;
}

/** One page of each kind before a second one of any, the most telling kinds and the surest pages first. Pure: equal sites give equal choices. */
export function choosePages(known: Known, { wanted, allow, isAllowedByRobots }: ChoiceTerms): Choice {
  const home = known.home.flatMap((address) => pageAddress(address) ?? []);
  const [start] = home;
  if (!start) return { chosen: [], unread: 0, disallowed: 0, elsewhere: 0 };
  const isOwn = ownHosts(home, allow);
  const canonical = known.canonical === undefined ? undefined : pageAddress(known.canonical);
  const seen = new Set([...home, ...(canonical ? [canonical] : [])].map(addressKey));
  const found = new Map<string, Candidate>();
  let elsewhere = 0;
  const entries = [...known.links, ...known.listed.map((href) => ({ href, words: "" }))];
  for (const [rank, { href, words }] of entries.entries()) {
    const url = pageAddress(href, start.href);
    if (!url) continue;
    if (!isOwn(url)) {
      elsewhere++;
      continue;
    }
    const key = addressKey(url);
    if (seen.has(key)) continue;
    const before = found.get(key);
    // A sitemap may know the same page with TLS, and a second link may say more.
    const isBetter = before?.url.protocol === "http:" && url.protocol === "https:";
    const address = before && !isBetter ? before.url : url;
    found.set(key, { url: address, words: before?.words || words, rank: before?.rank ?? rank });
  }
  const language = languageOf(home.at(-1) ?? start);
  const sought = [...found.values()].flatMap((candidate) => {
    const kind = languageOf(candidate.url) === language ? kindOf(candidate.url, candidate.words) : undefined;
    return kind ? [{ ...candidate, ...kind }] : [];
  });
  const surest = sought.toSorted((a, b) => b.score - a.score || depthOf(a.url) - depthOf(b.url) || a.rank - b.rank);
  const queues = SOUGHT_KINDS.map((kind) => surest.filter((one) => one.kind === kind).slice(0, MAX_TRIES));
  const chosen: { url: string; kind: SoughtKind }[] = [];
  let disallowed = 0;
  while (chosen.length < wanted && queues.some(({ length }) => length > 0))
    for (const queue of queues) {
      if (chosen.length === wanted) break;
      for (let next = queue.shift(); next; next = queue.shift()) {
        if (isAllowedByRobots(next.url)) {
          chosen.push({ url: next.url.href, kind: next.kind });
          break;
        }
        disallowed++;
      }
    }
  return { chosen, unread: found.size - disallowed - chosen.length, disallowed, elsewhere };
}

/** Pages of a kind of which robots.txt is asked: it may have tens of thousands of rules. */
const MAX_TRIES = 30;

/** Hosts of the site's registrable domain at the ports of the named page, and those that the step's allow-list names. */
function ownHosts(home: readonly URL[], allow: readonly string[]): (url: URL) => boolean {
  const ports = new Set(["", ...home.map(({ port }) => port)]);
  const domains = new Set(home.map(domainOf));
  return (url) => ports.has(url.port) && (domains.has(domainOf(url)) || hostAllowed(url.hostname, allow));
}

/** shop.example.co.uk and example.co.uk are one site; two blogs of a host of blogs are two. An address of numbers is a site of its own. */
function domainOf({ hostname }: URL): string {
  return getDomain(hostname, { allowPrivateDomains: true }) ?? hostname;
}

/** The folder of a language that a site keeps its pages in: pages in another one say the same. */
function languageOf({ pathname }: URL): string {
  return /^\/([a-z]{2}(?:[-_][a-z]{2})?)(?:\/|$)/i.exec(pathname)?.[1]?.toLowerCase() ?? "";
}

function depthOf({ pathname }: URL): number {
  return pathname.split("/").filter(Boolean).length;
}
