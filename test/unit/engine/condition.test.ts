import { describe, expect, test } from "vitest";
import { ConditionError, parseCondition } from "../../../engine/condition.ts";

const VALUES = {
  inputs: { whole: 3, half: 2.5, deep: true, name: "x", words: ["a", "b"], nothing: null },
  steps: {
    check: { outcome: "succeeded", data: { ok: true, score: 5, tags: [{ kind: "a" }] }, total: 1n, failed: 0n },
    "two-words": { data: { ok: false }, total: 4n, failed: 1n },
  },
  item: { url: "https://a.example/", depth: 2 },
};

describe("a condition", () => {
  test.each([
    ["inputs.whole > 2", true],
    ["inputs.whole == 3", true],
    ["inputs.whole >= 3.0", true],
    ["inputs.half > 2", true],
    ["inputs.half > 2.4", true],
    ["inputs.whole + 1.0 == 4.0", true],
    ["inputs['deep']", true],
    ["inputs.nothing == null", true],
    ["has(inputs.missing)", false],
    ["has(inputs.missing) && inputs.missing", false],
    ["size(inputs.words) == 2 && 'a' in inputs.words", true],
    ["inputs.words.exists(word, word == 'b')", true],
    ["steps.check.data.ok", true],
    ["steps.check.data.tags.all(tag, tag.kind == 'a')", true],
    ["steps.check.outcome == 'succeeded'", true],
    ['steps["two-words"].data.ok', false],
    ['steps["two-words"].failed * 4 == steps["two-words"].total', true],
    ["item.url.startsWith('https://') && item.depth < 3", true],
    ["inputs.deep ? true : steps.check.data.missing", true],
    ["inputs.deep || steps.check.data.missing", true],
  ])("%s is %s", (when, expected) => {
    expect(parseCondition(when).holds(VALUES)).toBe(expected);
  });

  test.each([
    ["inputs.", "Expected IDENTIFIER"],
    ["inputs.deep = true", "Unexpected character: ="],
    ["1 + 1", "evaluates to int, expected bool"],
    ["'yes'", "evaluates to string, expected bool"],
    ["unknown.deep", "Unknown variable: unknown"],
    ["steps.two-words.data.ok", "Unknown variable: words"],
    ["size(steps) == 2", "uses steps without a name"],
    ["steps[inputs.name].total > 0", "uses steps without a name"],
    ["steps.exists(name, true)", "uses steps without a name"],
  ])("%s is refused: %s", (when, message) => {
    expect(() => parseCondition(when)).toThrow(ConditionError);
    expect(() => parseCondition(when)).toThrow(message);
  });

  test.each([
    ["inputs.missing", "No such key: missing"],
    ["steps.check.data.missing > 1", "No such key: missing"],
    ["inputs.whole", "evaluates to number, expected bool"],
    ["inputs.name", "evaluates to string, expected bool"],
    ["inputs.whole + 1 == 4", "no such overload"],
    ["inputs.words[9] == 'a'", "index out of bounds"],
    ["1 / 0 == 1", "division by zero"],
    ["'a'.matches('(')", "Invalid regular expression"],
  ])("%s cannot be evaluated: %s", (when, message) => {
    const condition = parseCondition(when);
    expect(() => condition.holds(VALUES)).toThrow(ConditionError);
    expect(() => condition.holds(VALUES)).toThrow(message);
  });

  test("names the steps and inputs that it reads, each once", () => {
    const when = `steps.check.data.ok && (steps["two-words"].total > 1 || has(steps.check.data)) && inputs.deep && inputs["half"] > 1`;
    expect(parseCondition(when).steps).toEqual(["check", "two-words"]);
    expect(parseCondition(when).inputs).toEqual(["deep", "half"]);
    expect(parseCondition("size(inputs) > 1 && inputs.words.all(w, w != steps.check.output)").steps).toEqual(["check"]);
  });
});
