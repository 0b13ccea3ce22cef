import { z } from "zod";
import { countByKind, groupByRule, IMPACTS, KINDS, type Kind, type RuleGroup, type Site } from "../finding.js";

/** How the gate was decided: artifact `decision` of step review. */
export const decisionSchema = z.object({
  by: z.string(),
  at: z.string(),
  automatic: z.boolean(),
  comment: z.string().optional(),
});
export type Decision = z.infer<typeof decisionSchema>;

/** Everything that the report says: report.json. */
export interface Audit {
  readonly title: string;
  readonly decision: Decision | undefined;
  readonly totals: { readonly sites: number; readonly pages: number; readonly findings: number } & Readonly<
    Record<Kind, number>
  >;
  readonly sites: readonly Site[];
  /** Sites of which summarize made nothing. */
  readonly failed: readonly { readonly site: string; readonly message: string }[];
}

export function auditOf(
  title: string,
  decision: Decision | undefined,
  sites: readonly Site[],
  failed: Audit["failed"],
): Audit {
  const pages = sites.flatMap((site) => site.pages);
  const findings = pages.flatMap((page) => page.findings);
  const totals = { sites: sites.length, pages: pages.length, findings: findings.length, ...countByKind(findings) };
  return { title, decision, totals, sites, failed };
}

/** What to mend first: the worst and most frequent of all sites. */
export function worstRules({ sites }: Audit, limit: number): RuleGroup[] {
  return groupByRule(sites.flatMap(({ pages }) => pages))
    .sort(
      (a, b) =>
        IMPACTS.indexOf(a.impact) - IMPACTS.indexOf(b.impact) ||
        b.places.length - a.places.length ||
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind),
    )
    .slice(0, limit);
}
