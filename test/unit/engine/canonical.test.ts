import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../../engine/canonical.ts";

describe("canonical JSON", () => {
  test("does not depend on the order of keys", () => {
    expect(canonicalJson({ b: [1, { d: 2, c: 3 }], a: "x" })).toBe('{"a":"x","b":[1,{"c":3,"d":2}]}');
  });

  test.each([
    ["in a value", { text: "cut \ud83d" }, '{"text":"cut \ufffd"}'],
    ["in a list", ["\ude00"], '["\ufffd"]'],
    ["whole pairs stay", { text: "\ud83d\ude00" }, '{"text":"\ud83d\ude00"}'],
  ])("half a surrogate pair becomes a character that UTF-8 can hold: %s", (_where, value, json) => {
    expect(canonicalJson(value)).toBe(json);
  });

  test.each([undefined, () => 1, Symbol("x")])("%s has no JSON form", (value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });
});
