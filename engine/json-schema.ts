import type { Ajv2020, ValidateFunction } from "ajv/dist/2020.js";
import { LRUCache } from "lru-cache";

export interface SchemaProblem {
  /** Keys and indexes from the value's root. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Schema = Readonly<Record<string, unknown>>;

let loading: Promise<Ajv2020> | undefined;

/** Loaded with the first schema, so that no process waits for it at its start. */
function load(): Promise<Ajv2020> {
  loading ??= import("ajv/dist/2020.js").then(
    // An unknown format is an annotation, as JSON Schema has it; strict mode would refuse schemas that other tools accept.
    // By its default export: a bundle gives a CommonJS module no other.
    ({ default: { Ajv2020 } }) =>
      new Ajv2020({
        allErrors: true,
        strict: false,
        validateFormats: true,
        formats: FORMATS,
        addUsedSchema: false,
        // ajv would write to the console about each unknown format.
        logger: false,
      }),
  );
  return loading;
}

/** Compiled schemas by their JSON: each reconciliation parses its objects again, and compiling takes milliseconds. */
const compiled = new LRUCache<string, ValidateFunction>({ max: 200 });

/** @throws Error if it is not a valid schema */
async function compile(schema: Schema): Promise<ValidateFunction> {
  // Its validator would answer with a promise, which is true whatever the value.
  if (schema["$async"] !== undefined) throw new Error("$async is not part of JSON Schema");
  const text = JSON.stringify(schema);
  const known = compiled.get(text);
  if (known) return known;
  const ajv = await load();
  const validate = ajv.compile(schema);
  // ajv would keep it for the life of the process.
  ajv.removeSchema(schema);
  compiled.set(text, validate);
  return validate;
}

const FORMATS = {
  uri: (text: string): boolean => URL.canParse(text),
  "date-time": (text: string): boolean => !Number.isNaN(Date.parse(text)) && text.includes("T"),
  email: /^[^@\s]+@[^@\s]+\.[^@\s]+$/,
};

/** Why a schema is invalid, or allows no value; undefined for a usable schema. */
export async function schemaProblem(schema: Schema): Promise<string | undefined> {
  try {
    await compile(schema);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return unsatisfiable(schema);
}

/** How a value violates a schema; empty if it is valid. @throws Error for a schema that schemaProblem refuses */
export async function validateBySchema(schema: Schema, value: unknown): Promise<SchemaProblem[]> {
  const validate = await compile(schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, keyword, params, message = "does not match the schema" }) => {
    const path = instancePath.split("/").slice(1).map(pathPart);
    if (keyword === "required") return { path: [...path, String(params["missingProperty"])], message: "is missing" };
    if (keyword === "additionalProperties")
      return { path: [...path, String(params["additionalProperty"])], message: "is not in the schema" };
    if (keyword === "enum") return { path, message: `must be one of ${JSON.stringify(params["allowedValues"])}` };
    return { path, message };
  });
}

function pathPart(part: string): string | number {
  const text = part.replaceAll("~1", "/").replaceAll("~0", "~");
  return /^\d+$/.test(text) ? Number(text) : text;
}

const BOUNDS = [
  ["minLength", "maxLength"],
  ["minItems", "maxItems"],
  ["minProperties", "maxProperties"],
  ["minimum", "maximum"],
] as const;

/** Contradictions that show without solving the schema. */
function unsatisfiable(schema: unknown, at = ""): string | undefined {
  const where = at === "" ? "the schema" : at;
  if (schema === false) return `${where} allows no value`;
  if (typeof schema !== "object" || schema === null) return undefined;
  const of = schema as Record<string, unknown>;
  const not = of["not"];
  if (not === true || (typeof not === "object" && not !== null && Object.keys(not).length === 0))
    return `${where} allows no value`;
  const constants = Array.isArray(of["enum"]) ? of["enum"] : "const" in of ? [of["const"]] : undefined;
  if (constants && typeof of["type"] === "string" && !constants.some((one) => isOfType(one, of["type"] as string)))
    return `${where} allows no value: none of ${JSON.stringify(constants)} is of type ${of["type"]}`;
  for (const [low, high] of BOUNDS)
    if (typeof of[low] === "number" && typeof of[high] === "number" && of[low] > of[high])
      return `${where} allows no value: ${low} ${of[low]} is above ${high} ${of[high]}`;
  const required = Array.isArray(of["required"]) ? (of["required"] as string[]) : [];
  const properties = (of["properties"] ?? {}) as Record<string, unknown>;
  for (const name of required) {
    if (!(name in properties) && of["additionalProperties"] === false)
      return `${where} requires ${name}, which it does not allow`;
    const problem = unsatisfiable(properties[name], at === "" ? name : `${at}.${name}`);
    if (problem) return problem;
  }
  return Number(of["minItems"]) >= 1 ? unsatisfiable(of["items"], `${at}[]`) : undefined;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}
