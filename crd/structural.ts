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

/** Words of JSON Schema that a structural schema has too. */
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

/** What JSON Schema cannot say, by path below the resource: added to what was derived. */
export type Extensions = Readonly<Record<string, Record<string, unknown>>>;

/** JSON Schema, as zod writes it, to a structural schema: no closed objects (the API server prunes), no unions but int-or-string. */
export function toStructural(schema: JsonSchema, extensions: Extensions, path = ""): StructuralSchema {
  const out: StructuralSchema = {};
  for (const key of KEPT) if (schema[key] !== undefined) out[key] = schema[key];
  // zod bounds each integer by what JavaScript holds exactly.
  if (Math.abs(Number(out["minimum"])) >= Number.MAX_SAFE_INTEGER) delete out["minimum"];
  if (Math.abs(Number(out["maximum"])) >= Number.MAX_SAFE_INTEGER) delete out["maximum"];
  // The format says it; zod's pattern for it is longer than the API server likes.
  if (out["format"] === "date-time") delete out["pattern"];
  if (schema["anyOf"]) {
    delete out.type;
    out["x-kubernetes-int-or-string"] = true;
  }
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
  } else if (typeof schema["additionalProperties"] === "object") {
    out.additionalProperties = toStructural(schema["additionalProperties"] as JsonSchema, extensions, `${path}.*`);
  }
  if (schema["items"]) out.items = toStructural(schema["items"] as JsonSchema, extensions, `${path}[]`);
  return { ...out, ...extensions[path] };
}
