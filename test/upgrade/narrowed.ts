import type { StructuralSchema } from "../../crd/structural.ts";

/**
 * Where a schema takes less than the one before: the API server would take fields out of objects that it keeps, or refuse them at their next
 * change. Each as a sentence; none: whatever was valid still is.
 */
export function narrowed(before: StructuralSchema, now: StructuralSchema | undefined, path = "object"): string[] {
  if (!now) return [`${path} is gone`];
  if (now["x-kubernetes-preserve-unknown-fields"]) return [];
  return [
    ...(before.type === now.type ? [] : [`${path} was of type ${before.type}, and is of type ${now.type}`]),
    ...(now.required ?? [])
      .filter((name) => !before.required?.includes(name))
      .map((name) => `${path}.${name} is required`),
    ...lost(before, now, "enum").map((value) => `${path} does not take ${value}`),
    ...LOWER.filter((key) => bound(now, key) > bound(before, key)).map((key) => `${path}: ${key} is higher`),
    ...UPPER.filter((key) => -bound(now, key) > -bound(before, key)).map((key) => `${path}: ${key} is lower`),
    ...(before["pattern"] === now["pattern"] || now["pattern"] === undefined ? [] : [`${path}: another pattern`]),
    ...("default" in now && JSON.stringify(before.default) !== JSON.stringify(now.default)
      ? [`${path}: another default, so that a spec that leaves it out is another one`]
      : []),
    ...Object.entries(before.properties ?? {}).flatMap(([name, child]) =>
      narrowed(child, now.properties?.[name], `${path}.${name}`),
    ),
    ...Object.entries(now.properties ?? {})
      .filter(([name, child]) => before.properties && !(name in before.properties) && "default" in child)
      .map(([name]) => `${path}.${name} is new and has a default: every spec that is kept becomes another one`),
    ...(before.items ? narrowed(before.items, now.items, `${path}[]`) : []),
    ...(before.additionalProperties
      ? narrowed(before.additionalProperties, now.additionalProperties, `${path}.*`)
      : []),
  ];
}

const LOWER = ["minimum", "minLength", "minItems"] as const;
const UPPER = ["maximum", "maxLength", "maxItems"] as const;

function bound(schema: StructuralSchema, key: (typeof LOWER | typeof UPPER)[number]): number {
  const none = (LOWER as readonly string[]).includes(key) ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return (schema[key] as number | undefined) ?? none;
}

function lost(before: StructuralSchema, now: StructuralSchema, key: "enum"): unknown[] {
  const [old, today] = [before[key], now[key]] as (unknown[] | undefined)[];
  if (!today) return [];
  return (old ?? ["any value"]).filter((value) => !today.includes(value));
}
