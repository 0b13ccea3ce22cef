import { describe, expect, test } from "vitest";
import { match } from "../../cli/evaluation/expectations.ts";
import { evaluatedPart } from "../../cli/evaluation/part.ts";
import { scoreOf, scoreTable } from "../../cli/evaluation/score.ts";
import { failedResult, NO_USAGE } from "../../engine/result.ts";
import { runWith } from "./engine/build.ts";

describe("what is found of what is expected", () => {
  test.each([
    ["the same", { name: "Pro" }, { name: "Pro", more: 1 }, 1, 1, 0],
    ["other case and spaces", "Pro  Plan", "pro plan", 1, 1, 0],
    ["another number", { amount: 29 }, { amount: 30 }, 0, 1, 0],
    ["nothing there", { a: 1, b: 2 }, undefined, 0, 2, 0],
    ["null, where null is expected", { price: null }, { price: null }, 1, 1, 0],
    [
      "a list in another order",
      [
        { n: 1, p: 2 },
        { n: 3, p: 4 },
      ],
      [
        { n: 3, p: 4 },
        { n: 1, p: 2 },
      ],
      4,
      4,
      0,
    ],
    ["an entry too many", [1], [1, 2], 1, 1, 1],
    ["an entry missing", [1, 2], [2], 1, 2, 0],
    ["nothing expected of a list", [], [1, 2], 0, 0, 2],
  ])("%s", (_title, expected, actual, found, all, extra) => {
    expect(match(expected, actual)).toEqual({ found, expected: all, extra });
  });
});

describe("the part of a run that is evaluated", () => {
  const steps = [
    { name: "fetch", forEach: "inputs.sites" },
    { name: "ask", after: ["fetch"], forEach: "inputs.sites", with: ["model"] },
    { name: "aside", after: ["fetch"], forEach: "inputs.sites" },
    { name: "gate", after: ["ask"], gate: {} },
    { name: "write", after: ["gate"], with: ["model"] },
  ];

  test("has what asks a model before the first gate, and what that needs", () => {
    const part = evaluatedPart(runWith(steps));
    expect(part).toMatchObject({ steps: ["ask"] });
    if ("problem" in part) throw new Error(part.problem);
    expect(part.run.pipeline.steps.map(({ name }) => name)).toEqual(["fetch", "ask"]);
    expect(part.run.stages.flatMap(({ steps: all }) => all.map(({ name }) => name))).toEqual(["fetch", "ask"]);
  });

  test.each(["write", "gate", "fetch", "none"])("is not step %s", (only) => {
    expect(evaluatedPart(runWith(steps), only)).toEqual({ problem: expect.stringContaining("(here: ask)") });
  });
});

describe("scores", () => {
  const outcome = (score: number) => ({
    outcome: "succeeded" as const,
    artifacts: {},
    usage: { ...NO_USAGE, costUsd: 0.25 },
    evaluations: [{ name: "quotes", score }],
  });

  test("are means, sums and medians", () => {
    const score = scoreOf("ask", [
      { outcome: outcome(1), ms: 1000 },
      { outcome: outcome(0.5), ms: 4000 },
      { outcome: failedResult("Refused", "no"), ms: 2000 },
      { outcome: outcome(0), ms: undefined },
    ]);
    expect(score).toMatchObject({
      items: 4,
      succeeded: 3,
      failed: { Refused: 1 },
      evaluations: { quotes: { mean: 0.5, count: 3 } },
      usage: { costUsd: 0.75 },
      medianSeconds: 2,
    });
    const luna = { model: "luna", notRecorded: {}, steps: [score] };
    const [head, before, row] = scoreTable([{ ...luna, asRecorded: true }, luna]).split("\n");
    expect(before).toMatch(/^luna \(as recorded\) {2}/);
    expect(head?.split(/\s{2,}/)).toEqual(["MODEL", "STEP", "SUCCEEDED", "QUOTES", "COST", "TOKENS", "SECONDS"]);
    expect(row?.split(/\s{2,}/)).toEqual(["luna", "ask", "3/4", "0.50", "$0.7500", "0", "2.0"]);
  });
});
