import { describe, expect, test } from "vitest";
import type { StepOutcome } from "../../../engine/outcomes.ts";
import type { Run } from "../../../engine/run.ts";
import { type Turn, turnOf } from "../../../engine/walk.ts";
import { bad, type Ended, ok, outcomesOf, runWith, type StepYaml, skipped } from "./build.ts";

const L = { forEach: "inputs.pages" };
const PAGES = { inputs: { pages: ["p0", "p1", "p2"], question: "why?", deep: true, depth: 2, unused: 1 } };

function turn(run: Run, ended: Ended, name: string, index?: number, item?: string): Turn {
  const step = run.pipeline.steps.find((one) => one.name === name);
  if (!step) throw new Error(`no step ${name}`);
  const at = index === undefined ? {} : { index, item: item ?? `p${index}` };
  return turnOf(run, { step, ...at }, outcomesOf(ended));
}

const input = (run: Run, ended: Ended, name: string, index?: number): unknown => {
  const found = turn(run, ended, name, index);
  return found.do === "run" ? found.input : found;
};

describe("the input of a step", () => {
  const result = (key: string): StepOutcome => ok({ artifacts: { page: key }, data: { key }, output: key });
  const upstream = (item: string, key: string): object => ({
    item,
    outcome: "succeeded",
    output: key,
    data: { key },
    artifacts: { page: key },
  });

  test("has its own item's results in a chain", () => {
    const run = runWith(
      [
        { name: "a", ...L },
        { name: "b", ...L, after: ["a"] },
      ],
      PAGES,
    );
    expect(input(run, { a: [result("k0"), result("k1")] }, "b", 1)).toEqual({
      item: "p1",
      params: {},
      from: { a: [upstream("p1", "k1")] },
    });
  });

  test("has its own item's results behind a barrier, too", () => {
    const run = runWith(
      [
        { name: "a", ...L },
        { name: "g", gate: {}, after: ["a"] },
        { name: "b", ...L, after: ["a", "g"] },
      ],
      PAGES,
    );
    const ended = { a: [result("k0"), result("k1")], g: ok({ output: "approved", artifacts: { findings: "f" } }) };
    expect(input(run, ended, "b", 0)).toEqual({
      item: "p0",
      params: {},
      from: {
        a: [upstream("p0", "k0")],
        g: [{ outcome: "succeeded", output: "approved", artifacts: { findings: "f" } }],
      },
    });
  });

  test("has the results of all items after a fan-out, failed ones included, in the list's order", () => {
    const run = runWith(
      [
        { name: "a", ...L },
        { name: "b", after: ["a"] },
      ],
      PAGES,
    );
    expect(input(run, { a: [result("k0"), bad(), skipped] }, "b")).toEqual({
      params: {},
      from: {
        a: [
          upstream("p0", "k0"),
          { item: "p1", outcome: "failed", reason: "Broken", message: "it broke", artifacts: {} },
          { item: "p2", outcome: "skipped", artifacts: {} },
        ],
      },
    });
  });

  test("has the results of all items of another list", () => {
    const run = runWith(
      [
        { name: "a", ...L },
        { name: "b", forEach: "inputs.files", after: ["a"] },
      ],
      { inputs: { ...PAGES.inputs, files: ["f"] } },
    );
    expect(input(run, { a: [result("k0"), result("k1"), result("k2")] }, "b", 0)).toMatchObject({
      from: { a: [upstream("p0", "k0"), upstream("p1", "k1"), upstream("p2", "k2")] },
    });
  });

  test("has items that an earlier step returned, objects as they are", () => {
    const run = runWith([
      { name: "find" },
      { name: "a", forEach: "steps.find.items", after: ["find"] },
      { name: "b", after: ["a"] },
    ]);
    const items = [{ url: "u", depth: 1 }, "s"];
    const ended = { find: ok({ items }), a: [ok(), ok()] };
    expect(input(run, ended, "b")).toMatchObject({ from: { a: [{ item: { url: "u", depth: 1 } }, { item: "s" }] } });
    expect(input(run, ended, "a", 0)).toMatchObject({ from: { find: [{ outcome: "succeeded" }] } });
  });

  test("has the inputs that `with` names, and the model, and no others", () => {
    const run = runWith([{ name: "a", with: ["question", "model", "missing"] }], PAGES);
    expect(input(run, {}, "a")).toEqual({
      params: { question: "why?", model: { name: "gpt-6-luna", fallbacks: [], maxOutputTokens: 1024 } },
      from: {},
    });
  });

  test("is empty for a gate", () => {
    const run = runWith([{ name: "a" }, { name: "g", gate: {}, after: ["a"] }]);
    expect(input(run, { a: result("k") }, "g")).toEqual({ params: {}, from: {} });
  });
});

describe("an item that failed in an earlier fan-out over the same list", () => {
  const run = runWith(
    [
      { name: "a", ...L },
      { name: "b", ...L, after: ["a"] },
      { name: "g", gate: {}, after: ["b"] },
      { name: "c", ...L, after: ["b", "g"], when: "steps.b.outcome == 'failed'" },
    ],
    PAGES,
  );
  const ended = { a: [ok(), bad(), ok()], b: [bad("Slow", "too slow"), null, ok()], g: ok() };

  test.each([
    [0, "step b failed on this item: Slow: too slow"],
    [1, "step b did not run on this item"],
  ])("item %i fails again, and is not run", (index, message) => {
    expect(turn(run, ended, "c", index)).toMatchObject({
      do: "fail",
      result: { outcome: "failed", reason: "UpstreamFailed", message },
    });
  });

  test("the others go on", () => expect(turn(run, ended, "c", 2)).toEqual({ do: "skip" }));
});

describe("when", () => {
  const CHECKED: StepYaml[] = [
    { name: "each", ...L },
    { name: "one", after: ["each"] },
  ];
  const ended: Ended = {
    each: [ok({ data: { size: 5 } }), bad(), skipped],
    one: ok({ data: { ok: true, size: 3 }, output: "fine" }),
  };

  test.each([
    ["inputs.deep", "run"],
    ["!inputs.deep", "skip"],
    ["inputs.depth > 1", "run"],
    ["steps.one.data.ok && steps.one.data.size == 3", "run"],
    ["steps.one.outcome == 'failed'", "skip"],
    ["steps.one.output == 'fine'", "run"],
    ["steps.one.total == 1 && steps.one.succeeded == 1", "run"],
    ["steps.each.total == 3 && steps.each.failed == 1 && steps.each.skipped == 1", "run"],
    ["steps.each.succeeded * 3 == steps.each.total", "run"],
    ["steps.each.data[0].size == 5 && steps.each.data[1] == null && size(steps.each.data) == 3", "run"],
    ["item == null", "run"],
    ["inputs.missing", "fail"],
    ["steps.one.data.missing > 1", "fail"],
    ["steps.each.outcome == 'succeeded'", "fail"],
    ["inputs.question", "fail"],
    ["inputs.depth + 1 == 3", "fail"],
  ])("%s: %s", (when, expected) => {
    const run = runWith([...CHECKED, { name: "asks", after: ["one", "each"], when }], PAGES);
    expect(turn(run, ended, "asks").do).toBe(expected);
  });

  test("sees what the earlier step did with the same item, whatever happened to the others", () => {
    const steps = [
      { name: "a", ...L },
      { name: "b", ...L, after: ["a"], when: "steps.a.data.size > 3 && steps.a.total == 1" },
    ];
    const run = runWith(steps, PAGES);
    const sizes = [ok({ data: { size: 5 } }), ok({ data: { size: 1 } })];
    expect(turn(run, { a: sizes }, "b", 0).do).toBe("run");
    expect(turn(run, { a: sizes }, "b", 1).do).toBe("skip");
    expect(turn(run, { a: [ok({ data: { size: 5 } })] }, "b", 0).do).toBe("run");
  });

  test("counts items that never got to a step", () => {
    const steps = [
      { name: "a", ...L },
      { name: "b", ...L, after: ["a"] },
      { name: "c", after: ["b"], when: "steps.b.total == 3 && size(steps.b.data) == 3 && steps.b.data[2] == null" },
    ];
    expect(turn(runWith(steps, PAGES), { a: [ok(), ok(), bad()], b: [ok(), ok()] }, "c").do).toBe("run");
  });

  test("sees the item", () => {
    const run = runWith([{ name: "a", ...L, when: "item.endsWith('1')" }], PAGES);
    expect([turn(run, {}, "a", 0).do, turn(run, {}, "a", 1).do]).toEqual(["skip", "run"]);
  });

  test("that cannot be evaluated fails the step, and says why", () => {
    const run = runWith([{ name: "a", when: "inputs.missing" }]);
    expect(turn(run, {}, "a")).toMatchObject({
      do: "fail",
      result: { reason: "InvalidCondition", message: "cannot evaluate `when` of step a: No such key: missing" },
    });
  });
});
