import { describe, expect, test } from "vitest";
import { BUDGET_EXCEEDED } from "../../../engine/outcomes.ts";
import { MAX_ITEMS } from "../../../engine/result.ts";
import { leftOut, REJECTED, turnOf, walk } from "../../../engine/walk.ts";
import { bad, type Ended, ok, outcomesOf, runWith, type StepYaml, shapeOf, skipped } from "./build.ts";

const L = { forEach: "inputs.pages" };
const PAGES = { inputs: { pages: ["p0", "p1"] } };
const rejected = bad(REJECTED, "ann rejected gate g");

const CHAIN: StepYaml[] = [
  { name: "fetch", ...L },
  { name: "check", ...L, after: ["fetch"] },
  { name: "sum", after: ["check"] },
];
const REVIEWED: StepYaml[] = [
  { name: "fetch", ...L },
  { name: "review", after: ["fetch"], gate: {} },
  { name: "report", after: ["review"] },
];
const TWO_GATES: StepYaml[] = [
  { name: "work" },
  { name: "g", after: ["work"], gate: {} },
  { name: "h", after: ["work"], gate: {} },
  { name: "both", after: ["g", "h"] },
  { name: "after-h", after: ["h"] },
];
const DIAMOND: StepYaml[] = [
  { name: "a", ...L },
  { name: "b", ...L, after: ["a"] },
  { name: "c", ...L, after: ["a"] },
  { name: "d", ...L, after: ["b", "c"] },
];
const DYNAMIC: StepYaml[] = [
  { name: "find" },
  { name: "visit", forEach: "steps.find.items", after: ["find"] },
  { name: "sum", after: ["visit"] },
];

const strings = (count: number): string[] => Array.from({ length: count }, (_, index) => `i${index}`);

type Shape = ReturnType<typeof shapeOf>;
const TABLE: [string, StepYaml[], Ended, Shape][] = [
  ["roots may start at once", CHAIN, {}, { ready: ["fetch[0]", "fetch[1]"], stages: ["fetch running", "sum waiting"] }],
  [
    "an item goes on while another waits",
    CHAIN,
    { fetch: [ok(), null] },
    { ready: ["check[0]", "fetch[1]"], stages: ["fetch running", "sum waiting"] },
  ],
  [
    "the step after a fan-out waits for every item",
    CHAIN,
    { fetch: [ok(), ok()], check: [null, ok()] },
    { ready: ["check[0]"], stages: ["fetch running", "sum waiting"] },
  ],
  [
    "and starts when all have ended",
    CHAIN,
    { fetch: [ok(), ok()], check: [ok(), ok()] },
    { ready: ["sum"], stages: ["fetch over", "sum running"] },
  ],
  [
    "a failed item goes no further, and the others do",
    CHAIN,
    { fetch: [bad(), ok()], check: [null, ok()] },
    { ready: ["sum"], stages: ["fetch over", "sum running"] },
  ],
  [
    "a skipped step lets the next one start",
    CHAIN,
    { fetch: [skipped, ok()] },
    { ready: ["check[0]", "check[1]"], stages: ["fetch running", "sum waiting"] },
  ],
  [
    "everything has ended",
    CHAIN,
    { fetch: [ok(), ok()], check: [ok(), ok()], sum: ok() },
    { ready: [], stages: ["fetch over", "sum over"], end: "Succeeded" },
  ],
  [
    "the last step was skipped",
    CHAIN,
    { fetch: [ok(), ok()], check: [ok(), ok()], sum: skipped },
    { ready: [], stages: ["fetch over", "sum over"], end: "Succeeded" },
  ],
  [
    "a single step that failed blocks what comes after it, and fails the run",
    [{ name: "a" }, { name: "b", after: ["a"] }, { name: "c", after: ["b"] }, { name: "other" }],
    { a: bad() },
    { ready: [], stages: ["a over", "b blocked", "c blocked", "other running"], end: "Failed Broken" },
  ],
  [
    "a diamond in a fan-out: one branch failed, the other still runs",
    DIAMOND,
    { a: [ok(), ok()], b: [bad(), ok()] },
    { ready: ["c[0]", "c[1]"], stages: ["a running"] },
  ],
  [
    "a diamond in a fan-out: both have ended, one failed",
    DIAMOND,
    { a: [ok(), ok()], b: [bad(), ok()], c: [ok(), ok()], d: [null, ok()] },
    { ready: [], stages: ["a over"], end: "Succeeded" },
  ],
  [
    "a gate opens when the fan-out is over",
    REVIEWED,
    { fetch: [ok(), ok()] },
    { ready: ["review"], stages: ["fetch over", "review running", "report waiting"] },
  ],
  [
    "an approved gate",
    REVIEWED,
    { fetch: [ok(), ok()], review: ok({ output: "approved" }) },
    { ready: ["report"], stages: ["fetch over", "review over", "report running"] },
  ],
  [
    "a rejected gate",
    REVIEWED,
    { fetch: [ok(), ok()], review: rejected },
    { ready: [], stages: ["fetch over", "review over", "report blocked"], end: "Rejected Rejected" },
  ],
  [
    "a gate that was skipped",
    REVIEWED,
    { fetch: [ok(), ok()], review: skipped },
    { ready: ["report"], stages: ["fetch over", "review over", "report running"] },
  ],
  [
    "a gate that failed for another reason",
    REVIEWED,
    { fetch: [ok(), ok()], review: bad("TamperedGate") },
    { ready: [], stages: ["fetch over", "review over", "report blocked"], end: "Failed TamperedGate" },
  ],
  [
    "one of two gates was rejected: the other stays open, and what needs both is blocked at once",
    TWO_GATES,
    { work: ok(), g: rejected },
    { ready: ["h"], stages: ["work over", "g over", "h running", "both blocked", "after-h waiting"] },
  ],
  [
    "what comes after the approved gate alone still runs",
    TWO_GATES,
    { work: ok(), g: rejected, h: ok() },
    { ready: ["after-h"], stages: ["work over", "g over", "h over", "both blocked", "after-h running"] },
  ],
  [
    "the run is rejected when nothing is left",
    TWO_GATES,
    { work: ok(), g: rejected, h: ok(), "after-h": ok() },
    {
      ready: [],
      stages: ["work over", "g over", "h over", "both blocked", "after-h over"],
      end: "Rejected Rejected",
    },
  ],
  [
    "a list that is not yet returned",
    DYNAMIC,
    {},
    { ready: ["find"], stages: ["find running", "visit waiting", "sum waiting"] },
  ],
  [
    "a list that a step returned, of strings and objects",
    DYNAMIC,
    { find: ok({ items: ["a", { url: "b" }] }) },
    { ready: ["visit[0]", "visit[1]"], stages: ["find over", "visit running", "sum waiting"] },
  ],
  [
    "an empty list is over at once",
    DYNAMIC,
    { find: ok({ items: [] }) },
    { ready: ["sum"], stages: ["find over", "visit over", "sum running"] },
  ],
  [
    "a step that returns no list, or was skipped, is an empty list",
    DYNAMIC,
    { find: skipped },
    { ready: ["sum"], stages: ["find over", "visit over", "sum running"] },
  ],
  [
    "a list returned by a fan-out: its results in order, without those that failed",
    [
      { name: "find", ...L },
      { name: "visit", forEach: "steps.find.items", after: ["find"] },
    ],
    { find: [bad(), ok({ items: ["a", "b"] })] },
    { ready: ["visit[0]", "visit[1]"], stages: ["find over", "visit running"] },
  ],
  [
    "a list returned by a fan-out is not used before all of it has ended",
    [
      { name: "find", ...L },
      { name: "visit", forEach: "steps.find.items", after: ["find"] },
    ],
    { find: [null, ok({ items: ["a", "b"] })] },
    { ready: ["find[0]"], stages: ["find running", "visit waiting"] },
  ],
];

test.each(TABLE)("%s", (_what, steps, ended, expected) => {
  expect(shapeOf(walk(runWith(steps, PAGES), outcomesOf(ended)))).toEqual(expected);
});

describe("items", () => {
  test("of an input are known from the start, even of a stage that waits", () => {
    const run = runWith([{ name: "one" }, { name: "each", ...L, after: ["one"] }], PAGES);
    expect(walk(run, new Map()).stages.map(({ state, items }) => [state, items])).toEqual([
      ["running", undefined],
      ["waiting", ["p0", "p1"]],
    ]);
  });

  test("of a returned list are known when all that returns it has ended", () => {
    const steps = [
      { name: "find", ...L },
      { name: "visit", forEach: "steps.find.items", after: ["find"] },
    ];
    const items = (ended: Ended) => walk(runWith(steps, PAGES), outcomesOf(ended)).stages[1]?.items;
    expect(items({ find: [ok({ items: ["a"] })] })).toBeUndefined();
    expect(items({ find: [ok({ items: ["a"] }), ok({ items: ["b"] })] })).toEqual(["a", "b"]);
  });

  test.each([
    ["an input", [{ name: "each", ...L }], { pages: strings(MAX_ITEMS + 1) }, {}, "inputs.pages has 501 items; a run"],
    [
      "a list that a fan-out returned",
      [
        { name: "find", ...L },
        { name: "visit", forEach: "steps.find.items", after: ["find"] },
      ],
      { pages: ["a"] },
      { find: [ok({ items: strings(500) })] },
      "inputs.pages and steps.find.items have 501 items together; a run",
    ],
    [
      "two inputs",
      [
        { name: "each", ...L },
        { name: "other", forEach: "inputs.files" },
      ],
      { pages: strings(300), files: strings(201) },
      {},
      "inputs.pages and inputs.files have 501 items together; a run",
    ],
  ] as [string, StepYaml[], object, Ended, string][])(
    "more than 500 in %s fail the run",
    (_what, steps, inputs, ended, message) => {
      const { failure, ready } = walk(runWith(steps, { inputs }), outcomesOf(ended));
      expect(failure).toMatchObject({ reason: "TooManyItems", message: expect.stringContaining(message) });
      expect(ready).toEqual([]);
    },
  );

  test("500 in one list that two stages run over are allowed", () => {
    const steps = [
      { name: "a", ...L },
      { name: "g", gate: {}, after: ["a"] },
      { name: "b", ...L, after: ["g"] },
    ];
    expect(walk(runWith(steps, { inputs: { pages: strings(500) } }), new Map()).failure).toBeUndefined();
  });
});

describe("tolerance", () => {
  const TEN = { pages: Array.from({ length: 10 }, (_, index) => `p${index}`) };
  /** Of ten items the first `failed` fail at `step`. */
  const ten = (failed: number): (typeof ok extends () => infer T ? T : never)[] =>
    Array.from({ length: 10 }, (_, index) => (index < failed ? bad() : ok()));
  const withGate: StepYaml[] = REVIEWED;
  const withoutGate: StepYaml[] = [
    { name: "fetch", ...L },
    { name: "report", after: ["fetch"] },
  ];
  const last: StepYaml[] = [{ name: "fetch", ...L }];

  test.each([
    ["before a gate", withGate],
    ["without a gate", withoutGate],
    ["at the end", last],
  ])("is judged at a fan-out %s", (_where, steps) => {
    const spec = { inputs: TEN, tolerate: { failedItems: "20%" } };
    expect(walk(runWith(steps, spec), outcomesOf({ fetch: ten(2) })).failure).toBeUndefined();
    expect(walk(runWith(steps, spec), outcomesOf({ fetch: ten(3) }))).toMatchObject({
      ready: [],
      end: {
        phase: "Failed",
        reason: "TooManyFailedItems",
        message: "3 of 10 items failed (3 × Broken); spec.tolerate.failedItems allows 2",
      },
    });
  });

  test("waits for the whole fan-out", () => {
    const run = runWith(withGate, { inputs: TEN, tolerate: { failedItems: 0 } });
    const { failure, ready } = walk(run, outcomesOf({ fetch: [bad()] }));
    expect(failure).toBeUndefined();
    expect(ready).toHaveLength(9);
  });

  test("of a step is judged beside the workload's", () => {
    const steps = [
      { name: "fetch", ...L, tolerate: { failedItems: 1 } },
      { name: "check", ...L, after: ["fetch"] },
    ];
    const run = (failedItems: number | string) => runWith(steps, { inputs: TEN, tolerate: { failedItems } });
    expect(
      walk(run("100%"), outcomesOf({ fetch: ten(1), check: [null, bad(), bad(), ...ten(0).slice(3)] })).failure,
    ).toBeUndefined();
    expect(
      walk(run("100%"), outcomesOf({ fetch: ten(2), check: [null, null, ...ten(0).slice(2)] })).failure?.message,
    ).toBe("2 of 10 items failed (2 × Broken); tolerate.failedItems of step fetch allows 1");
    expect(
      walk(run(1), outcomesOf({ fetch: ten(1), check: [null, bad("Slow"), ...ten(0).slice(2)] })).failure?.message,
    ).toBe("2 of 10 items failed (1 × Broken, 1 × Slow); spec.tolerate.failedItems allows 1");
  });

  test("counts an item that failed in two branches once", () => {
    const run = runWith(DIAMOND, { ...PAGES, tolerate: { failedItems: 1 } });
    const ended = { a: [ok(), ok()], b: [bad(), ok()], c: [bad(), ok()], d: [null, ok()] };
    expect(walk(run, outcomesOf(ended)).end).toEqual({ phase: "Succeeded" });
  });

  test("is judged at a list that a step returned", () => {
    const run = runWith(DYNAMIC, { tolerate: { failedItems: "50%" } });
    const find = ok({ items: ["a", "b"] });
    expect(walk(run, outcomesOf({ find, visit: [bad(), ok()] })).ready).toHaveLength(1);
    expect(walk(run, outcomesOf({ find, visit: [bad(), bad()] })).end).toMatchObject({ reason: "TooManyFailedItems" });
  });
});

describe("an optional step", () => {
  const none = { tolerate: { failedItems: 0 } };
  const OPTIONAL: StepYaml[] = [
    { name: "find", ...L },
    { name: "visit", forEach: "steps.find.items", after: ["find"], optional: true },
    { name: "read", forEach: "steps.find.items", after: ["visit"], optional: true },
    { name: "sum", after: ["read"] },
  ];

  test("over a list never fails the run", () => {
    const find = [ok({ items: ["a", "b"] }), ok()];
    const all = { find, visit: [bad(), bad()] };
    expect(shapeOf(walk(runWith(OPTIONAL, { ...PAGES, ...none }), outcomesOf(all)))).toEqual({
      ready: ["sum"],
      stages: ["find over", "visit over", "sum running"],
    });
    const read = { find, visit: [ok(), ok()], read: [bad(), ok()], sum: ok() };
    expect(walk(runWith(OPTIONAL, { ...PAGES, ...none }), outcomesOf(read)).end).toEqual({ phase: "Succeeded" });
  });

  test("beside a required one in its fan-out: an item fails at the required one alone", () => {
    const steps = [
      { name: "fetch", ...L },
      { name: "extra", ...L, after: ["fetch"], optional: true },
      { name: "check", ...L, after: ["fetch"] },
    ];
    const ended = { fetch: [ok(), ok()], extra: [bad(), ok()], check: [ok(), ok()] };
    expect(walk(runWith(steps, { ...PAGES, ...none }), outcomesOf(ended)).end).toEqual({ phase: "Succeeded" });
    const failed = { ...ended, check: [ok(), bad()] };
    expect(walk(runWith(steps, { ...PAGES, ...none }), outcomesOf(failed)).end?.phase).toBe("Failed");
  });

  test("that runs once: what comes after it starts, and is told", () => {
    const steps = [
      { name: "enrich", optional: true },
      { name: "sum", after: ["enrich"] },
    ];
    const run = runWith(steps);
    const ended = outcomesOf({ enrich: bad() });
    expect(shapeOf(walk(run, ended))).toEqual({ ready: ["sum"], stages: ["enrich over", "sum running"] });
    expect(walk(run, outcomesOf({ enrich: bad(), sum: ok() })).end).toEqual({ phase: "Succeeded" });
    const [sum] = walk(run, ended).ready;
    expect(sum && turnOf(run, sum, ended)).toMatchObject({ input: { from: { enrich: [{ outcome: "failed" }] } } });
  });

  const lists = (...sizes: number[]) =>
    sizes.map((size, at) => ok({ items: Array.from({ length: size }, (_, rank) => `${at}.${rank}`) }));

  test.each([
    ["fits", 2, [3, 2], ["0.0", "1.0", "0.1", "1.1", "0.2"], 0],
    ["shares what room there is", 496, [3, 2], ["0.0", "1.0", "0.1", "1.1"], 1],
    ["gives the first lists one more where the room does not divide", 497, [3, 3], ["0.0", "1.0", "0.1"], 3],
    ["gives a short list's share to the others", 495, [1, 9, 1], ["0.0", "1.0", "2.0", "1.1", "1.2"], 6],
    ["has no room", 500, [4], [], 4],
  ] as const)("over a returned list that %s", (_what, pages, sizes, expected, left) => {
    const inputs = { pages: strings(pages) };
    const find = Array.from({ length: pages }, (_, at) => lists(...sizes)[at] ?? ok());
    const run = runWith(OPTIONAL, { inputs });
    const outcomes = outcomesOf({ find });
    const { stages, failure } = walk(run, outcomes);
    expect(failure).toBeUndefined();
    expect(stages[1]?.items).toEqual(expected);
    expect(stages[1] && leftOut(run, stages[1].stage, outcomes)).toBe(left);
  });

  test("leaves room for the lists of the steps before the one that returns its list", () => {
    const steps: StepYaml[] = [
      { name: "find" },
      { name: "visit", forEach: "steps.find.items", after: ["find"] },
      { name: "more", forEach: "steps.visit.items", after: ["visit"], optional: true },
    ];
    const find = ok({ items: strings(498) });
    const visit = Array.from({ length: 498 }, (_, at) => lists(...(at === 0 ? [5] : []))[0] ?? ok());
    const { stages, failure } = walk(runWith(steps), outcomesOf({ find, visit }));
    expect([failure, stages[2]?.items]).toEqual([undefined, ["0.0", "0.1"]]);
  });

  test("makes no room where a required step runs over the same list", () => {
    const steps = [...OPTIONAL, { name: "all", forEach: "steps.find.items", after: ["find"] }];
    const inputs = { pages: strings(499) };
    const find = Array.from({ length: 499 }, (_, at) => lists(...(at === 0 ? [2] : []))[0] ?? ok());
    expect(walk(runWith(steps, { inputs }), outcomesOf({ find })).failure?.reason).toBe("TooManyItems");
  });
});

describe("the budget", () => {
  test("that is spent fails the run, whatever is tolerated, and starts nothing more", () => {
    const message = "the budget of 0.10 is spent";
    expect(walk(runWith(CHAIN, PAGES), outcomesOf({ fetch: [bad(BUDGET_EXCEEDED, message)] }))).toMatchObject({
      ready: [],
      failure: { reason: BUDGET_EXCEEDED, message },
      end: { phase: "Failed", reason: BUDGET_EXCEEDED, message },
    });
  });

  test("gives the same message in whatever order steps ended", () => {
    const [one, two] = [bad(BUDGET_EXCEEDED, "one"), bad(BUDGET_EXCEEDED, "two")];
    const run = runWith([{ name: "a" }, { name: "b" }]);
    expect(walk(run, outcomesOf({ b: two, a: one }))).toEqual(walk(run, outcomesOf({ a: one, b: two })));
  });
});

describe("a run that somebody stopped", () => {
  const stop = { ...PAGES, stop: true };
  test.each<[string, Ended, string]>([
    ["starts nothing more, and fails", { fetch: [ok(), null] }, "Failed Stopped"],
    ["at its gate likewise", { fetch: [ok(), ok()] }, "Failed Stopped"],
    ["that had failed keeps its reason", { fetch: [bad("Broken"), bad("Broken")] }, "Failed TooManyFailedItems"],
    ["that was rejected stays so", { fetch: [ok(), ok()], review: rejected }, "Rejected Rejected"],
    ["that was done has succeeded", { fetch: [ok(), ok()], review: ok(), report: ok() }, "Succeeded"],
  ])("%s", (_what, ended, expected) => {
    const { ready, end } = walk(runWith(REVIEWED, { ...stop, tolerate: { failedItems: 0 } }), outcomesOf(ended));
    expect(ready).toEqual([]);
    expect([end?.phase, end && "reason" in end ? end.reason : ""].join(" ").trim()).toBe(expected);
  });
});
