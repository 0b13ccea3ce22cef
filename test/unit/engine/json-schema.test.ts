import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test, vi } from "vitest";
import { schemaProblem, validateBySchema } from "../../../engine/json-schema.ts";

describe("a schema", () => {
  test.each<[string, Record<string, unknown>]>([
    ["is empty", {}],
    ["names its dialect", { $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" }],
    ["refers to itself", { $defs: { n: { properties: { n: { $ref: "#/$defs/n" } } } }, $ref: "#/$defs/n" }],
    ["has an id that another one has", { $id: "same", type: "string" }],
    ["has the same id", { $id: "same", type: "number" }],
    ["contradicts itself where no value is required", { properties: { a: { minimum: 1, maximum: 0 } } }],
  ])("that %s is usable", async (_what, schema) => {
    expect(await schemaProblem(schema)).toBeUndefined();
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["an unknown type", { type: "thing" }, "schema is invalid"],
    ["an older dialect", { $schema: "http://json-schema.org/draft-07/schema#" }, "no schema with key or ref"],
    ["a remote reference", { $ref: "https://a.example/schema" }, "can't resolve reference"],
    ["a broken pattern", { pattern: "(" }, "Invalid regular expression"],
    ["$async, whose validator would accept everything", { $async: true }, "$async is not part of JSON Schema"],
    ["no length", { minLength: 2, maxLength: 1 }, "the schema allows no value: minLength 2 is above maxLength 1"],
    ["not anything", { not: {} }, "the schema allows no value"],
    ["constants of another type", { type: "string", enum: [1, 2] }, "none of [1,2] is of type string"],
    ["a constant of another type", { type: "array", const: {} }, "none of [{}] is of type array"],
    [
      "a required property that it forbids",
      { required: ["a"], additionalProperties: false },
      "requires a, which it does not allow",
    ],
    ["a required property without a value", { required: ["a"], properties: { a: false } }, "a allows no value"],
    [
      "a required property deep inside",
      { required: ["a"], properties: { a: { required: ["b"], properties: { b: { minItems: 2, maxItems: 1 } } } } },
      "a.b allows no value: minItems 2 is above maxItems 1",
    ],
    [
      "required items without a value",
      { required: ["a"], properties: { a: { type: "array", minItems: 1, items: { minimum: 1, maximum: 0 } } } },
      "a[] allows no value",
    ],
  ])("with %s is refused", async (_what, schema, message) => {
    expect(await schemaProblem(schema)).toContain(message);
  });
});

describe("validation", () => {
  test("reports all problems, each with its place", async () => {
    const schema = {
      type: "object",
      required: ["name"],
      additionalProperties: false,
      properties: {
        name: {},
        list: { type: "array", items: { type: "string", format: "uri" } },
        kind: { enum: ["a", "b"] },
        "a/b": { type: "number" },
      },
    };
    const value = { list: ["no url", 3, "https://a.example/"], kind: "c", "a/b": "", more: 1 };
    expect(
      (await validateBySchema(schema, value)).toSorted((a, b) => (a.path.join() < b.path.join() ? -1 : 1)),
    ).toEqual([
      { path: ["a/b"], message: "must be number" },
      { path: ["kind"], message: 'must be one of ["a","b"]' },
      { path: ["list", 0], message: 'must match format "uri"' },
      { path: ["list", 1], message: "must be string" },
      { path: ["more"], message: "is not in the schema" },
      { path: ["name"], message: "is missing" },
    ]);
    expect(await validateBySchema(schema, { name: 1, kind: "a" })).toEqual([]);
  });

  test.each([
    ["date-time", "2026-01-01T00:00:00Z", "yesterday"],
    ["email", "ann@a.example", "ann"],
    ["uri", "https://a.example/", "a.example"],
  ])("knows format %s", async (format, good, wrong) => {
    expect(await validateBySchema({ format }, good)).toEqual([]);
    expect(await validateBySchema({ format }, wrong)).toHaveLength(1);
  });

  test("ignores an unknown format, without a word on the console", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    expect(await validateBySchema({ type: "string", format: "colour" }, "x")).toEqual([]);
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  test("compiles equal schemas once, until 200 others were used", async () => {
    const compile = vi.spyOn(Ajv2020.prototype, "compile");
    const remove = vi.spyOn(Ajv2020.prototype, "removeSchema");
    const schema = { properties: { a: { maxLength: 3 } } };
    const validate = (): Promise<unknown> => validateBySchema(structuredClone(schema), { a: "x" });
    await validate();
    await validate();
    expect(compile).toHaveBeenCalledTimes(1);
    for (let index = 0; index < 200; index++) await validateBySchema({ minLength: index }, "x");
    await validate();
    expect(compile).toHaveBeenCalledTimes(202);
    // ajv keeps none of them.
    expect(remove).toHaveBeenCalledTimes(202);
    vi.restoreAllMocks();
  });
});
