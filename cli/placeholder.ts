import { inputFields, type Schema, schemaOf } from "./input-schema.ts";

/** A value that a JSON Schema allows, for somebody to replace: its default or example where it has one. `nth`: of a list, from 0. */
export function placeholderOf(schema: Schema, nth = 0): unknown {
  const examples = Array.isArray(schema["examples"]) ? schema["examples"] : [];
  if (schema["const"] !== undefined) return schema["const"];
  if (nth === 0 && schema["default"] !== undefined) return schema["default"];
  if (nth < examples.length) return examples[nth];
  if (Array.isArray(schema["enum"]) && schema["enum"].length > 0) return schema["enum"][nth % schema["enum"].length];
  const type = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  switch (type) {
    case "array":
      return listOf(schema);
    case "object": {
      const required = inputFields(schema).filter((field) => field.required);
      return Object.fromEntries(required.map(({ name, schema: property }) => [name, placeholderOf(property, nth)]));
    }
    case "integer":
    case "number":
      return numberOf(schema["minimum"]) ?? 1;
    case "boolean":
      return false;
    case "null":
      return null;
    default:
      return stringOf(schema, nth);
  }
}

function listOf(schema: Schema): unknown[] {
  const length = Math.max(1, numberOf(schema["minItems"]) ?? 1);
  return Array.from({ length }, (_, nth) => placeholderOf(schemaOf(schema["items"]), nth));
}

const FORMATS: Readonly<Record<string, (nth: string) => string>> = {
  uri: (nth) => `https://www.example${nth}.com/`,
  email: (nth) => `somebody${nth}@example.com`,
  "date-time": () => "2030-01-01T00:00:00Z",
};

function stringOf(schema: Schema, nth: number): string {
  // Entries of a list may have to differ.
  const suffix = nth === 0 ? "" : String(nth + 1);
  const format = typeof schema["format"] === "string" ? FORMATS[schema["format"]] : undefined;
  const text = format?.(suffix) ?? `TODO${suffix}`;
  return text.padEnd(numberOf(schema["minLength"]) ?? 0, ".").slice(0, numberOf(schema["maxLength"]));
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
