import type { StructuralSchema } from "./structural.ts";

/*
 * Versions of the API. v1alpha1 is what etcd stores and all of our code reads: who asks for it needs no conversion (ADR 56). Conversion loses
 * nothing: a field of one version has its place in the other.
 */
const GROUP = "agentic.dev";
/** The first is the one that is stored. */
export const VERSIONS = ["v1alpha1", "v1beta1"] as const;
export type Version = (typeof VERSIONS)[number];

/** A field's name in each version. Items in flight are called as those of a Job: replicas are of something that goes on for ever. */
const NAMES: Readonly<Record<Version, string>> = { v1alpha1: "replicas", v1beta1: "parallelism" };
/** Where it stands, by kind. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  AgentWorkload: ["spec"],
  AgentSchedule: ["spec", "workloadTemplate", "spec"],
};

type Fields = Readonly<Record<string, unknown>>;

/** Whether its versions differ in more than their name, which the API server changes by itself. */
export const isConverted = (kind: string): boolean => PLACES[kind] !== undefined;

/** The same object in another version. @returns what is wrong with one that is none of ours */
export function convert(
  object: Fields,
  apiVersion: string,
): { readonly object: Fields } | { readonly problem: string } {
  const [from, to] = [versionOf(object["apiVersion"]), versionOf(apiVersion)];
  if (!from || !to)
    return {
      problem: `cannot convert ${String(object["apiVersion"])} to ${apiVersion}: expected ${VERSIONS.map((version) => `${GROUP}/${version}`).join(" or ")}`,
    };
  const place = PLACES[String(object["kind"])];
  const renamed = place ? changeAt(object, place, (fields) => renameKey(fields, NAMES[from], NAMES[to])) : object;
  return { object: { ...renamed, apiVersion } };
}

/** The schema of a kind in another version, made of the one that is stored. */
export function schemaIn(version: Version, kind: string, schema: StructuralSchema): StructuralSchema {
  const place = PLACES[kind];
  if (!place) return schema;
  const path = place.flatMap((name) => ["properties", name]);
  return changeAt(schema, [...path, "properties"], (fields) =>
    renameKey(fields, NAMES[VERSIONS[0]], NAMES[version]),
  ) as StructuralSchema;
}

function versionOf(apiVersion: unknown): Version | undefined {
  return VERSIONS.find((version) => apiVersion === `${GROUP}/${version}`);
}

/** What is not there is left so: the API server sends parts of objects, too. */
function changeAt(fields: Fields, [name, ...rest]: readonly string[], change: (fields: Fields) => Fields): Fields {
  if (name === undefined) return change(fields);
  const below = fields[name];
  return typeof below === "object" && below !== null
    ? { ...fields, [name]: changeAt(below as Fields, rest, change) }
    : fields;
}

/** In its place: the order of fields is the order in which they are documented. */
function renameKey(fields: Fields, from: string, to: string): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name === from ? to : name, value]));
}
