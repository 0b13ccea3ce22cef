import { describe, expect, test } from "vitest";
import { ancestorsOf, inOrder, type Stage, stagesOf } from "../../../engine/stages.ts";
import { pipelineOf, type StepYaml } from "./build.ts";

const L = { forEach: "inputs.pages" };
const M = { forEach: "inputs.files" };

/** `a+b (after c)`: a stage's steps, and what it comes after; its list in brackets. */
function shown({ steps, forEach, after }: Stage): string {
  const list = forEach === undefined ? "" : ` [${forEach}]`;
  return `${steps.map(({ name }) => name).join("+")}${list}${after.length > 0 ? ` after ${after.join(", ")}` : ""}`;
}

const TABLE: [string, StepYaml[], string[]][] = [
  ["single steps in a row", [{ name: "a" }, { name: "b", after: ["a"] }], ["a", "b after a"]],
  [
    "a chain over one list",
    [
      { name: "a", ...L },
      { name: "b", ...L, after: ["a"] },
      { name: "c", after: ["b"] },
    ],
    ["a+b [inputs.pages]", "c after a"],
  ],
  [
    "a diamond in a fan-out",
    [
      { name: "a", ...L },
      { name: "b", ...L, after: ["a"] },
      { name: "c", ...L, after: ["a"] },
      { name: "d", ...L, after: ["b", "c"] },
    ],
    ["a+b+c+d [inputs.pages]"],
  ],
  [
    "a barrier: the second step also waits for a single one",
    [{ name: "a", ...L }, { name: "one" }, { name: "b", ...L, after: ["a", "one"] }],
    ["a [inputs.pages]", "one", "b [inputs.pages] after a, one"],
  ],
  [
    "several roots over one list, joined",
    [
      { name: "a", ...L },
      { name: "b", ...L },
      { name: "c", ...L, after: ["a", "b"] },
    ],
    ["a [inputs.pages]", "b [inputs.pages]", "c [inputs.pages] after a, b"],
  ],
  [
    "two lists",
    [
      { name: "a", ...L },
      { name: "b", ...M },
      { name: "c", ...M, after: ["a"] },
      { name: "d", after: ["b", "c"] },
    ],
    ["a [inputs.pages]", "b [inputs.files]", "c [inputs.files] after a", "d after b, c"],
  ],
  [
    "a gate between two steps over one list",
    [
      { name: "a", ...L },
      { name: "g", gate: {}, after: ["a"] },
      { name: "b", ...L, after: ["g", "a"] },
      { name: "c", ...L, after: ["b"] },
    ],
    ["a [inputs.pages]", "g after a", "b+c [inputs.pages] after g, a"],
  ],
  [
    "a list that a step returns",
    [
      { name: "a", ...L },
      { name: "b", forEach: "steps.a.items", after: ["a"] },
      { name: "c", forEach: "steps.a.items", after: ["b"] },
    ],
    ["a [inputs.pages]", "b+c [steps.a.items] after a"],
  ],
  [
    "steps that were written in another order",
    [{ name: "c", after: ["b"] }, { name: "b", after: ["a"] }, { name: "a" }],
    ["a", "b after a", "c after b"],
  ],
];

test.each(TABLE)("stages of %s", (_what, steps, expected) => {
  expect(stagesOf(pipelineOf(steps).spec.steps).map(shown)).toEqual(expected);
});

describe("order", () => {
  test("keeps steps as they were written where nothing else decides", () => {
    const { steps } = pipelineOf([{ name: "b" }, { name: "c", after: ["a"] }, { name: "a" }]).spec;
    expect(inOrder(steps).map(({ name }) => name)).toEqual(["b", "a", "c"]);
  });

  test("leaves out steps of a cycle and those after them", () => {
    const { steps } = pipelineOf([
      { name: "a" },
      { name: "b", after: ["c"] },
      { name: "c", after: ["b"] },
      { name: "d", after: ["c"] },
    ]).spec;
    expect(inOrder(steps).map(({ name }) => name)).toEqual(["a"]);
  });

  test("ancestors are direct and indirect, and end at a cycle", () => {
    const { steps } = pipelineOf([
      { name: "a", after: ["c"] },
      { name: "b", after: ["a"] },
      { name: "c", after: ["b"] },
      { name: "d", after: ["b"] },
    ]).spec;
    expect([...ancestorsOf("d", steps)].sort()).toEqual(["a", "b", "c"]);
  });
});
