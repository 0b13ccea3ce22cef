import { changesOf } from "./changes.ts";
import { ConditionError, parseCondition } from "./condition.ts";
import { BUDGET_EXCEEDED, type Outcomes, outcomeOf, type StepOutcome, upstream } from "./outcomes.ts";
import { listRef, type PipelineStep } from "./pipeline.ts";
import {
  failedResult,
  type Item,
  MAX_ITEMS,
  type PreviousResult,
  type StepInput,
  type UpstreamResult,
} from "./result.ts";
import { inputList, MODEL, type Run, stepOf } from "./run.ts";
import { ancestorsOf, type Stage } from "./stages.ts";
import { toleratedFailures } from "./tolerance.ts";

/** One step of a run: on one item of its fan-out, or a single one. */
export interface Instance {
  readonly step: PipelineStep;
  readonly index?: number;
  readonly item?: Item;
}

/** How a run ends, or is going to. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
}
export type RunEnd = { readonly phase: "Succeeded" } | ({ readonly phase: "Failed" | "Rejected" } & Failure);

/** One stage of a run, given how its steps ended so far. */
export interface StageView {
  readonly stage: Stage;
  /**
   * waiting: for the stages before it. running: its steps may start. over: each step has ended, or never starts because a step
   * before it failed on the same item. blocked: a step before it failed, or a gate rejected, so none of it runs.
   */
  readonly state: "waiting" | "running" | "over" | "blocked";
  /** The entries of its list: an input's from the start, a returned list's once the stages before it are over. */
  readonly items?: readonly Item[];
}

/** How far a run is. */
export interface Walk {
  readonly stages: readonly StageView[];
  /** Steps that may start and have no outcome yet, gates included. Those in flight are among them. */
  readonly ready: readonly Instance[];
  /** Why the run fails: nothing new starts, steps in flight may end. */
  readonly failure?: Failure;
  /** Nothing new starts any more. */
  readonly end?: RunEnd;
}

/** Judges a run by the outcomes so far. Pure: the local runner starts steps by it, reconcile judges Argo's nodes by it. */
export function walk(run: Run, outcomes: Outcomes): Walk {
  const views = new Map<string, StageView>();
  const ready: Instance[] = [];
  for (const stage of run.stages) {
    const view = viewStage(run, stage, outcomes, views);
    views.set(stage.name, view);
    if (view.state === "running") collectReady(view, outcomes, ready);
  }
  const stages = [...views.values()];
  let failure = budgetFailure(run, outcomes) ?? itemsFailure(stages);
  for (const view of stages) failure ??= stageFailure(run, view, outcomes);
  const open = stages.some(({ state }) => state === "running" || state === "waiting");
  if (open && run.stopped) failure ??= STOPPED;
  const end = open && !failure ? undefined : endOf(run, outcomes, failure);
  return { stages, ready: failure ? [] : ready, ...(failure ? { failure } : {}), ...(end ? { end } : {}) };
}

function viewStage(run: Run, stage: Stage, outcomes: Outcomes, before: ReadonlyMap<string, StageView>): StageView {
  const previous = stage.after.flatMap((name) => before.get(name) ?? []);
  const ended = previous.every(({ state }) => state === "over");
  const items = ended ? itemsOf(run, stage, outcomes) : (inputList(run, stage) as readonly Item[] | undefined);
  const known = items ? { items } : {};
  if (previous.some((view) => view.state === "blocked" || blocksNext(view.stage, outcomes)))
    return { stage, state: "blocked", ...known };
  if (!ended) return { stage, state: "waiting", ...known };
  const count = stage.forEach === undefined ? 1 : (items ?? []).length;
  const over = Array.from({ length: count }, (_, index) => index).every((index) => isItemOver(stage, index, outcomes));
  return { stage, state: over ? "over" : "running", ...known };
}

/** A single step that failed, or a gate that rejected, lets nothing after it start, unless it is optional. A fan-out is judged by its tolerance. */
function blocksNext({ forEach, steps }: Stage, outcomes: Outcomes): boolean {
  return (
    forEach === undefined &&
    steps.some(({ name, optional }) => !optional && outcomeOf(outcomes, name)?.outcome === "failed")
  );
}

/** Each step of the stage has ended on this item, or comes after one that failed on it. */
function isItemOver(stage: Stage, index: number, outcomes: Outcomes): boolean {
  const dead = new Set<string>();
  for (const step of stage.steps) {
    const outcome = outcomeOf(outcomes, step.name, index);
    if (outcome?.outcome === "failed" || (!outcome && step.after.some((name) => dead.has(name)))) dead.add(step.name);
    else if (!outcome) return false;
  }
  return true;
}

/** Steps of a running stage without an outcome, where the steps before them in the same fan-out passed on the item. */
function collectReady({ stage, items }: StageView, outcomes: Outcomes, ready: Instance[]): void {
  const own = new Set(stage.steps.map(({ name }) => name));
  const entries: readonly (Item | undefined)[] = stage.forEach === undefined ? [undefined] : (items ?? []);
  for (const [index, item] of entries.entries())
    for (const step of stage.steps) {
      if (outcomeOf(outcomes, step.name, index)) continue;
      const held = step.after.some((name) => own.has(name) && !passed(outcomeOf(outcomes, name, index)));
      if (!held) ready.push(item === undefined ? { step } : { step, index, item });
    }
}

function passed(outcome: StepOutcome | undefined): boolean {
  return outcome !== undefined && outcome.outcome !== "failed";
}

/**
 * The entries of a stage's list; undefined for a single step. A list that a step returns has what was returned so far: it is
 * complete when the stages before this one are over.
 */
export function itemsOf(run: Run, stage: Stage, outcomes: Outcomes): readonly Item[] | undefined {
  if (stage.forEach === undefined) return undefined;
  const given = inputList(run, stage);
  if (given) return given as readonly Item[];
  return returnedList(run, stage.forEach, outcomes).kept;
}

/** How many entries of a stage's list were left out, because the run had no room for them. */
export function leftOut(run: Run, { forEach }: Stage, outcomes: Outcomes): number {
  return forEach === undefined || "input" in listRef(forEach) ? 0 : returnedList(run, forEach, outcomes).leftOut;
}

/**
 * What the items of a step returned, one result after the other. Where only optional steps run over it, as much as fits: the first item
 * of each result, then the second of each, so that neighbours are of different ones.
 */
function returnedList(run: Run, forEach: string, outcomes: Outcomes): { kept: readonly Item[]; leftOut: number } {
  const ref = listRef(forEach);
  if (!("step" in ref)) return { kept: [], leftOut: 0 };
  const returned = (outcomes.get(ref.step) ?? []).map((outcome) => outcome?.items ?? []);
  const { steps } = run.pipeline;
  if (!steps.every((step) => step.forEach !== forEach || step.optional)) return { kept: returned.flat(), leftOut: 0 };
  // Of what is known when the list is complete, and changes no more.
  const before = ancestorsOf(ref.step, steps);
  const lists = new Map(run.stages.flatMap((stage) => (stage.forEach === undefined ? [] : [[stage.forEach, stage]])));
  let room = MAX_ITEMS;
  for (const [list, stage] of lists) {
    const other = listRef(list);
    if ("input" in other || before.has(other.step)) room -= itemsOf(run, stage, outcomes)?.length ?? 0;
  }
  const ranked = returned.flatMap((items) => items.map((item, rank) => ({ item, rank })));
  const kept = ranked.toSorted((a, b) => a.rank - b.rank).slice(0, Math.max(0, room));
  return { kept: kept.map(({ item }) => item), leftOut: ranked.length - kept.length };
}

function budgetFailure({ pipeline }: Run, outcomes: Outcomes): Failure | undefined {
  const found = pipeline.steps
    .flatMap(({ name }) => outcomes.get(name) ?? [])
    .find((outcome) => outcome?.reason === BUDGET_EXCEEDED);
  return found
    ? { reason: BUDGET_EXCEEDED, message: found.message ?? "the budget is spent: raise spec.budget.maxUsd" }
    : undefined;
}

/** The limit holds for all lists of a run together; a list that several stages run over counts once. */
function itemsFailure(stages: readonly StageView[]): Failure | undefined {
  const counts = new Map(
    stages.flatMap(({ stage, items }) =>
      stage.forEach === undefined || !items ? [] : [[stage.forEach, items.length] as const],
    ),
  );
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total <= MAX_ITEMS) return undefined;
  const lists = [...counts.keys()];
  const have = lists.length === 1 ? `has ${total} items` : `have ${total} items together`;
  return {
    reason: "TooManyItems",
    message: `${lists.join(" and ")} ${have}; a run has at most ${MAX_ITEMS}: shorten the list, or let the step return fewer`,
  };
}

function stageFailure(run: Run, { stage, state, items }: StageView, outcomes: Outcomes): Failure | undefined {
  if (stage.forEach === undefined) return singleFailure(stage, outcomes);
  if (state !== "over" || !items) return undefined;
  const total = items.length;
  const required = stage.steps.filter(({ optional }) => !optional);
  for (const step of required) {
    if (!step.tolerate) continue;
    const limit = toleratedFailures(step.tolerate.failedItems, total);
    const problem = tooManyFailed([step], limit, total, outcomes, `tolerate.failedItems of step ${step.name}`);
    if (problem) return problem;
  }
  const limit = toleratedFailures(run.tolerated, total);
  return tooManyFailed(required, limit, total, outcomes, "spec.tolerate.failedItems");
}

function singleFailure(stage: Stage, outcomes: Outcomes): Failure | undefined {
  const [step] = stage.steps;
  const outcome = step && outcomeOf(outcomes, step.name);
  if (!step || step.gate || step.optional || outcome?.outcome !== "failed") return undefined;
  return { reason: outcome.reason ?? "Failed", message: `step ${step.name}: ${outcome.message ?? "it failed"}` };
}

/** An item that failed at several steps counts once, with the reason of the first of them. */
function tooManyFailed(
  steps: readonly PipelineStep[],
  limit: number,
  total: number,
  outcomes: Outcomes,
  setting: string,
): Failure | undefined {
  const reasons = new Map<string, number>();
  let failed = 0;
  for (let index = 0; index < total; index++) {
    const outcome = steps.map(({ name }) => outcomeOf(outcomes, name, index)).find((one) => one?.outcome === "failed");
    if (!outcome) continue;
    failed++;
    const reason = outcome.reason ?? "Failed";
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  if (failed <= limit) return undefined;
  const list = [...reasons].map(([reason, count]) => `${count} × ${reason}`).join(", ");
  return {
    reason: "TooManyFailedItems",
    message: `${failed} of ${total} items failed (${list}); ${setting} allows ${limit}`,
  };
}

function endOf(run: Run, outcomes: Outcomes, failure: Failure | undefined): RunEnd {
  if (failure) return { phase: "Failed", ...failure };
  for (const { name, gate } of run.pipeline.steps) {
    const outcome = gate && outcomeOf(outcomes, name);
    if (outcome?.outcome === "failed")
      return outcome.reason === REJECTED
        ? { phase: "Rejected", reason: REJECTED, message: outcome.message ?? `gate ${name} was rejected` }
        : { phase: "Failed", reason: outcome.reason ?? "Failed", message: outcome.message ?? `gate ${name} failed` };
  }
  return { phase: "Succeeded" };
}

const STOPPED: Failure = {
  reason: "Stopped",
  message: "somebody ended the run (spec.stop is true). Try it again with: spec.stop false; completed steps are reused",
};

/** The reason of a gate's outcome when somebody, or its timeout, rejected. */
export const REJECTED = "Rejected";

/** What to do with a step that may start. */
export type Turn =
  | { readonly do: "run"; readonly input: StepInput }
  | { readonly do: "skip" }
  | { readonly do: "fail"; readonly result: StepOutcome };

/** Evaluates `when`, and builds the input; a gate has none. `previous`: how the step ended in the run that this one is compared with. */
export function turnOf(run: Run, instance: Instance, outcomes: Outcomes, previous?: PreviousResult): Turn {
  const { step } = instance;
  const unmet = unmetStep(run, instance, outcomes);
  if (unmet !== undefined) return { do: "fail", result: failedResult(UPSTREAM_FAILED, unmet) };
  if (step.when !== undefined) {
    try {
      const condition = parseCondition(step.when);
      const steps = Object.fromEntries(
        condition.steps.map((name) => [name, valuesOf(run, name, instance, outcomes)] as const),
      );
      if (!condition.holds({ inputs: run.inputs, steps, item: instance.item ?? null })) return { do: "skip" };
    } catch (error) {
      if (!(error instanceof ConditionError)) throw error;
      const message = `cannot evaluate \`when\` of step ${step.name}: ${error.message}`;
      return { do: "fail", result: failedResult("InvalidCondition", message) };
    }
  }
  return { do: "run", input: step.gate ? { params: {}, from: {} } : inputOf(run, instance, outcomes, previous) };
}

/** The reason of a step that comes after one that failed on the same item in an earlier fan-out over the list. */
const UPSTREAM_FAILED = "UpstreamFailed";

/** A step gets its own item's result of an earlier fan-out over its list; without that it has nothing to work on. */
function unmetStep(run: Run, { step, index }: Instance, outcomes: Outcomes): string | undefined {
  if (step.forEach === undefined) return undefined;
  for (const name of step.after) {
    const outcome = outcomeOf(outcomes, name, index);
    if (stepOf(run, name)?.forEach !== step.forEach || passed(outcome)) continue;
    const { reason = "Failed", message = "no message" } = outcome ?? {};
    return `step ${name} ${outcome ? `failed on this item: ${reason}: ${message}` : "did not run on this item"}`;
  }
  return undefined;
}

/**
 * What `when` sees of a step. Over the list of the step that asks it is the same item's, as its input is; otherwise all items',
 * data in the list's order, null where there is none. Counts are CEL ints; numbers in data and inputs are CEL doubles.
 */
function valuesOf(run: Run, name: string, { step, index }: Instance, outcomes: Outcomes): Record<string, unknown> {
  const read = stepOf(run, name);
  const fanOut = read?.forEach !== undefined;
  const sameItem = fanOut && read.forEach === step.forEach;
  const count = fanOut && !sameItem ? listItems(run, name, outcomes).length : 1;
  const all = Array.from({ length: count }, (_, at) => outcomeOf(outcomes, name, sameItem ? index : at));
  const ended = (outcome: StepOutcome["outcome"]): bigint =>
    BigInt(all.filter((one) => one?.outcome === outcome).length);
  const counts = {
    total: BigInt(count),
    succeeded: ended("succeeded"),
    failed: ended("failed"),
    skipped: ended("skipped"),
  };
  if (fanOut && !sameItem) return { ...counts, data: all.map((one) => one?.data ?? null) };
  const { outcome = null, data = null, output = null } = all[0] ?? {};
  return { ...counts, outcome, data, output };
}

/** A step's input: its item, the inputs that its `with` names, the changes asked of it, and the results of the steps in its `after`. */
export function inputOf(
  run: Run,
  { step, index, item }: Instance,
  outcomes: Outcomes,
  previous?: PreviousResult,
): StepInput {
  const from: Record<string, UpstreamResult[]> = {};
  for (const name of step.after) from[name] = upstreamOf(run, step, name, index, outcomes);
  const changes = changesOf(run, step.name, item);
  return {
    ...(item === undefined ? {} : { item }),
    ...(changes === undefined ? {} : { changes }),
    params: Object.fromEntries(
      step.with.flatMap((name) => {
        const value = name === MODEL ? run.model : run.inputs[name];
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    from,
    ...(previous === undefined ? {} : { previous }),
  };
}

function upstreamOf(
  run: Run,
  step: PipelineStep,
  name: string,
  index: number | undefined,
  outcomes: Outcomes,
): UpstreamResult[] {
  const before = stepOf(run, name);
  const all = outcomes.get(name) ?? [];
  if (before?.forEach === undefined) return all[0] ? [upstream(all[0])] : [];
  const items = listItems(run, name, outcomes);
  if (before.forEach === step.forEach && index !== undefined) {
    const own = all[index];
    return own ? [upstream(own, items[index])] : [];
  }
  return all.flatMap((outcome, at) => (outcome ? [upstream(outcome, items[at])] : []));
}

/** The items of the fan-out that a step belongs to. */
export function listItems(run: Run, step: string, outcomes: Outcomes): readonly Item[] {
  const stage = run.stages.find(({ steps }) => steps.some(({ name }) => name === step));
  return (stage && itemsOf(run, stage, outcomes)) ?? [];
}
