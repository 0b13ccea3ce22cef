import { describe, expect, test } from "vitest";
import {
  failedResult,
  MAX_DATA_LENGTH,
  MAX_ITEM_LENGTH,
  MAX_ITEMS,
  NO_USAGE,
  stepResultSchema,
} from "../../../engine/result.ts";

const RESULT = { outcome: "succeeded", artifacts: {}, usage: NO_USAGE };
/** A string whose JSON has this many characters. */
const json = (length: number): string => "x".repeat(length - 2);

describe("a step's result", () => {
  test.each<[string, object]>([
    ["data", { data: json(MAX_DATA_LENGTH) }],
    ["a list", { items: Array(MAX_ITEMS).fill("x") }],
    ["an item", { items: [json(MAX_ITEM_LENGTH)] }],
    ["a message", { message: "x".repeat(1024) }],
    ["a line", { output: "x".repeat(256) }],
    ["a reason", { reason: "x".repeat(64) }],
  ])("may have %s up to its limit", (_what, over) => {
    expect(stepResultSchema.safeParse({ ...RESULT, ...over }).success).toBe(true);
  });

  test.each<[string, object]>([
    ["data over the limit", { data: json(MAX_DATA_LENGTH + 1) }],
    ["too long a list", { items: Array(MAX_ITEMS + 1).fill("x") }],
    ["an item over the limit", { items: [json(MAX_ITEM_LENGTH + 1)] }],
    ["too long a message", { message: "x".repeat(1025) }],
    ["too long a line", { output: "x".repeat(257) }],
    ["too long a reason", { reason: "x".repeat(65) }],
    ["a negative cost", { usage: { ...NO_USAGE, costUsd: -1 } }],
    ["negative tokens", { usage: { ...NO_USAGE, inputTokens: -1 } }],
    ["a field that nobody knows", { note: "x" }],
    ["an end that is none", { outcome: "skipped" }],
  ])("with %s is none", (_what, over) => {
    expect(stepResultSchema.safeParse({ ...RESULT, ...over }).success).toBe(false);
  });

  test("that says a failure fits, however long its message", () => {
    expect(stepResultSchema.safeParse(failedResult("Broken", "x".repeat(5000))).success).toBe(true);
  });
});
