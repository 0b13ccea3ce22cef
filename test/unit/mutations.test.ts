import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { mutated } from "../../scripts/mutate/copy.ts";
import { MUTATIONS } from "../mutations/all.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

// `npm run mutate` runs them. Here the list is kept from going stale while the code changes.
describe("the list of mutations", () => {
  test("names guards that stand in the code once, and changes them", () => {
    const problems = MUTATIONS.flatMap((mutation) => {
      const text = readFileSync(root + mutation.file, "utf8");
      try {
        return mutated(text, mutation) === text ? [`${mutation.file}: ${mutation.why}: changes nothing`] : [];
      } catch (error) {
        return [`${mutation.why}: ${error instanceof Error ? error.message : error}`];
      }
    });
    expect(problems).toEqual([]);
  });

  test("names tests that are there", () => {
    const files = new Set(MUTATIONS.flatMap(({ tests }) => tests));
    expect([...files].filter((file) => !existsSync(root + file))).toEqual([]);
    expect(MUTATIONS.filter(({ tests }) => tests.length === 0)).toEqual([]);
  });

  test("says each thing once of a file", () => {
    const seen = new Set<string>();
    const twice = MUTATIONS.map(({ file, why }) => `${file}: ${why}`).filter((one) => {
      const known = seen.has(one);
      seen.add(one);
      return known;
    });
    expect(twice).toEqual([]);
  });
});

test.each(["", "a guard, a guard"])("a guard that does not stand in %j once is an error that says so", (text) => {
  const mutation = { why: "", file: "lib/x.ts", find: "a guard", replace: "", tests: [] };
  expect(() => mutated(text, mutation)).toThrow(/occurs [02] times in lib\/x.ts, expected once: "a guard"/);
});
