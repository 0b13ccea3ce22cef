/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { TerminalError } from "agentic-kubernetes/agent";
import type { Page } from "playwright-core";
import { z } from "zod";
import { isSameHost, pageAddress } from "../address.js";
import type { Finding } from "../finding.js";
import { isSilence, type Visitor } from "../visitor.js";

/** Links of one page that are checked. */
export const MAX_LINKS = 30;

export const linkSchema = z.object({ url: z.string(), text: z.string() });
export type Link = z.infer<typeof linkSchema>;

/** The links of a page, as it shows them, in the order of the document. */
export function readLinks(page: Page): Promise<Link[]> {
  return page.$$eval("a[href]", (anchors) =>
    anchors.map((anchor) => ({
      url: (anchor as HTMLAnchorElement).href,
      text: (anchor.textContent ?? "").replace(/\s+/g, " ").trim().slice(0, 100),
    })),
  );
}

/** Those that lead to other pages of the same host, each once. */
export function ownLinks(links: readonly Link[], page: string): Link[] {
  const own = links.flatMap(({ url, text }) => {
    const address = pageAddress(url);
    return address !== undefined && isSameHost(address, page) && address !== page ? [{ url: address, text }] : [];
  });
  return [...new Map(own.toReversed().map((link) => [link.url, link])).values()].toReversed();
}

/** What is wrong with an address, or undefined. */
export type CheckAddress = (url: string, visitor: Visitor) => Promise<string | undefined>;

/** Pages of a site share most of their links: a process asks for each once in a run. `known`: how many answers it remembers. */
export function createAddressCheck(known = 10_000): (run: string) => CheckAddress {
  const problems = new Map<string, string | undefined>();
  return (run) => async (url, visitor) => {
    const key = `${run} ${url}`;
    if (!problems.has(key)) {
      problems.set(key, await problemOf(url, visitor));
      // The oldest goes first.
      for (const old of problems.keys()) if (problems.size > known) problems.delete(old);
    }
    return problems.get(key);
  };
}

async function problemOf(url: string, visitor: Visitor): Promise<string | undefined> {
  try {
    const { status } = await visitor.head(url);
    // Other answers below 500 are about the visitor: a login, a limit.
    return status === 404 || status === 410 || status >= 500 ? `answers ${status}` : undefined;
  } catch (error) {
    if (isSilence(error)) return "gives no answer";
    // It redirects to a host where the step may not go.
    if (error instanceof TerminalError && error.reason === "EgressRefused") return undefined;
    throw error;
  }
}

/** Checks the links of one page. What robots.txt disallows is not asked for. */
export async function checkLinks(
  links: readonly Link[],
  visitor: Visitor,
  check: CheckAddress,
): Promise<{ findings: Finding[]; checked: number }> {
  const [first] = links;
  if (!first) return { findings: [], checked: 0 };
  const robots = await visitor.robots(first.url);
  const allowed = links.filter(({ url }) => robots.isAllowed(url));
  const findings: Finding[] = [];
  for (const link of allowed) {
    const problem = await check(link.url, visitor);
    if (problem !== undefined) findings.push(brokenLink(link, problem));
  }
  return { findings, checked: allowed.length };
}

function brokenLink({ url, text }: Link, problem: string): Finding {
  return {
    kind: "links",
    rule: "broken-link",
    impact: "serious",
    title: "Links lead nowhere",
    detail: `${text === "" ? "A link without text" : `“${text}”`} leads to ${url}, which ${problem}.`,
    where: url,
  };
}
