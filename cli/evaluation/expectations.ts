import { z } from "zod";
import { canonicalJson } from "../../engine/canonical.ts";

/** A file of expectations: what a person says that a step should find. */
export const expectationsSchema = z
  .array(
    z.strictObject({
      step: z.string(),
      /** Absent for a step that runs once. */
      item: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
      /** Role of the JSON artifact that is looked at; absent: the result's data. */
      artifact: z.string().optional(),
      /** What must be in it. */
      expect: z.unknown(),
    }),
  )
  .min(1);
export type Expectation = z.infer<typeof expectationsSchema>[number];

/** How much of what was expected is there. */
export interface Match {
  /** Values that are as expected, of `expected`. */
  readonly found: number;
  readonly expected: number;
  /** Entries of lists for which nothing was expected. */
  readonly extra: number;
}

export const NO_MATCH: Match = { found: 0, expected: 0, extra: 0 };

export function addMatch(a: Match, b: Match): Match {
  return { found: a.found + b.found, expected: a.expected + b.expected, extra: a.extra + b.extra };
}

/**
 * Compares what is expected with what is there, value by value. Fields that are not expected do not count; the entries of a list are
 * matched in any order, each expected one with the entry that fits it best. Texts are compared without case and surplus spaces.
 */
export function match(expected: unknown, actual: unknown): Match {
  if (Array.isArray(expected)) return matchLists(expected, Array.isArray(actual) ? actual : []);
  if (isObject(expected)) {
    const fields = isObject(actual) ? actual : {};
    return Object.entries(expected)
      .map(([key, value]) => match(value, fields[key]))
      .reduce(addMatch, NO_MATCH);
  }
  return { found: isSame(expected, actual) ? 1 : 0, expected: 1, extra: 0 };
}

function matchLists(expected: readonly unknown[], actual: readonly unknown[]): Match {
  const left = [...actual];
  let sum = NO_MATCH;
  for (const one of expected) {
    const matches = left.map((other) => match(one, other));
    const best = matches.reduce((at, { found }, index) => (found > (matches[at]?.found ?? 0) ? index : at), -1);
    // What has nothing in common with an entry is not there.
    if (best === -1) {
      sum = addMatch(sum, match(one, undefined));
      continue;
    }
    sum = addMatch(sum, matches[best] ?? NO_MATCH);
    left.splice(best, 1);
  }
  return { ...sum, extra: sum.extra + left.length };
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === "string" && typeof b === "string") return plain(a) === plain(b);
  return b !== undefined && canonicalJson(a) === canonicalJson(b);
}

const plain = (text: string): string => text.replace(/\s+/g, " ").trim().toLowerCase();

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
