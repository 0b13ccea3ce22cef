/** A node of a Kubernetes structural schema (OpenAPI v3 subset). */
export interface StructuralSchema {
  type?: string;
  description?: string;
  properties?: Record<string, StructuralSchema>;
  required?: string[];
  items?: StructuralSchema;
  additionalProperties?: StructuralSchema;
  default?: unknown;
  [key: string]: unknown;
}

type JsonSchema = Record<string, unknown>;

/** Keywords of JSON Schema that a structural schema shares. */
const KEPT = [
  "type",
  "description",
  "pattern",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "minItems",
  "maxItems",
  "enum",
  "default",
  "format",
];

/** Keywords to add, by path below the resource: what JSON Schema cannot express. */
export type Extensions = Readonly<Record<string, Record<string, unknown>>>;

/**
 * Converts JSON Schema, as zod writes it, to a structural schema: no closed objects, since the API server prunes unknown fields;
 * no unions but int-or-string; a record of anything keeps unknown fields.
 */
export function toStructural(schema: JsonSchema, extensions: Extensions, path = ""): StructuralSchema {
  const out: StructuralSchema = {};
  for (const key of KEPT) if (schema[key] !== undefined) out[key] = schema[key];
  // zod bounds each integer by what JavaScript represents exactly.
  if (Math.abs(Number(out["minimum"])) >= Number.MAX_SAFE_INTEGER) delete out["minimum"];
  if (Math.abs(Number(out["maximum"])) >= Number.MAX_SAFE_INTEGER) delete out["maximum"];
  // The API server has no format uri. Of date-time, zod's own pattern is longer than the API server likes.
  if (out["format"] === "uri") delete out["format"];
  if (out["format"] === "date-time") delete out["pattern"];
  if (schema["anyOf"]) {
    delete out.type;
    out["x-kubernetes-int-or-string"] = true;
  }
  const values = schema["additionalProperties"];
  if (schema["properties"]) {
    out.type = "object";
    out.properties = Object.fromEntries(
      Object.entries(schema["properties"] as Record<string, JsonSchema>).map(([name, child]) => [
        name,
        toStructural(child, extensions, path ? `${path}.${name}` : name),
      ]),
    );
    const required = ((schema["required"] as string[] | undefined) ?? []).filter(
      (name) => out.properties?.[name]?.default === undefined,
    );
    if (required.length > 0) out.required = required;
  } else if (typeof values === "object" && values !== null) {
    if (Object.keys(values).length === 0) out["x-kubernetes-preserve-unknown-fields"] = true;
    else out.additionalProperties = toStructural(values as JsonSchema, extensions, `${path}.*`);
  }
  if (schema["items"]) out.items = toStructural(schema["items"] as JsonSchema, extensions, `${path}[]`);
  return { ...out, ...extensions[path] };
}
