import { median } from "./price.ts";
import type { Competitor } from "./report.ts";

type Priced = Competitor & { readonly entryMonthly: number };

/** Entry prices that count the same thing: a price per user does not compare with a flat price. */
export interface EntryGroup {
  /** What they count, e.g. user; undefined for flat prices. */
  readonly per: string | undefined;
  /** At least one, cheapest first. */
  readonly sites: readonly [Priced, ...Priced[]];
  readonly median: number;
}

/** The entry prices by what they count: the group with most sites first, of equal groups the flat one. */
export function entryGroups(competitors: readonly Competitor[]): EntryGroup[] {
  const priced = competitors.filter((c): c is Priced => c.entryMonthly !== null);
  return [...Map.groupBy(priced, ({ entryPer }) => entryPer)]
    .map(([per, sites]) => {
      sites.sort((a, b) => a.entryMonthly - b.entryMonthly);
      return {
        per,
        sites: sites as [Priced, ...Priced[]],
        median: median(sites.map(({ entryMonthly }) => entryMonthly)),
      };
    })
    .sort((a, b) => b.sites.length - a.sites.length || Number(a.per !== undefined) - Number(b.per !== undefined));
}
