import { z } from "zod";

/** What is audited, in the order in which it is shown. */
export const KINDS = ["accessibility", "privacy", "links", "headers"] as const;
export type Kind = (typeof KINDS)[number];

export const KIND_NAMES: Readonly<Record<Kind, string>> = {
  accessibility: "Accessibility",
  privacy: "Third parties and cookies",
  links: "Broken links",
  headers: "Security headers",
};

/** From worst to mildest. */
export const IMPACTS = ["critical", "serious", "moderate", "minor"] as const;

export const findingSchema = z.object({
  kind: z.enum(KINDS),
  /** An axe rule, or one of ours: third-party-request, persistent-cookie, broken-link, content-security-policy, … */
  rule: z.string(),
  impact: z.enum(IMPACTS),
  /** What is wrong wherever the rule finds something. */
  title: z.string(),
  /** What is wrong here. */
  detail: z.string(),
  /** A CSS selector, a host, a cookie's name, a link's address, a header's name. */
  where: z.string(),
  /** What was found there, e.g. the element's HTML. */
  evidence: z.string().optional(),
  /** Where the rule is explained. */
  help: z.url().optional(),
});
export type Finding = z.infer<typeof findingSchema>;

/** One audited page: artifact `page` (JSON). */
export const pageSchema = z.object({
  site: z.string(),
  url: z.string(),
  title: z.string(),
  status: z.int(),
  findings: z.array(findingSchema),
  /** What was checked: a page without findings says nothing by itself. */
  checked: z.object({ rules: z.int(), requests: z.int(), cookies: z.int(), links: z.int() }),
  caveats: z.array(z.string()),
  /** Artifact keys of a picture of its first screen. */
  screenshot: z.string(),
});
export type Page = z.infer<typeof pageSchema>;

/** The pages of one site: artifact `site` (JSON). */
export const siteSchema = z.object({
  site: z.string(),
  pages: z.array(pageSchema),
  /** Pages that could not be audited. */
  failed: z.array(z.object({ url: z.string(), message: z.string() })),
  caveats: z.array(z.string()),
});
export type Site = z.infer<typeof siteSchema>;

/** How many findings there are of each kind. */
export function countByKind(findings: readonly Finding[]): Record<Kind, number> {
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;
  for (const { kind } of findings) counts[kind] += 1;
  return counts;
}

/** What one rule found. */
export interface RuleGroup extends Pick<Finding, "rule" | "kind" | "impact" | "title" | "help"> {
  readonly places: readonly (Finding & { readonly url: string })[];
}

/** By kind, and there the worst first. */
export function groupByRule(pages: readonly Page[]): RuleGroup[] {
  const places = pages.flatMap(({ url, findings }) => findings.map((finding) => ({ ...finding, url })));
  return [...Map.groupBy(places, ({ rule }) => rule).values()]
    .flatMap((places) => {
      const [first] = places;
      return first ? [{ ...first, places }] : [];
    })
    .sort(
      (a, b) =>
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
        IMPACTS.indexOf(a.impact) - IMPACTS.indexOf(b.impact) ||
        b.places.length - a.places.length ||
        (a.rule < b.rule ? -1 : 1),
    );
}
