/** One input of a pipeline, read from its JSON Schema for people. */
export interface InputField {
  readonly name: string;
  readonly required: boolean;
  readonly schema: Schema;
  /** E.g. `list of URLs, 1 to 500`. */
  readonly type: string;
  readonly description: string | undefined;
}

export type Schema = Readonly<Record<string, unknown>>;

/** The inputs of an object's schema: the required ones first, otherwise as they were written. */
export function inputFields(schema: Schema): InputField[] {
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  const fields = Object.entries(schemaOf(schema["properties"])).map(([name, value]): InputField => {
    const property = schemaOf(value);
    return {
      name,
      required: required.has(name),
      schema: property,
      type: typeText(property),
      description: textOf(property["description"]),
    };
  });
  return fields.toSorted((a, b) => Number(b.required) - Number(a.required));
}

/** Anything as a schema: `true`, and what is none, allows everything. */
export function schemaOf(value: unknown): Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Schema) : {};
}

function typeText(schema: Schema): string {
  if (Array.isArray(schema["enum"])) return `one of ${schema["enum"].map((value) => JSON.stringify(value)).join(", ")}`;
  if (schema["const"] !== undefined) return JSON.stringify(schema["const"]);
  const type = Array.isArray(schema["type"]) ? schema["type"].join(" or ") : textOf(schema["type"]);
  switch (type) {
    case "string":
      return schema["format"] === "uri"
        ? "URL"
        : [textOf(schema["format"]) ?? "text", sizes(schema, "Length")].join("");
    case "integer":
    case "number":
      return `${type === "integer" ? "whole number" : "number"}${range(schema["minimum"], schema["maximum"])}`;
    case "boolean":
      return "true or false";
    case "array":
      return `list of ${plural(typeText(schemaOf(schema["items"])))}${sizes(schema, "Items")}`;
    default:
      return type ?? "any value";
  }
}

function plural(type: string): string {
  if (type === "URL" || type === "object") return `${type}s`;
  return type === "text" ? "texts" : type;
}

function sizes(schema: Schema, what: "Length" | "Items"): string {
  const unit = what === "Length" ? " characters" : "";
  const text = range(schema[`min${what}`], schema[`max${what}`]);
  return text && `${text}${unit}`;
}

function range(low: unknown, high: unknown): string {
  if (typeof low === "number" && typeof high === "number")
    return low === high ? `, exactly ${low}` : `, ${low} to ${high}`;
  if (typeof low === "number") return `, at least ${low}`;
  return typeof high === "number" ? `, at most ${high}` : "";
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
