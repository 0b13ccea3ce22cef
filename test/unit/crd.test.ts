import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseDuration } from "../../crd/duration.ts";
import { formatProblems, parseWorkload } from "../../crd/parse.ts";
import { normalizeSite } from "../../crd/site.ts";
import type { StructuralSchema } from "../../crd/structural.ts";

const FIXTURES = new URL("../../crd/fixtures/", import.meta.url);
const fixtures = (kind: string): [string, string][] =>
  readdirSync(new URL(`${kind}/`, FIXTURES)).map((file) => [
    file,
    readFileSync(new URL(`${kind}/${file}`, FIXTURES), "utf8"),
  ]);

describe("an AgentWorkload", () => {
  test.each(fixtures("valid"))("valid: %s", (_file, text) => {
    const parsed = parseWorkload(text);
    expect("errors" in parsed ? parsed.errors : []).toEqual([]);
  });

  test.each(fixtures("invalid"))("invalid: %s", (file, text) => {
    const expected = /^# expect: (.+)$/m.exec(text)?.[1];
    if (!expected) throw new Error(`${file} does not say what it expects`);
    const parsed = parseWorkload(text);
    if (!("errors" in parsed)) throw new Error(`${file} was taken as valid`);
    expect(formatProblems(parsed.errors, "")).toContain(expected);
  });

  test("all errors come at once, in the order of the lines", () => {
    const parsed = parseWorkload(readFileSync(new URL("invalid/all-at-once.yaml", FIXTURES), "utf8"));
    if (!("errors" in parsed)) throw new Error("taken as valid");
    expect(parsed.errors.map((e) => e.path)).toEqual([
      "spec.sites[0]",
      "spec.sites[1]",
      "spec.replicas",
      "spec.suspend",
    ]);
  });

  test("defaults are filled in, those of nested parts too", () => {
    const parsed = parseWorkload(readFileSync(new URL("valid/minimal.yaml", FIXTURES), "utf8"));
    if (!("workload" in parsed)) throw new Error("not valid");
    expect(parsed.workload.metadata.namespace).toBe("default");
    expect(parsed.workload.spec).toMatchObject({
      replicas: 10,
      suspend: false,
      model: { name: "gpt-4o-mini", fallbacks: [] },
      review: { required: true, timeout: "24h", onTimeout: "Reject" },
      tolerate: { failedSites: "20%" },
      deadlines: { site: "3m" },
      retry: { limit: 3 },
      freshness: "24h",
      ttlAfterFinished: "30d",
    });
  });

  test("a private host may be named when --resolve points it somewhere", () => {
    const text = readFileSync(new URL("invalid/site-cluster-name.yaml", FIXTURES), "utf8");
    const parsed = parseWorkload(text, { allowPrivateHosts: new Set(["api.default.svc.cluster.local"]) });
    expect(parsed).toHaveProperty("workload");
  });

  test("an alias bomb is an error", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
      .split("")
      .map((l, i) => `${l}: &${l} [${Array(9).fill(`*${"abcdefgh"[i]}`).join(",")}]`)
      .join("\n")}`;
    expect(parseWorkload(bomb)).toHaveProperty("errors");
  });

  test("any text is read or refused, never thrown at the user", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(Object.keys(parseWorkload(text))).toHaveLength(1);
      }),
    );
  });
});

describe("durations", () => {
  test.each([
    ["90s", 90_000],
    ["3m", 180_000],
    ["1h30m", 5_400_000],
    ["30d", 2_592_000_000],
    ["250ms", 250],
  ])("%s is %i ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each(["", "5", "h", "-1s", "1w", "1 h", "9999d"])("%j is none", (text) => {
    expect(() => parseDuration(text)).toThrow(RangeError);
  });
});

test("normalizing a site twice changes nothing more", () => {
  fc.assert(
    fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
      expect(normalizeSite(normalizeSite(url))).toBe(normalizeSite(url));
    }),
  );
});

describe("the generated CRD", () => {
  const crd = parse(readFileSync(new URL("../../crd/agentworkload.yaml", import.meta.url), "utf8")) as {
    spec: { versions: { schema: { openAPIV3Schema: StructuralSchema } }[] };
  };
  const root = crd.spec.versions[0]?.schema.openAPIV3Schema;

  function* fields(node: StructuralSchema, path: string): Generator<[string, StructuralSchema]> {
    yield [path, node];
    for (const [name, child] of Object.entries(node.properties ?? {})) yield* fields(child, `${path}.${name}`);
    if (node.items) yield* fields(node.items, `${path}[]`);
  }
  const all = root ? [...fields(root, "")] : [];

  test("is current", () => {
    execFileSync(process.execPath, [new URL("../../crd/generate.ts", import.meta.url).pathname, "--check"]);
  });

  test("is structural: every field has one type, or is int-or-string, and no unions remain", () => {
    expect(all.length).toBeGreaterThan(40);
    for (const [path, node] of all) {
      expect([path, Boolean(node.type) || node["x-kubernetes-int-or-string"] === true]).toEqual([path, true]);
      expect(Object.keys(node)).not.toContain("anyOf");
      expect(node.additionalProperties).not.toBe(false);
    }
  });

  test("every field is described", () => {
    // The API server describes metadata itself, and refuses a CRD that does.
    const own = all.filter(([path]) => path !== "" && path !== ".metadata" && !path.endsWith("[]"));
    const bare = own.filter(([, node]) => !node.description);
    expect(bare.map(([path]) => path)).toEqual([]);
  });
});
