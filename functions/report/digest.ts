import { siteShare } from "./coverage.ts";
import type { Report } from "./report.ts";

/** What a chat or a mail says of a report: the step's data, which the event of the ended run carries. */
export interface Digest {
  readonly title: string;
  /** Sites that were read. */
  readonly sites: number;
  /** When the report was made that this one is compared with; absent: there is none. */
  readonly since?: string;
  /** Material changes since then. */
  readonly material: number;
  /** The first of them, a sentence each. */
  readonly changes: readonly string[];
}

const MAX_CHANGES = 10;
const MAX_TITLE = 200;
const MAX_SENTENCE = 300;

export function digestOf({ objective, coverage, changes }: Report): Digest {
  const material = changes?.list.filter((one) => one.material) ?? [];
  return {
    title: shorten(objective, MAX_TITLE),
    sites: siteShare(coverage).read,
    ...(changes ? { since: changes.since } : {}),
    material: material.length,
    changes: material.slice(0, MAX_CHANGES).map(({ sentence }) => shorten(sentence, MAX_SENTENCE)),
  };
}

/** One line, well-formed. */
function shorten(text: string, length: number): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return (line.length <= length ? line : `${line.slice(0, length - 1)}…`).toWellFormed();
}
