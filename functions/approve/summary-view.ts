import type { Summary } from "../../engine/summary.ts";

export type Fact = Summary["facts"][number];
type Picture = Summary["pictures"][number];

/** A summary as the page shows it. */
export interface SummaryView {
  readonly title: string;
  readonly subtitle?: string;
  /** Facts whose label stands once. */
  readonly single: readonly Fact[];
  /** Facts that share a label. `count` is the summary's, also where the page shows fewer. */
  readonly groups: readonly { readonly label: string; readonly count: number; readonly facts: readonly Fact[] }[];
  readonly pictures: readonly Picture[];
  readonly caveats: readonly string[];
  /** How many facts, pictures and caveats did not fit. */
  readonly hidden: number;
  /** It has facts that can be corrected. */
  readonly correctable: boolean;
}

/** Characters of markup around one entry, roughly. */
const MARKUP = 80;
/** Characters of the two addresses of a picture, roughly. */
const PICTURE_LINKS = 320;

/** @param limit characters of the page for this summary, without its title and subtitle */
export function summaryView(summary: Summary, limit: number): SummaryView {
  const { title, subtitle, facts, pictures, caveats } = summary;
  let left = limit;
  let hidden = 0;
  const fitting = <T>(entries: readonly T[], lengthOf: (entry: T) => number): T[] =>
    entries.filter((entry) => {
      const length = lengthOf(entry) + MARKUP;
      if (length > left) {
        hidden++;
        return false;
      }
      left -= length;
      return true;
    });
  const byLabel = Map.groupBy(facts, ({ label }) => label);
  const once = [...byLabel.values()].flatMap(([fact, ...more]) => (fact && more.length === 0 ? [fact] : []));
  const several = [...byLabel].filter(([, group]) => group.length > 1);
  // What a reviewer must know goes first.
  const fittingCaveats = fitting(caveats, ({ length }) => length);
  const fittingPictures = fitting(pictures, ({ alt }) => alt.length + PICTURE_LINKS);
  const single = fitting(once, factLength);
  const groups = several.map(([label, group]) => ({ label, count: group.length, facts: fitting(group, factLength) }));
  return {
    title,
    ...(subtitle === undefined ? {} : { subtitle }),
    single,
    groups,
    pictures: fittingPictures,
    caveats: fittingCaveats,
    hidden,
    correctable: facts.some(({ id }) => id !== undefined),
  };
}

/** A link stands as an address and as its text. */
const factLength = ({ label, value, quote = "", url = "" }: Fact): number =>
  label.length + value.length + quote.length + 2 * url.length;

const MAX_COLUMNS = 4;

/** The labels that stand exactly once in each summary that has them, in order of appearance. */
export function columnsOf(views: readonly SummaryView[]): string[] {
  const grouped = new Set(views.flatMap(({ groups }) => groups.map(({ label }) => label)));
  const single = new Set(views.flatMap((view) => view.single.map(({ label }) => label)));
  return [...single].filter((label) => !grouped.has(label)).slice(0, MAX_COLUMNS);
}
