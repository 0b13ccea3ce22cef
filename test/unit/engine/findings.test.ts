import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../../engine/canonical.ts";
import { type FinalDecision, type Finding, findingsOf, findingsSchema, gateOutcome } from "../../../engine/findings.ts";
import type { OutcomeTable } from "../../../engine/outcomes.ts";
import type { Run } from "../../../engine/run.ts";
import { REJECTED } from "../../../engine/walk.ts";
import { bad, type Ended, ok, outcomesOf, runWith, type StepYaml } from "./build.ts";

const L = { forEach: "inputs.pages" };
const PAGES = { inputs: { pages: ["p0", "p1"], question: "why?", depth: 2, deep: true, options: { a: 1 } } };
const STEPS: StepYaml[] = [
  { name: "fetch", ...L },
  { name: "check", ...L, after: ["fetch"] },
  { name: "sum", after: ["check"] },
  { name: "g", after: ["check", "sum"], gate: {} },
  { name: "shown", after: ["sum"], gate: { show: ["fetch"] } },
];

function resultsOf(run: Run, gate: string, ended: Ended | OutcomeTable): readonly Finding[] {
  const step = run.pipeline.steps.find(({ name }) => name === gate);
  if (!step) throw new Error(`no gate ${gate}`);
  return findingsOf(run, step, ended instanceof Map ? ended : outcomesOf(ended as Ended)).results;
}

const key = (page: string): object => ({ artifacts: { summary: page } });
const ENDED: Ended = {
  fetch: [ok(key("f0")), bad("Blocked", "no access")],
  check: [ok({ ...key("c0"), output: "fine", data: { score: 1 } }), null],
  sum: ok(key("s")),
};

describe("findings", () => {
  const run = runWith(STEPS, PAGES);

  test("show the steps in `after` by default, items in the list's order", () => {
    expect(resultsOf(run, "g", ENDED)).toEqual([
      {
        step: "check",
        item: "p0",
        outcome: "succeeded",
        output: "fine",
        data: { score: 1 },
        artifacts: { summary: "c0" },
      },
      { step: "fetch", item: "p1", outcome: "failed", reason: "Blocked", message: "no access", artifacts: {} },
      { step: "sum", outcome: "succeeded", artifacts: { summary: "s" } },
    ]);
  });

  test("show the steps in `show` instead", () => {
    expect(resultsOf(run, "shown", ENDED).map(({ step, item }) => [step, item])).toEqual([
      ["fetch", "p0"],
      ["fetch", "p1"],
    ]);
  });

  test("leave out gates that they come after", () => {
    const gates = runWith([
      { name: "a" },
      { name: "g", gate: {}, after: ["a"] },
      { name: "h", gate: {}, after: ["a", "g"] },
    ]);
    expect(resultsOf(gates, "h", { a: ok(), g: ok() }).map(({ step }) => step)).toEqual(["a"]);
  });

  test("say why an item never got to the shown step, however far back it failed", () => {
    const chain = runWith(
      [
        { name: "a", ...L },
        { name: "b", ...L, after: ["a"] },
        { name: "c", ...L, after: ["b"] },
        { name: "g", gate: {}, after: ["c"] },
      ],
      PAGES,
    );
    expect(resultsOf(chain, "g", { a: [bad("First"), ok()], b: [null, bad("Second")] })).toMatchObject([
      { step: "a", item: "p0", reason: "First" },
      { step: "b", item: "p1", reason: "Second" },
    ]);
  });

  test("name one failure of an item that failed in two branches", () => {
    const diamond = runWith(
      [
        { name: "a", ...L },
        { name: "b", ...L },
        { name: "c", ...L, after: ["a", "b"] },
        { name: "g", gate: {}, after: ["c"] },
      ],
      { inputs: { pages: ["p0"] } },
    );
    expect(resultsOf(diamond, "g", { a: [bad("A")], b: [bad("B")] }).map(({ reason }) => reason)).toEqual(["A"]);
  });

  test("are the same bytes in whatever order steps ended, and whatever they cost", () => {
    const gate = run.pipeline.steps.find(({ name }) => name === "g");
    if (!gate) throw new Error("no gate");
    const reversed: OutcomeTable = new Map([...outcomesOf(ENDED)].toReversed());
    const cost = { inputTokens: 9, outputTokens: 9, costUsd: 9, browserSeconds: 9 };
    reversed.set("sum", [ok({ ...key("s"), usage: cost })]);
    expect(canonicalJson(findingsOf(run, gate, reversed))).toBe(
      canonicalJson(findingsOf(run, gate, outcomesOf(ENDED))),
    );
  });

  test("carry the inputs that are no lists or objects, and match their schema", () => {
    const gate = run.pipeline.steps.find(({ name }) => name === "g");
    if (!gate) throw new Error("no gate");
    const findings = findingsOf(run, gate, outcomesOf(ENDED));
    expect(findings.inputs).toEqual({ question: "why?", depth: 2, deep: true });
    expect(findingsSchema.parse(findings)).toEqual(findings);
  });

  test("of two gates that show the same are two, so that neither is decided by the other's", () => {
    const two = runWith([{ name: "a" }, { name: "g", gate: {}, after: ["a"] }, { name: "h", gate: {}, after: ["a"] }]);
    const ended = outcomesOf({ a: ok() });
    const findings = two.pipeline.steps.filter(({ gate }) => gate).map((gate) => findingsOf(two, gate, ended));
    expect(findings.map(({ gate }) => gate)).toEqual(["g", "h"]);
  });
});

describe("a decided gate", () => {
  const decision: FinalDecision = {
    gate: "g",
    digest: "a".repeat(64),
    decision: "approved",
    by: "ann",
    how: "CommandLine",
    automatic: false,
    at: "2026-01-01T00:00:00Z",
  };
  const keys = { findings: "f", decision: "d" };

  test("lets later steps read its findings and its decision", () => {
    expect(gateOutcome(decision, keys)).toMatchObject({ outcome: "succeeded", output: "approved", artifacts: keys });
  });

  test("says who rejected, and why", () => {
    expect(gateOutcome({ ...decision, decision: "rejected", comment: "too old" }, keys)).toMatchObject({
      outcome: "failed",
      reason: REJECTED,
      message: "ann rejected gate g: too old",
      artifacts: keys,
    });
    const long = gateOutcome({ ...decision, decision: "rejected", comment: "x".repeat(4000) }, keys);
    expect(long.message).toHaveLength(1024);
  });
});
