import type { Summary, UpstreamResult } from "agentic-kubernetes/agent";
import { z } from "zod";
import { countByKind, KIND_NAMES, KINDS, type Page, type Site } from "../finding.js";
import { VIEWPORT } from "../open.js";
import { findingFacts } from "../summary.js";

export type AuditOutcome = { readonly page: Page } | { readonly url: string; readonly message: string };

/** What discover says beside its items. */
const discoveredSchema = z.object({ disallowed: z.int(), left: z.int() });

/** `discovered`: how discover ended on this site. */
export function siteOf(site: string, discovered: UpstreamResult | undefined, audits: readonly AuditOutcome[]): Site {
  const pages = audits.flatMap((audit) => ("page" in audit ? [audit.page] : []));
  const failed = audits.flatMap((audit) => ("page" in audit ? [] : [audit]));
  return { site, pages, failed, caveats: [...discoveryCaveats(discovered), ...pageCaveats(pages)] };
}

function discoveryCaveats(discovered: UpstreamResult | undefined): string[] {
  if (discovered?.outcome === "failed") return [`No page was audited: ${discovered.message ?? "discover failed"}.`];
  const parsed = discoveredSchema.safeParse(discovered?.data);
  if (!parsed.success) return [];
  const { disallowed, left } = parsed.data;
  return [
    ...(left > 0 ? [`${count(left, "further address was", "further addresses were")} not looked at.`] : []),
    ...(disallowed > 0 ? [`robots.txt disallows ${count(disallowed, "address", "addresses")}.`] : []),
  ];
}

function pageCaveats(pages: readonly Page[]): string[] {
  const plain = pages.some(({ url }) => url.startsWith("http:"));
  const all = pages.flatMap(({ caveats }) => caveats);
  return [
    ...[...Map.groupBy(all, (caveat) => caveat)].map(([caveat, { length }]) =>
      pages.length === 1 ? caveat : `On ${count(length, "page", "pages")}: ${caveat}`,
    ),
    ...(plain ? ["Pages come over plain HTTP, where browsers ignore Strict-Transport-Security."] : []),
  ];
}

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

/** What the reviewer sees of one site: a column for each kind, a fact for each rule. */
export function siteSummary({ site, pages, failed, caveats }: Site): Summary {
  const counts = countByKind(pages.flatMap(({ findings }) => findings));
  const [first] = pages;
  return {
    title: new URL(site).host,
    subtitle: site,
    facts: [
      { label: "Pages", value: String(pages.length) },
      ...KINDS.map((kind) => ({ label: KIND_NAMES[kind], value: String(counts[kind]) })),
      ...findingFacts(pages),
    ],
    pictures: first
      ? [{ image: first.screenshot, alt: `The first screen of ${first.title || first.url}`, ...VIEWPORT }]
      : [],
    caveats: [...failed.map(({ url, message }) => `${url} was not audited: ${message}.`), ...caveats]
      .map((caveat) => caveat.slice(0, 1000))
      .slice(0, 50),
  };
}
