import { expect, test } from "vitest";
import type { StructuralSchema } from "../../crd/structural.ts";
import { narrowed } from "../upgrade/narrowed.ts";

const spec = (properties: Record<string, StructuralSchema>, required: string[] = []): StructuralSchema => ({
  type: "object",
  properties,
  required,
});
const text = (over: object = {}): StructuralSchema => ({ type: "string", ...over });

test.each<[string, StructuralSchema, StructuralSchema, RegExp]>([
  ["a field is gone", spec({ a: text() }), spec({}), /a is gone/],
  ["another type", spec({ a: text() }), spec({ a: { type: "integer" } }), /type/],
  ["a field becomes required", spec({ a: text() }), spec({ a: text() }, ["a"]), /a is required/],
  ["a new field is required", spec({}), spec({ a: text() }, ["a"]), /a is required/],
  ["a value is gone", text({ enum: ["x", "y"] }), text({ enum: ["x"] }), /does not take y/],
  ["only some values are left", text(), text({ enum: ["x"] }), /does not take any value/],
  ["a lower bound comes", text(), text({ minLength: 1 }), /minLength is higher/],
  ["an upper bound falls", text({ maxLength: 9 }), text({ maxLength: 8 }), /maxLength is lower/],
  ["an upper bound comes", text(), text({ maxLength: 8 }), /maxLength is lower/],
  ["another pattern", text({ pattern: "a" }), text({ pattern: "b" }), /another pattern/],
  ["another default", text({ default: "a" }), text({ default: "b" }), /another default/],
  ["a new field has a default", spec({}), spec({ a: text({ default: "a" }) }), /a is new and has a default/],
  [
    "below items and maps",
    { type: "array", items: { type: "object", additionalProperties: spec({ a: text() }) } },
    { type: "array", items: { type: "object", additionalProperties: spec({}) } },
    /\[\]\.\*\.a is gone/,
  ],
])("%s: is found", (_name, before, now, why) => {
  expect(narrowed(before, now)).toEqual([expect.stringMatching(why)]);
});

test.each<[string, StructuralSchema, StructuralSchema]>([
  ["nothing changed", spec({ a: text() }, ["a"]), spec({ a: text() }, ["a"])],
  ["a new field", spec({}), spec({ a: text() })],
  [
    "wider bounds, more values",
    spec({ a: text({ maxLength: 8, enum: ["x"] }) }),
    spec({ a: text({ maxLength: 9, enum: ["x", "y"] }) }),
  ],
  ["a required field becomes optional", spec({ a: text() }, ["a"]), spec({ a: text() })],
])("%s: nothing to say", (_name, before, now) => {
  expect(narrowed(before, now)).toEqual([]);
});
