import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { convert, VERSIONS } from "../../crd/conversion.ts";
import { KINDS } from "../../crd/kinds.ts";
import type { StructuralSchema } from "../../crd/structural.ts";

const ROOT = join(import.meta.dirname, "../..");
type Fields = Record<string, unknown>;

/** The CRDs that serve all versions, as an administrator prints them. */
const CRDS = parseAllDocuments(
  execFileSync(process.execPath, [join(ROOT, "crd/generate.ts"), "--versions"], { encoding: "utf8" }),
)
  .map((document) => document.toJS())
  .filter(({ kind }) => kind === "CustomResourceDefinition");

function schemaOf(kind: string, version: string): StructuralSchema {
  const crd = CRDS.find(({ spec }) => spec.names.kind === kind);
  return crd.spec.versions.find(({ name }: { name: string }) => name === version).schema.openAPIV3Schema;
}

/** Objects that the API server might keep: each field may be there, of the type that the schema says. */
function arbitraryOf(schema: StructuralSchema): fc.Arbitrary<unknown> {
  if (schema.properties) return recordOf(schema.properties);
  if (schema.additionalProperties)
    return fc.dictionary(fc.string(), arbitraryOf(schema.additionalProperties), { maxKeys: 3 });
  if (schema.items) return fc.array(arbitraryOf(schema.items), { maxLength: 3 });
  if (schema["x-kubernetes-int-or-string"]) return fc.oneof(fc.integer(), fc.string());
  if (schema.type === "string") return fc.string();
  if (schema.type === "integer" || schema.type === "number") return fc.integer();
  if (schema.type === "boolean") return fc.boolean();
  // What is not described is kept as it is.
  return fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("replicas", "parallelism", "spec")), fc.jsonValue(), {
    maxKeys: 3,
  });
}

function recordOf(properties: Record<string, StructuralSchema>): fc.Arbitrary<Fields> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, arbitraryOf(child)]));
  return fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Fields>;
}

const objectOf = (kind: string, version: string): fc.Arbitrary<Fields> =>
  recordOf(schemaOf(kind, version).properties ?? {}).map((fields) => ({
    ...fields,
    apiVersion: `agentic.dev/${version}`,
    kind,
  }));

function converted(object: Fields, version: string): Fields {
  const answer = convert(object, `agentic.dev/${version}`);
  if ("problem" in answer) throw new Error(answer.problem);
  return answer.object as Fields;
}

/** Paths of fields that the schema does not have: the API server would take them out. */
function unknownIn(value: unknown, schema: StructuralSchema, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((one, at) => unknownIn(one, schema.items ?? {}, `${path}[${at}]`));
  if (typeof value !== "object" || value === null || !schema.properties) return [];
  return Object.entries(value).flatMap(([name, child]) => {
    const known = schema.properties?.[name];
    return known ? unknownIn(child, known, `${path}.${name}`) : [`${path}.${name}`];
  });
}

const KIND_NAMES = KINDS.map(({ kind }) => kind);
const [STORED, NEXT] = VERSIONS;

describe.each(KIND_NAMES)("%s", (kind) => {
  test.each([
    [STORED, NEXT],
    [NEXT, STORED],
  ])("from %s to %s and back: nothing is lost, and no field is one that the version does not have", (from, to) => {
    fc.assert(
      fc.property(objectOf(kind, from), (object) => {
        const there = converted(object, to);
        expect(unknownIn(there, schemaOf(kind, to))).toEqual([]);
        expect(there["apiVersion"]).toBe(`agentic.dev/${to}`);
        expect(converted(there, from)).toEqual(object);
      }),
    );
  });
});

test("every valid fixture: there and back", () => {
  const files = globSync("crd/fixtures/valid/**/*.yaml", { cwd: ROOT });
  const objects = files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(ROOT, file), "utf8")).map((document) => document.toJS() as Fields),
  );
  expect(objects.length).toBeGreaterThan(20);
  for (const object of objects) expect(converted(converted(object, NEXT), STORED)).toEqual(object);
});

test("v1beta1 names items in flight as a Job does, in workloads and in the template of a schedule", () => {
  const object = (kind: string, spec: object): Fields => ({ apiVersion: "agentic.dev/v1alpha1", kind, spec });
  expect(converted(object("AgentWorkload", { replicas: 4, inputs: { replicas: 1 } }), NEXT)).toEqual({
    apiVersion: "agentic.dev/v1beta1",
    kind: "AgentWorkload",
    spec: { parallelism: 4, inputs: { replicas: 1 } },
  });
  expect(converted(object("AgentSchedule", { workloadTemplate: { spec: { replicas: 4 } } }), NEXT)).toMatchObject({
    spec: { workloadTemplate: { spec: { parallelism: 4 } } },
  });
});

test.each([
  ["agentic.dev/v1alpha1", "agentic.dev/v2"],
  ["agentic.dev/v2", "agentic.dev/v1alpha1"],
  ["other.dev/v1alpha1", "agentic.dev/v1beta1"],
])("%s to %s is refused, and says which versions there are", (from, to) => {
  const answer = convert({ apiVersion: from, kind: "AgentWorkload" }, to);
  expect(answer).toEqual({
    problem: `cannot convert ${from} to ${to}: expected agentic.dev/v1alpha1 or agentic.dev/v1beta1`,
  });
});
