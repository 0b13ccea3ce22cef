import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, sha256 } from "../../../engine/canonical.ts";
import { pipelineProblems } from "../../../engine/check.ts";
import { findingsOf } from "../../../engine/findings.ts";
import { type OutcomeTable, outcomeOf, SKIPPED, type StepOutcome, setOutcome } from "../../../engine/outcomes.ts";
import type { Item } from "../../../engine/result.ts";
import type { Run } from "../../../engine/run.ts";
import { ancestorsOf } from "../../../engine/stages.ts";
import { type Instance, listItems, REJECTED, type RunEnd, turnOf, walk } from "../../../engine/walk.ts";
import { bad, nameOf, ok, pipelineOf, runWith, type StepYaml } from "./build.ts";

interface Drawn {
  readonly steps: StepYaml[];
  readonly inputs: Record<string, Item[]>;
  readonly failedItems: number | string;
  /** In percent. */
  readonly failureRate: number;
  readonly salt: number;
}

/** For each step which earlier ones it comes after, and what it is; all by numbers that mean something for any number of steps. */
const stepDraw = fc.record({
  after: fc.array(fc.nat(9), { maxLength: 3 }),
  kind: fc.nat(9),
  list: fc.nat(99),
  when: fc.nat(9),
  tolerate: fc.nat(5),
  optional: fc.nat(4),
});

const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    draws: fc.array(stepDraw, { minLength: 1, maxLength: 10 }),
    a: fc.nat(4),
    b: fc.nat(3),
    failedItems: fc.constantFrom<number | string>(0, 1, 2, "50%", "100%"),
    failureRate: fc.constantFrom(0, 5, 20),
    salt: fc.nat(),
  })
  .map(({ draws, a, b, ...rest }) => {
    const steps: StepYaml[] = [];
    const gates = new Set<string>();
    for (const [index, draw] of draws.entries()) {
      const name = `s${index}`;
      const after = index === 0 ? [] : [...new Set(draw.after.map((at) => `s${at % index}`))];
      if (draw.kind < 2 && index > 0 && index < draws.length - 1) {
        gates.add(name);
        steps.push({ name, after, gate: {} });
        continue;
      }
      const before = [...ancestorsOf(name, pipelineOf([...steps, { name, after }]).spec.steps)].sort();
      const returning = before.filter((one) => !gates.has(one));
      const lists = ["inputs.a", "inputs.a", "inputs.b", ...returning.map((one) => `steps.${one}.items`)];
      const forEach: { forEach?: string | undefined } =
        draw.kind < 7 ? { forEach: lists[draw.list % lists.length] } : {};
      const read = before[draw.list % Math.max(before.length, 1)];
      const when = draw.when < 2 && read !== undefined ? { when: `steps.${read}.succeeded > ${draw.when}` } : {};
      // One that is over the list of an optional step before it is optional, too.
      const follows = steps.some(
        (one) => one["optional"] && after.includes(one.name) && one["forEach"] === forEach.forEach,
      );
      const optional = draw.optional === 0 || (follows && forEach.forEach !== undefined) ? { optional: true } : {};
      const tolerates = forEach.forEach !== undefined && draw.tolerate === 0 && !("optional" in optional);
      const tolerate = tolerates ? { tolerate: { failedItems: 1 } } : {};
      steps.push({ name, after, ...forEach, ...when, ...tolerate, ...optional });
    }
    const list = (prefix: string, size: number): string[] => Array.from({ length: size }, (_, at) => `${prefix}${at}`);
    return { ...rest, steps, inputs: { a: list("a", a), b: list("b", b) } };
  });

const SCHEMA = { type: "object", properties: { a: { type: "array" }, b: { type: "array" } } };

/** How an instance ends, whenever it runs. */
function answer({ failureRate, salt }: Drawn, { step, index }: Instance): StepOutcome {
  const roll = Number.parseInt(sha256(canonicalJson([step.name, index ?? null, salt])).slice(0, 6), 16);
  if (roll % 100 < failureRate) return step.gate ? bad(REJECTED) : bad();
  return ok({ items: Array.from({ length: roll % 4 }, (_, at) => `${step.name}-${index ?? 0}-${at}`) });
}

interface Walked {
  readonly end: RunEnd;
  readonly outcomes: OutcomeTable;
  /** By instance; of a gate its findings. */
  readonly inputs: ReadonlyMap<string, string>;
}

/** Walks to the end. Each round some of what is ready starts, and some of what is in flight ends, as `pick` draws it. */
function walkToTheEnd(drawing: Drawn, run: Run, pick: (below: number) => number): Walked {
  const outcomes: OutcomeTable = new Map();
  const inputs = new Map<string, string>();
  const inFlight: Instance[] = [];
  for (let round = 0; round < 5000; round++) {
    const { ready, end } = walk(run, outcomes);
    if (end) return { end, outcomes, inputs };
    for (const { step, index } of ready) expect(outcomeOf(outcomes, step.name, index)).toBeUndefined();
    const waiting = ready.filter((one) => !inputs.has(nameOf(one)));
    if (waiting.length === 0 && inFlight.length === 0)
      throw new Error("stuck: nothing is in flight, and nothing is ready");
    if (inFlight.length === 0 || (waiting.length > 0 && pick(2) === 0)) {
      const instance = waiting[pick(waiting.length)];
      if (!instance) throw new Error("nothing was picked");
      checkStart(run, instance, outcomes);
      const turn = turnOf(run, instance, outcomes);
      const { step, index } = instance;
      inputs.set(nameOf(instance), canonicalJson(step.gate ? findingsOf(run, step, outcomes) : turn));
      if (turn.do === "run") inFlight.push(instance);
      else setOutcome(outcomes, step.name, index, turn.do === "skip" ? SKIPPED : turn.result);
    } else {
      const [instance] = inFlight.splice(pick(inFlight.length), 1);
      if (instance) setOutcome(outcomes, instance.step.name, instance.index, answer(drawing, instance));
    }
  }
  throw new Error("the run does not end");
}

/** Nothing starts before what it comes after. */
function checkStart(run: Run, { step, index }: Instance, outcomes: OutcomeTable): void {
  for (const name of step.after) {
    const before = run.pipeline.steps.find((one) => one.name === name);
    const stage = run.stages.find(({ steps }) => steps.some((one) => one.name === name));
    const joined = stage?.steps.some((one) => one.name === step.name);
    if (before?.forEach === undefined)
      expect(outcomeOf(outcomes, name)?.outcome).toMatch(before?.optional ? /./ : /succeeded|skipped/);
    else if (joined) expect(outcomeOf(outcomes, name, index)?.outcome).toMatch(/succeeded|skipped/);
    else
      for (const at of listItems(run, name, outcomes).keys())
        expect([name, at, hasEnded(run, name, at, outcomes)]).toEqual([name, at, true]);
  }
}

/** It has an outcome, or a step before it on the same item failed. */
function hasEnded(run: Run, name: string, index: number, outcomes: OutcomeTable): boolean {
  const outcome = outcomeOf(outcomes, name, index);
  if (outcome) return true;
  const step = run.pipeline.steps.find((one) => one.name === name);
  const before = run.pipeline.steps.filter((one) => step?.after.includes(one.name) && one.forEach === step.forEach);
  return before.some(
    (one) =>
      outcomeOf(outcomes, one.name, index)?.outcome === "failed" ||
      (!outcomeOf(outcomes, one.name, index) && hasEnded(run, one.name, index, outcomes)),
  );
}

function plain(outcomes: OutcomeTable): unknown {
  return Object.fromEntries([...outcomes].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

describe("random pipelines in random orders", () => {
  test("end, run each instance at most once and in order, and give the same results in any order", async () => {
    const ends = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(drawn, fc.infiniteStream(fc.nat(1 << 20)), async (drawing, stream) => {
        const { spec } = pipelineOf(drawing.steps, { inputs: { schema: SCHEMA } });
        const problems = await pipelineProblems(spec);
        // What is drawn is valid, but for a gate at the end.
        expect(problems.filter(({ path }) => path[0] !== "output")).toEqual([]);
        const run = runWith(drawing.steps, { inputs: drawing.inputs, tolerate: { failedItems: drawing.failedItems } });
        const first = walkToTheEnd(drawing, run, () => 0);
        const other = walkToTheEnd(drawing, run, (below) => (stream.next().value ?? 0) % below);
        ends.set(first.end.phase, (ends.get(first.end.phase) ?? 0) + 1);
        expect(other.end.phase).toBe(first.end.phase);
        // A run that fails stops where it is, and where that is depends on the order.
        if (first.end.phase === "Failed") return;
        expect(other.end).toEqual(first.end);
        expect(plain(other.outcomes)).toEqual(plain(first.outcomes));
        expect([...other.inputs].toSorted()).toEqual([...first.inputs].toSorted());
      }),
      { numRuns: 500 },
    );
    // The draw reaches all of them.
    expect([...ends.keys()].sort()).toEqual(["Failed", "Rejected", "Succeeded"]);
  });
});
