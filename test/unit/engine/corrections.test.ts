import { describe, expect, test } from "vitest";
import type { Correction, Review } from "../../../crd/agentworkload.ts";
import { itemName, remarksText } from "../../../engine/correction-text.ts";
import {
  carryOver,
  correctionProblem,
  MAX_CORRECTIONS_LENGTH,
  madeCorrections,
  reviewsBefore,
  sameCorrections,
} from "../../../engine/corrections.ts";
import { type FinalDecision, type Finding, gateOutcome } from "../../../engine/findings.ts";
import { type Summary, summarySchema } from "../../../engine/summary.ts";

const finding = (item: Finding["item"], step = "read"): Finding => ({
  step,
  ...(item === undefined ? {} : { item }),
  outcome: "succeeded",
  artifacts: {},
});
const summary = (...facts: Summary["facts"]): Summary => ({ title: "t", facts, pictures: [], caveats: [] });
const first = finding("a");
const second = finding({ name: "b", at: 1 });
const bare = finding("c");
const findings = [first, second, bare];
const summaries = new Map([
  [first, summary({ id: "price", label: "Price", value: "$9" }, { label: "Price", value: "$10" })],
  [second, summary({ id: "size", label: "Size", value: "4" })],
]);
const strike: Correction = { step: "read", item: "a", fact: "price", of: "$9", action: "strike" };
const problem = (...corrections: object[]) =>
  correctionProblem(
    corrections.map((one) => ({ ...strike, ...one })),
    { results: findings },
    summaries,
  );

test("facts of the findings are struck, corrected and commented", () => {
  expect(problem({})).toBeUndefined();
  expect(problem({ action: "correct", value: "$12", comment: "as they write" })).toBeUndefined();
  expect(problem({ action: "comment", comment: "since May" })).toBeUndefined();
  expect(problem({}, { item: '{"at":1,"name":"b"}', fact: "size", of: "4" })).toBeUndefined();
});

const OF_A = 'fact "price" of step "read", item "a": ';
test.each<[string, object[], string]>([
  ["a step that is not shown", [{ step: "x" }], 'fact "price" of step "x", item "a": the gate shows no such finding'],
  ["an item that is not shown", [{ item: "z" }], "the gate shows no such finding"],
  ["no item, where the step has some", [{ item: undefined }], 'of step "read": the gate shows no such finding'],
  ["another fact", [{ fact: "constructor" }], 'fact "constructor" of step "read", item "a": this finding has no such'],
  ["another finding's fact", [{ fact: "size", of: "4" }], "this finding has no such fact"],
  ["a fact without an id", [{ fact: "Price" }], "this finding has no such fact"],
  ["a finding without a summary", [{ item: "c" }], "this finding has no summary"],
  ["another value than what is there", [{ of: "$8" }], `${OF_A}its value is "$9", and not "$8": read the review again`],
  ["to correct to nothing", [{ action: "correct" }], `${OF_A}correct needs a value`],
  ["to correct to blanks", [{ action: "correct", value: " \n" }], `${OF_A}correct needs a value`],
  ["to strike to a value", [{ value: "$12" }], `${OF_A}strike has no value`],
  ["to comment with a value", [{ action: "comment", comment: "x", value: "$12" }], `${OF_A}comment has no value`],
  ["to comment nothing", [{ action: "comment", comment: " " }], `${OF_A}comment needs a comment`],
  ["the same fact twice", [{}, { action: "comment", comment: "x" }], `${OF_A}it is corrected twice`],
  ["what comes after one that is right", [{}, { item: "c" }], 'item "c": this finding has no summary'],
])("not %s", (_what, corrections, expected) => {
  expect(problem(...corrections)).toContain(expected);
});

test("what is quoted of hostile names is short", () => {
  expect(problem({ fact: "x".repeat(200), item: "y".repeat(4096) })?.length).toBeLessThan(400);
});

test("all corrections together have a limit", () => {
  const many = Array.from({ length: 100 }, () => ({ comment: "c".repeat(300) }));
  const { length } = JSON.stringify(many.map((one) => ({ ...strike, ...one })));
  expect(problem(...many)).toBe(
    `the corrections have ${length} characters of JSON, and at most ${MAX_CORRECTIONS_LENGTH} are taken: make them fewer or shorter`,
  );
});

test("corrections have a limit of number", () => {
  expect(problem(...Array.from({ length: 101 }, () => ({})))).toBe(
    "a decision has at most 100 corrections, and these are 101",
  );
});

describe("what an earlier review said", () => {
  const made = { ...strike, action: "strike" as const, by: "ann", at: "2026-11-01T10:00:00.000Z" };
  const sized = { ...made, item: '{"at":1,"name":"b"}', fact: "size", of: "4" };

  test("is carried over to facts that are as they were, noted of those with another value, and forgotten of no others", () => {
    const other = { ...sized, of: "3" };
    const gone = { ...made, fact: "gone" };
    const elsewhere = { ...made, step: "other" };
    expect(carryOver([other, made, gone, elsewhere], findings, summaries)).toEqual({ carried: [made], noted: [other] });
    expect(carryOver([made, sized], findings, summaries)).toEqual({ carried: [made, sized], noted: [] });
    expect(carryOver([made], findings, new Map())).toEqual({ carried: [], noted: [] });
  });

  test("is remembered of the latest facts, where there are many", () => {
    const facts = Array.from({ length: 501 }, (_, at) => ({ id: `f${at}`, label: "F", value: "$9" }));
    const many = facts.map(({ id }) => ({ ...made, fact: id }));
    const noted = many.map((one) => ({ ...one, of: "$8" }));
    expect(carryOver([...many, ...noted], [first], new Map([[first, summary(...facts)]]))).toEqual({
      carried: many.slice(1),
      noted: noted.slice(1),
    });
  });

  const now = { by: "ben", at: "2026-12-01T10:00:00.000Z" } as const;
  test("counts with a decision that says nothing of it, in the name of who said it", () => {
    expect(madeCorrections({ carried: [made] }, now)).toEqual([made]);
    const own: Correction = { ...strike, item: sized.item, fact: "size", of: "4", action: "comment", comment: "x" };
    expect(madeCorrections({ carried: [made, sized] }, { ...now, corrections: [own] })).toEqual([
      made,
      { ...own, by: "ben", at: now.at },
    ]);
  });

  test("is dropped by the reviewer who keeps the fact as it was found", () => {
    const keep: Correction = { ...strike, action: "keep" };
    expect(madeCorrections({ carried: [made, sized] }, { ...now, corrections: [keep] })).toEqual([sized]);
    const check = (carried: (typeof made)[]) => correctionProblem([keep], { results: findings, carried }, summaries);
    expect([check([made]), check([sized])]).toEqual([
      undefined,
      `${OF_A}nothing was carried over that keep would drop`,
    ]);
  });
});

describe("the reviews of a gate before it opens", () => {
  const review = (run: string, day: number, more: Partial<Review> = {}): Review => ({
    gate: "ask",
    run,
    digest: run.padEnd(64, "0"),
    openedAt: "2026-11-01T10:00:00.000Z",
    timeoutAt: "2026-11-02T10:00:00.000Z",
    onTimeout: "Reject",
    decision: "rejected",
    by: "ann",
    at: `2026-11-0${day}T10:00:00.000Z`,
    ...more,
  });
  const run = { run: "c", earlier: [], changes: [] };
  const old = review("a", 1);

  test("the last of another run counts, unless it was approved or is open", () => {
    expect(reviewsBefore(run, [])).toEqual({});
    expect(reviewsBefore(run, [review("b", 2), old])).toEqual({ last: review("b", 2) });
    expect(reviewsBefore(run, [review("b", 2, { decision: "approved" }), old])).toEqual({});
    const { decision: _, by: _by, at: _at, ...open } = review("b", 2);
    expect(reviewsBefore(run, [open, old])).toEqual({ last: old });
  });

  test("none but its own counts once that is opened", () => {
    const own = review("c", 3, { decision: "approved" });
    expect(reviewsBefore(run, [old, own])).toEqual({ opened: own });
  });

  test("one that an earlier run of the spec was decided by stands, unless it asked for what this run changes", () => {
    const asked = review("b", 2, { decision: "changesRequested" });
    const approved = review("b", 2, { decision: "approved" });
    const changed = (gate: string) => ({
      ...run,
      earlier: ["b"],
      changes: [{ run: "b", gate, digest: asked.digest, steps: ["read"], comment: "x", by: "ann", at: asked.at ?? "" }],
    });
    expect(reviewsBefore(changed("ask"), [asked, old])).toEqual({ last: asked });
    expect(reviewsBefore(changed("other"), [approved, old])).toEqual({ opened: approved });
    // On one machine all rounds of a spec have one name.
    expect(reviewsBefore({ ...changed("ask"), run: "b" }, [asked])).toEqual({ last: asked });
  });
});

test("what a decision says reads as a sentence, cut where it is long", () => {
  const more: Correction[] = [
    { ...strike, comment: "last year's" },
    { ...strike, action: "correct", value: "$12" },
    { ...strike, action: "comment", comment: "since May" },
    { ...strike, action: "keep" },
  ];
  expect(remarksText({})).toBe("");
  expect(remarksText({ comment: "no", corrections: [] })).toBe(": no");
  expect(remarksText({ corrections: more })).toBe(
    ': "$9" struck: last year\'s; "$9" corrected to "$12"; "$9" commented: since May; "$9" kept as found',
  );
  expect(remarksText({ comment: "no", corrections: Array.from({ length: 12 }, () => strike) })).toMatch(
    /^: no \((?:"\$9" struck; ){10}and 2 more\)$/,
  );
});

test("items have one name, however they are written", () => {
  expect(itemName({ b: 1, a: "x" })).toBe(itemName({ a: "x", b: 1 }));
  expect([itemName("a"), itemName(undefined)]).toEqual(["a", undefined]);
});

test("decisions with other corrections are others", () => {
  expect(sameCorrections(undefined, [])).toBe(true);
  expect(sameCorrections([strike], [{ ...strike }])).toBe(true);
  expect(sameCorrections([strike], undefined)).toBe(false);
  expect(sameCorrections([strike], [{ ...strike, comment: "x" }])).toBe(false);
});

test("a summary that names two facts alike is invalid", () => {
  const twice = summary({ id: "a", label: "A", value: "1" }, { id: "a", label: "A", value: "2" });
  expect(summarySchema.safeParse(twice).error?.issues).toMatchObject([
    { path: ["facts", 1, "id"], message: "two facts have this id" },
  ]);
  const plain = summary({ label: "A", value: "1" }, { label: "A", value: "1" });
  expect(summarySchema.safeParse(plain).success).toBe(true);
});

describe("what a run does after a gate", () => {
  const decision: FinalDecision = {
    gate: "ask",
    digest: "a".repeat(64),
    decision: "approved",
    by: "ann",
    how: "ReviewLink",
    automatic: false,
    at: "2026-11-30T10:00:00.000Z",
  };
  test("does not depend on corrections, but for the bytes that its steps read", () => {
    const keys = { findings: "f", decision: "d" };
    expect(gateOutcome({ ...decision, corrections: [strike] }, keys)).toEqual(gateOutcome(decision, keys));
  });
});
