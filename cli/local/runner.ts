import pLimit from "p-limit";

import type { StepRequest, StepResult, Usage } from "../../lib/step.ts";
import { identityOf, type StepOutcome, stepInput } from "../../pipeline/dispatch.ts";
import type { Decision, Findings } from "../../pipeline/findings.ts";
import { BUDGET_EXCEEDED, fanOutFailure, findingsOf, usageOf } from "../../pipeline/outcomes.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { RunOrder } from "../../pipeline/run-order.ts";
import { stagesOf } from "../../pipeline/stages.ts";

/** What happens outside: the Broker, the step records, the gate. */
export interface RunnerEdges {
  /** Hands a step to its function and waits until it is done, redeliveries included. */
  dispatch(id: string, request: Omit<StepRequest, "token">): Promise<StepResult>;
  /** The result of a step that is done already; a failed one is forgotten, and tried again. */
  recorded(id: string): Promise<StepResult | undefined>;
  /** The findings of this run that wait at the gate, or passed it. */
  reviewed(): Promise<Findings | undefined>;
  /** Opens the gate, or finds it open, and waits for the decision. */
  decide(findings: Findings, usage: Usage): Promise<{ decision: Decision; result: StepResult }>;
  emit(event: RunEvent): void;
  readonly signal: AbortSignal;
  now(): Date;
}

export type RunEvent =
  | { readonly type: "started"; readonly step: string; readonly item?: string }
  | {
      readonly type: "ended";
      readonly step: string;
      readonly item?: string;
      readonly result: StepResult;
      /** True when an earlier run had done it. */
      readonly recorded: boolean;
      readonly ms: number;
    };

export interface RunEnd {
  readonly phase: "Succeeded" | "Rejected" | "Failed";
  readonly reason?: string;
  readonly message?: string;
  readonly outcomes: ReadonlyMap<string, readonly StepOutcome[]>;
  readonly usage: Usage;
  readonly decision?: Decision;
}

/** Walks the pipeline to its end. Stands in for Argo and the Broker: the steps, events and functions are those of a cluster. */
export async function runPipeline(order: RunOrder, edges: RunnerEdges): Promise<RunEnd> {
  const outcomes = new Map<string, StepOutcome[]>();
  let decision: Decision | undefined;
  const end = (phase: RunEnd["phase"], reason?: string, message?: string): RunEnd => ({
    phase,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    outcomes,
    usage: usageOf(outcomes),
    ...(decision === undefined ? {} : { decision }),
  });

  const reviewed = await edges.reviewed();
  if (reviewed) restore(reviewed, outcomes, edges);

  for (const stage of stagesOf(order.pipeline)) {
    if ("chain" in stage) {
      if (!reviewed) await fanOut(stage.chain, order.lists[stage.forEach], order, outcomes, edges);
      const failure = fanOutFailure(stage.chain, order, outcomes);
      if (failure) return end("Failed", failure.reason, failure.message);
    } else if (stage.step.gate) {
      const decided = await edges.decide(reviewed ?? findingsOf(order, outcomes), usageOf(outcomes));
      decision = decided.decision;
      outcomes.set(stage.step.name, [decided.result]);
      if (decision.decision === "rejected") return end("Rejected", "Rejected", rejection(decision));
    } else {
      const result = await runStep(stage.step, order, outcomes, edges);
      if (result.outcome === "failed") return end("Failed", result.reason, result.message);
    }
  }
  return end("Succeeded");
}

async function fanOut(
  chain: readonly Step[],
  items: readonly string[],
  order: RunOrder,
  outcomes: Map<string, StepOutcome[]>,
  edges: RunnerEdges,
): Promise<void> {
  const limit = pLimit(order.parallelism);
  let spent = false;
  const runItem = async (item: string): Promise<void> => {
    for (const step of chain) {
      // Nothing new starts once the budget is spent: each further site could only fail the same way.
      if (spent) return;
      const result = await runStep(step, order, outcomes, edges, item);
      if (result.reason === BUDGET_EXCEEDED) spent = true;
      if (result.outcome === "failed") return;
    }
  };
  // A settled wait, so that an interruption leaves no step of ours behind.
  const settled = await Promise.allSettled(items.map((item) => limit(runItem, item)));
  for (const one of settled) if (one.status === "rejected") throw one.reason;
}

async function runStep(
  step: Step,
  order: RunOrder,
  outcomes: Map<string, StepOutcome[]>,
  edges: RunnerEdges,
  item?: string,
): Promise<StepResult> {
  edges.signal.throwIfAborted();
  const input = stepInput(step, order.params, outcomes, item);
  const id = identityOf(order.workload.uid, step, input);
  const started = edges.now().getTime();
  const about = { step: step.name, ...(item === undefined ? {} : { item }) };
  const known = await edges.recorded(id);
  if (!known) edges.emit({ type: "started", ...about });
  const result =
    known ??
    (await edges.dispatch(id, {
      workload: order.workload,
      run: order.run,
      step: step.name,
      input,
      deadline: new Date(started + order.deadlineMs[step.deadline]).toISOString(),
      retryLimit: order.retryLimit,
    }));
  add(outcomes, step.name, { ...result, ...(item === undefined ? {} : { item }) });
  edges.emit({ type: "ended", ...about, result, recorded: known !== undefined, ms: edges.now().getTime() - started });
  return result;
}

function restore(findings: Findings, outcomes: Map<string, StepOutcome[]>, edges: RunnerEdges): void {
  for (const { item, steps } of findings.items) {
    for (const [step, result] of Object.entries(steps)) {
      add(outcomes, step, { ...result, item });
      edges.emit({ type: "ended", step, item, result, recorded: true, ms: 0 });
    }
  }
}

function add(outcomes: Map<string, StepOutcome[]>, step: string, outcome: StepOutcome): void {
  const all = outcomes.get(step);
  if (all) all.push(outcome);
  else outcomes.set(step, [outcome]);
}

function rejection(decision: Decision): string {
  return `${decision.by} rejected the findings${decision.comment ? `: ${decision.comment}` : ""}`;
}
