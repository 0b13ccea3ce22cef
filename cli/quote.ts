import type { Outcomes } from "../engine/outcomes.ts";
import type { PipelineStep } from "../engine/pipeline.ts";
import type { Run } from "../engine/run.ts";
import { walk } from "../engine/walk.ts";
import { modelsOf } from "../lib/model/choice.ts";
import { costOfCall } from "../lib/model/cost.ts";
import { ASSUMED_CALL, asksModel, budgetLeft, costOfAsking, knownTimes, timesOf } from "../lib/model/worst-case.ts";
import { usd } from "./cost.ts";
import { table } from "./kubectl/table.ts";

export interface QuotedStep {
  readonly step: string;
  /** Absent: a gate. */
  readonly agent?: string;
  /** How often it runs, reused results included. */
  readonly total: number;
  /** The list is one that a step returns: `total` and what follows from it are the most that it can be. */
  readonly atMost?: true;
  /** Absent: not known before. */
  readonly reused?: number;
  readonly toRun: number;
  /** US dollars: one question each. Absent: a price is unknown. */
  readonly worstUsd?: number;
}

/** What a run would do and cost, before it does. Dollars are US dollars; what is not known is absent. */
export interface Quote {
  readonly namespace: string;
  readonly name: string;
  /** NAMESPACE/NAME */
  readonly pipeline: string;
  readonly steps: readonly QuotedStep[];
  /** Of all lists. To do: those of which a step would run. */
  readonly items: { readonly total: number; readonly toDo: number; readonly atMost?: true };
  /** Absent: no step that would run asks one. */
  readonly model?: { readonly names: readonly string[]; readonly callUsd?: number };
  /** Of the steps that would run, and never more than what is left of the budget. */
  readonly worstUsd?: number;
  readonly budgetUsd?: number;
  /** What the workload is known to have cost already: it counts towards the budget. */
  readonly spentUsd: number;
  readonly budgetIsBelowOneCall?: boolean;
}

export interface QuoteTerms {
  /** False: it is not known which results are reused. */
  readonly isReuseKnown: boolean;
  readonly hasModel: boolean;
  readonly spentUsd: number;
  /** The command would start nothing. */
  readonly isOver?: boolean;
}

/** `outcomes`: what is recorded, and would be reused. */
export function quoteOf(run: Run, outcomes: Outcomes, terms: QuoteTerms): Quote {
  const { workload, pipeline, model, budgetUsd } = run;
  const isOver = terms.isOver === true || walk(run, outcomes).end !== undefined;
  const steps = pipeline.steps.map((step) => quotedStep(run, step, outcomes, { ...terms, isOver }));
  const asking = pipeline.steps.filter(asksModel).map(({ name }) => name);
  const questions = steps.reduce((sum, { step, toRun }) => sum + (asking.includes(step) ? toRun : 0), 0);
  const left = budgetLeft(run, terms.spentUsd);
  const isAsked = terms.hasModel && questions > 0;
  const callUsd = costOfCall(model, ASSUMED_CALL);
  const worstUsd = isAsked ? costOfAsking(model, questions, left) : 0;
  return {
    namespace: workload.namespace,
    name: workload.name,
    pipeline: `${pipeline.namespace}/${pipeline.name}`,
    steps,
    items: itemsToDo(run, outcomes, isOver),
    ...(isAsked ? { model: { names: modelsOf(model), ...(callUsd === undefined ? {} : { callUsd }) } } : {}),
    ...(worstUsd === undefined ? {} : { worstUsd }),
    ...(budgetUsd === undefined ? {} : { budgetUsd: Number(budgetUsd) }),
    spentUsd: terms.spentUsd,
    ...(isAsked && left !== undefined && callUsd !== undefined ? { budgetIsBelowOneCall: left < callUsd } : {}),
  };
}

function quotedStep(
  run: Run,
  step: PipelineStep,
  outcomes: Outcomes,
  { isReuseKnown, hasModel, isOver }: QuoteTerms,
): QuotedStep {
  const known = knownTimes(run, step, outcomes);
  const total = known ?? timesOf(run, step, outcomes);
  const reused = (outcomes.get(step.name) ?? []).filter(Boolean).length;
  const toRun = isOver ? 0 : Math.max(0, total - reused);
  const worstUsd = hasModel && asksModel(step) ? costOfAsking(run.model, toRun, undefined) : 0;
  return {
    step: step.name,
    ...(step.agent === undefined ? {} : { agent: step.agent }),
    total,
    ...(known === undefined ? { atMost: true } : {}),
    ...(isReuseKnown ? { reused } : {}),
    toRun,
    ...(worstUsd === undefined ? {} : { worstUsd }),
  };
}

/** A list that several steps run over counts once. */
function itemsToDo(run: Run, outcomes: Outcomes, isOver: boolean): Quote["items"] {
  const lists = Map.groupBy(
    run.pipeline.steps.filter(({ forEach }) => forEach !== undefined),
    ({ forEach }) => forEach,
  );
  let total = 0;
  let toDo = 0;
  let atMost = false;
  for (const steps of lists.values()) {
    const [first] = steps;
    if (!first) continue;
    atMost ||= knownTimes(run, first, outcomes) === undefined;
    const items = Array.from({ length: timesOf(run, first, outcomes) }, (_, index) => index);
    total += items.length;
    if (!isOver) toDo += items.filter((index) => steps.some(({ name }) => !outcomes.get(name)?.[index])).length;
  }
  return { total, toDo, ...(atMost ? { atMost } : {}) };
}

/** For people. Ends with a line break. */
export function quoteText({ steps, items, model, worstUsd, budgetUsd, spentUsd, budgetIsBelowOneCall }: Quote): string {
  const rows = steps.map(({ step, agent = "(gate)", total, atMost, reused, toRun, worstUsd: worst }) => {
    const most = (count: number): string => `${atMost ? "≤ " : ""}${count}`;
    return [step, agent, most(total), reused === undefined ? "?" : String(reused), most(toRun), dollars(worst)];
  });
  const most = items.atMost ? "at most " : "";
  const { inputTokens } = ASSUMED_CALL;
  return [
    table([["STEP", "AGENT", "TOTAL", "REUSED", "TO RUN", "WORST CASE"], ...rows]).trimEnd(),
    "",
    ...(items.total > 0 ? [`Items to work on: ${most}${items.toDo} of ${most}${items.total}`] : []),
    model
      ? `Model: ${model.names.join(", then ")}, at most ${dollars(model.callUsd)} a call of ${inputTokens.toLocaleString("en")} tokens and a picture`
      : "Model: none is asked",
    `Worst case: ${dollars(worstUsd)}${worstText(worstUsd, steps)}`,
    budgetUsd === undefined
      ? "Ceiling: none. Set one: spec.budget.maxUsd"
      : `Ceiling: ${usd(budgetUsd)} (spec.budget.maxUsd), of which ${usd(spentUsd)} are spent`,
    ...(budgetIsBelowOneCall
      ? [
          "What is left of the budget is below one call: such a call fails with BudgetExceeded. Raise spec.budget.maxUsd",
        ]
      : []),
    "",
  ].join("\n");
}

function worstText(worstUsd: number | undefined, steps: readonly QuotedStep[]): string {
  if (worstUsd === 0 || worstUsd === undefined) return "";
  const sum = steps.reduce((all, { worstUsd: worst = Number.POSITIVE_INFINITY }) => all + worst, 0);
  return worstUsd < sum - 1e-9
    ? ", which is what is left of the budget"
    : ", if each step asks one such question and repairs its answer once";
}

function dollars(amount: number | undefined): string {
  return amount === undefined ? "not known" : usd(amount);
}
