import { describe, expect, test } from "vitest";
import { readBuckets } from "../../lib/edges/artifacts/bucket.ts";

const LONG = "n".repeat(63);

describe("buckets", () => {
  test("one for all", () => {
    const buckets = readBuckets("s3://agentic");
    expect([buckets.perNamespace, buckets.of("team-a"), buckets.of("team-b")]).toEqual([false, "agentic", "agentic"]);
  });

  test("one for each namespace, by its name", () => {
    const buckets = readBuckets("s3://agentic-{namespace}");
    expect([buckets.perNamespace, buckets.of("team-a")]).toEqual([true, "agentic-team-a"]);
  });

  test("namespaces of any length have valid names, and no two share one", () => {
    const buckets = readBuckets("s3://agentic-{namespace}");
    const names = [
      LONG,
      `${LONG.slice(0, 62)}m`,
      "n".repeat(56),
      "n".repeat(55),
      "a",
      `${"n".repeat(21)}-${LONG.slice(22)}`,
    ];
    const made = names.map((name) => buckets.of(name));
    expect(new Set(made).size).toBe(names.length);
    for (const name of made) {
      expect(name).toMatch(/^[a-z0-9](?!.*(\.\.|-\.|\.-))[a-z0-9.-]{1,61}[a-z0-9]$/);
      expect(name.length).toBeLessThanOrEqual(63);
    }
    // What stands for a long one can be no namespace's own.
    expect(buckets.of(LONG)).toMatch(/^agentic-n+\.[0-9a-f]{32}$/);
  });

  test.each([
    ["s3://", "must name a bucket"],
    ["s3://bucket/below", "nothing below it"],
    ["s3://{namespace}", "must end with {namespace}"],
    ["s3://{namespace}-agentic", "must end with {namespace}"],
    ["s3://agentic-{name}", "must end with {namespace}"],
    ["s3://Agentic-{namespace}", "must end with {namespace}"],
    [`s3://${"a".repeat(21)}{namespace}`, "1 to 20"],
  ])("%s is refused", (url, message) => {
    expect(() => readBuckets(url)).toThrow(message);
  });
});
