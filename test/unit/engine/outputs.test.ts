import { expect, test } from "vitest";
import { type Outcomes, SKIPPED, type StepOutcome } from "../../../engine/outcomes.ts";
import { outputsOf } from "../../../engine/outputs.ts";
import { failedResult, NO_USAGE } from "../../../engine/result.ts";
import type { Run } from "../../../engine/run.ts";

const done = (artifacts: Record<string, string>): StepOutcome => ({ outcome: "succeeded", artifacts, usage: NO_USAGE });
const outputs = (all: readonly (StepOutcome | undefined)[], forEach?: string) => {
  const steps = [
    { name: "read", agent: "a", after: [], with: [] },
    { name: "write", agent: "a", after: ["read"], with: [], ...(forEach ? { forEach } : {}) },
  ];
  const outcomes: Outcomes = new Map([
    ["read", [done({ html: "r" })]],
    ["write", all],
  ]);
  return outputsOf({ pipeline: { output: "write", steps } } as unknown as Run, outcomes);
};

test("a run's outputs are the output step's artifacts, without what is for reviewers and for the next run", () => {
  expect(outputs([done({ html: "h", summary: "s", ".asked": "a", ".Odd": "o" })])).toEqual([
    { name: "html", role: "html", key: "h" },
    { name: ".Odd", role: ".Odd", key: "o" },
  ]);
});

test("those of a fan-out have the item's number, also where others left nothing", () => {
  const failed = { ...failedResult("Blocked", "no"), artifacts: { html: "never" } };
  expect(outputs([done({ html: "a" }), undefined, SKIPPED, failed, done({ html: "b" })], "inputs.sites")).toEqual([
    { name: "0-html", role: "html", key: "a", index: 0 },
    { name: "4-html", role: "html", key: "b", index: 4 },
  ]);
});
