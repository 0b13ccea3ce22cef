import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { evaluate } from "@marcbachmann/cel-js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { admissionProblems, normalizeItem } from "../../crd/admission.ts";
import { workloadOfTemplate } from "../../crd/agentschedule.ts";
import { parseDuration } from "../../crd/duration.ts";
import { KINDS } from "../../crd/kinds.ts";
import {
  duplicateProblems,
  formatProblems,
  type ParsedDocument,
  type Problem,
  parseDocuments,
  specProblems,
} from "../../crd/parse.ts";
import type { StructuralSchema } from "../../crd/structural.ts";
import { agentProblems, pipelineProblems, type SpecProblem } from "../../engine/check.ts";
import { workloadProblems } from "../../engine/workload-check.ts";

const FIXTURES = fileURLToPath(new URL("../../crd/fixtures/", import.meta.url));

function fixtures(folder: string): [string, string][] {
  return globSync(`${folder}/**/*.yaml`, { cwd: FIXTURES })
    .toSorted()
    .map((file) => [file, readFileSync(`${FIXTURES}${file}`, "utf8")]);
}

/** All problems of a text, those that need more than the schema included. A workload is checked with the pipeline beside it. */
async function problemsOf(text: string): Promise<Problem[]> {
  const parsed = parseDocuments(text);
  if ("errors" in parsed) return parsed.errors;
  const { documents } = parsed;
  const found = await Promise.all(
    documents.map(async (one) => specProblems(one, await engineProblems(one, documents))),
  );
  return found.flat().toSorted((a, b) => a.line - b.line || a.column - b.column);
}

async function engineProblems(
  document: ParsedDocument,
  documents: readonly ParsedDocument[],
): Promise<readonly Pick<SpecProblem, "path" | "message">[]> {
  if (document.kind === "Agent") return agentProblems(document.value.spec);
  if (document.kind === "AgentPipeline") return pipelineProblems(document.value.spec);
  const { workload, below } =
    document.kind === "AgentSchedule"
      ? { workload: workloadOfTemplate(document.value), below: ["workloadTemplate", "spec"] }
      : { workload: document.value, below: [] };
  const pipeline = documents.find(({ kind }) => kind === "AgentPipeline");
  const ANYTHING = { spec: { inputs: { schema: {} }, steps: [] } };
  const known = pipeline?.kind === "AgentPipeline" ? pipeline.value : ANYTHING;
  const problems = await workloadProblems(workload, known, new Set());
  return problems.map(({ path, message }) => ({ path: [...below, ...path], message }));
}

describe("fixtures", () => {
  test.each(fixtures("valid"))("%s", async (_file, text) => {
    expect(await problemsOf(text)).toEqual([]);
  });

  test.each(fixtures("invalid"))("%s", async (file, text) => {
    const expected = [...text.matchAll(/^# expect: (.+)$/gm)].map(([, line = ""]) => line);
    if (expected.length === 0) throw new Error(`${file} does not say what it expects`);
    const found = formatProblems(await problemsOf(text))
      .split("\n")
      .map((line) => line.slice(1));
    // An expectation is the start of its line.
    expect(found.map((line, index) => line.slice(0, expected[index]?.length ?? line.length))).toEqual(expected);
  });
});

describe("parseDocuments", () => {
  const agent = (name: string, more = ""): string =>
    `apiVersion: agentic.dev/v1alpha1\nkind: Agent\nmetadata: { name: ${name} }\nspec: { image: a }\n${more}`;

  test("reads several kinds in any order", () => {
    const workload = readFileSync(`${FIXTURES}valid/agentworkload/minimal.yaml`, "utf8");
    const pipeline = readFileSync(`${FIXTURES}valid/agentpipeline/minimal.yaml`, "utf8");
    const parsed = parseDocuments([workload, agent("a"), pipeline, "# a comment\n"].join("---\n"));
    if (!("documents" in parsed)) throw new Error(formatProblems(parsed.errors));
    expect(parsed.documents.map(({ kind }) => kind)).toEqual(["AgentWorkload", "Agent", "AgentPipeline"]);
  });

  test("fills in defaults, those of nested fields too", () => {
    const parsed = parseDocuments(readFileSync(`${FIXTURES}valid/agentworkload/minimal.yaml`, "utf8"));
    if (!("documents" in parsed)) throw new Error("not valid");
    const [document] = parsed.documents;
    expect(document?.value.metadata.namespace).toBe("default");
    expect(document?.value.spec).toEqual({
      inputs: {},
      replicas: 10,
      stop: false,
      suspend: false,
      model: { name: "gpt-6-luna", fallbacks: [], maxOutputTokens: 1024 },
      review: { required: true, timeout: "24h", onTimeout: "Reject" },
      egress: { allow: [] },
      tolerate: { failedItems: "20%" },
      deadlines: { item: "3m" },
      retry: { limit: 3 },
      freshness: "24h",
      ttlAfterFinished: "30d",
    });
  });

  test("names the file in problems and places", () => {
    const wrong = parseDocuments(agent("A_B"), { file: "a.yaml" });
    if (!("errors" in wrong)) throw new Error("taken as valid");
    expect(formatProblems(wrong.errors)).toMatch(/^a\.yaml:3:13 metadata\.name /);
    const right = parseDocuments(agent("a"), { file: "a.yaml" });
    if (!("documents" in right)) throw new Error("not valid");
    expect(right.documents[0]?.place(["spec", "image"])).toEqual({ file: "a.yaml", line: 4, column: 9 });
    expect(right.documents[0]?.place(["spec", "output", "schema"])).toEqual({ file: "a.yaml", line: 4, column: 1 });
  });

  test("finds duplicates in several files", () => {
    const documents = ["one.yaml", "two.yaml"].flatMap((file) => {
      const parsed = parseDocuments(agent("a"), { file });
      return "documents" in parsed ? parsed.documents : [];
    });
    expect(formatProblems(duplicateProblems(documents))).toBe(
      "two.yaml:3:13 metadata.name Agent default/a is already defined at one.yaml:3",
    );
  });

  test("reports the errors of all documents, in the order of the lines", () => {
    const parsed = parseDocuments([agent("A"), agent("b"), "kind: Other\n"].join("---\n"));
    if (!("errors" in parsed)) throw new Error("taken as valid");
    expect(parsed.errors.map(({ line, path }) => [line, path])).toEqual([
      [3, "metadata.name"],
      [11, "kind"],
    ]);
  });

  test.each<[string, string, boolean]>([
    ["a field that is none", "  colour: red\n", true],
    ["a wrong value", "  replicas: 0\n", true],
    ["a field that is none, deep inside", "  budget: {maxUsd: '1', colour: red}\n", true],
    ["the pipeline misspelt", "  pipelin: mine\n", false],
    ["no pipeline that is one", "  pipeline: 7\n", false],
    ["inputs that are none", "  inputs: 7\n", false],
  ])("what else is wrong shows beside %s: %#", (_what, line, shows) => {
    const text = `apiVersion: agentic.dev/v1alpha1\nkind: AgentWorkload\nmetadata: {name: w}\nspec:\n${line}`;
    const parsed = parseDocuments(text);
    if (!("errors" in parsed)) throw new Error("taken as valid");
    expect(parsed.errors).toHaveLength(1);
    expect(parsed.rest.map(({ kind }) => kind)).toEqual(shows ? ["AgentWorkload"] : []);
  });

  test("refuses an alias bomb", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
      .split("")
      .map((l, i) => `${l}: &${l} [${Array(9).fill(`*${"abcdefgh"[i]}`).join(",")}]`)
      .join("\n")}`;
    expect(parseDocuments(bomb)).toHaveProperty("errors");
  });

  test("reads or refuses any text, and throws at none", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(Object.keys(parseDocuments(text))).toSatisfy(
          (keys) => keys.join() === "documents" || keys.join() === "errors,rest",
        );
      }),
    );
  });
});

describe("admission", () => {
  test("a private host is allowed when --resolve points it somewhere", () => {
    const inputs = { pages: ["http://api.default.svc.cluster.local/", { url: "http://10.0.0.7/" }] };
    expect(admissionProblems(inputs, new Set())).toHaveLength(2);
    expect(admissionProblems(inputs, new Set(["api.default.svc.cluster.local", "10.0.0.7"]))).toEqual([]);
  });

  test.each([
    ["a string that is no http URL", { words: ["10.0.0.7", "ftp://10.0.0.7/", "localhost"] }],
    ["another field of an object", { list: [{ address: "http://10.0.0.7/" }] }],
    ["a string outside of a list", { start: "http://10.0.0.7/" }],
    ["equal objects", { list: [{ url: "https://a.example/" }, { url: "https://a.example/" }] }],
    ["equal items of two lists", { one: ["https://a.example/"], two: ["https://a.example/"] }],
  ])("does not judge %s", (_what, inputs) => {
    expect(admissionProblems(inputs, new Set())).toEqual([]);
  });

  test("normalizing an item twice changes nothing more", () => {
    const item = fc.oneof(fc.webUrl({ withFragments: true, withQueryParameters: true }), fc.string());
    fc.assert(
      fc.property(item, (one) => {
        expect(normalizeItem(normalizeItem(one))).toBe(normalizeItem(one));
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

interface Rule {
  readonly rule: string;
  readonly message: string;
}

function crdOf(kind: string): StructuralSchema {
  const text = readFileSync(new URL(`../../crd/${kind.toLowerCase()}.yaml`, import.meta.url), "utf8");
  const crd = parse(text) as { spec: { versions: [{ schema: { openAPIV3Schema: StructuralSchema } }] } };
  return crd.spec.versions[0].schema.openAPIV3Schema;
}

test("the generated files are current", () => {
  execFileSync(process.execPath, [fileURLToPath(new URL("../../crd/generate.ts", import.meta.url)), "--check"]);
});

/** `agentic validate`, which reads the fixtures, knows no decisions. */
const INVALID_DECISIONS = [
  { decision: "changesRequested", comment: " " },
  { decision: "approved", comment: "fine", steps: ["read"] },
  { decision: "approved", corrections: [{ action: "correct" }] },
  { decision: "approved", corrections: [{ action: "strike", value: "x" }] },
  { decision: "approved", corrections: [{ action: "comment" }] },
].map((spec) => ({ kind: "AgentDecision", metadata: { name: "invalid" }, spec }));

describe.each(KINDS)("the CRD of $kind", ({ kind }) => {
  const root = crdOf(kind);

  function* fields(node: StructuralSchema, path: string): Generator<[string, StructuralSchema]> {
    yield [path, node];
    for (const [name, child] of Object.entries(node.properties ?? {})) yield* fields(child, `${path}.${name}`);
    if (node.items) yield* fields(node.items, `${path}[]`);
  }
  const all = [...fields(root, "")];

  test("is structural: every field has one type, or is int-or-string, and no unions remain", () => {
    expect(all.length).toBeGreaterThan(5);
    for (const [path, node] of all) {
      expect([path, Boolean(node.type) || node["x-kubernetes-int-or-string"] === true]).toEqual([path, true]);
      expect(Object.keys(node)).not.toContain("anyOf");
      expect(node.additionalProperties).not.toBe(false);
    }
  });

  test("describes every field but metadata, which the API server describes itself", () => {
    const own = all.filter(([path]) => path !== ".metadata" && !path.endsWith("[]"));
    expect(own.filter(([, node]) => !node.description).map(([path]) => path)).toEqual([]);
    expect(root.properties?.["metadata"]).toEqual({ type: "object" });
  });

  test("bounds every list of spec, so that rules stay cheap", () => {
    const lists = all.filter(([path, { type }]) => path.startsWith(".spec") && type === "array");
    expect(lists.filter(([, { maxItems }]) => maxItems === undefined).map(([path]) => path)).toEqual([]);
  });

  const valid = fixtures(`valid/${kind.toLowerCase()}`)
    .flatMap(([, text]) => parseAllDocuments(text).map((document) => document.toJS() as { kind: string }))
    .filter((object) => object.kind === kind);
  const rules = all.flatMap(([, node]) => (node["x-kubernetes-validations"] as Rule[] | undefined) ?? []);

  test("accepts the valid fixtures", () => {
    for (const object of valid) expect(violations(root, object)).toEqual([]);
  });

  test("has a fixture that breaks each rule", () => {
    const broken = fixtures("invalid")
      .flatMap(([, text]) => parseAllDocuments(text))
      .filter(({ errors }) => errors.length === 0)
      .map((document) => document.toJS() as { kind?: string; metadata?: { name?: string } } | null)
      .concat(INVALID_DECISIONS)
      .filter((object) => object?.kind === kind && object.metadata?.name !== undefined)
      .flatMap((object) => violations(root, object));
    expect(rules.map(({ message }) => message).filter((message) => !broken.includes(message))).toEqual([]);
  });
});

/** The messages of the CEL rules that a value breaks, as the API server evaluates them at each node. */
function violations(node: StructuralSchema, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const own = ((node["x-kubernetes-validations"] as Rule[] | undefined) ?? [])
    .filter(({ rule }) => evaluate(rule, { self: value }) !== true)
    .map(({ message }) => message);
  const children = Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
    violations(child, (value as Record<string, unknown>)[name]),
  );
  const { items } = node;
  return [
    ...own,
    ...children,
    ...(items && Array.isArray(value) ? value.flatMap((one) => violations(items, one)) : []),
  ];
}
