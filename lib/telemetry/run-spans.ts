import { type Attributes, type Context, ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import type { Decision } from "../../engine/findings.ts";
import type { Outcomes, StepOutcome } from "../../engine/outcomes.ts";
import type { Item } from "../../engine/result.ts";
import type { Run } from "../../engine/run.ts";
import { runSpanId, stepSpanId, traceId } from "../../engine/trace.ts";
import { ATTRIBUTE, runAttributes, stepAttributes } from "./attributes.ts";
import { withIds } from "./ids.ts";
import { METRIC } from "./metrics.ts";
import { fail, tracer } from "./span.ts";

interface Period {
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

export interface StepPeriod extends Period {
  readonly step: string;
  /** In a fan-out: which item. */
  readonly index?: number | undefined;
  readonly item?: Item | undefined;
  readonly outcome?: StepOutcome | undefined;
}

export interface GatePeriod extends Period {
  readonly gate: string;
  readonly decision?: Decision | undefined;
}

/** A run that has ended, as its trace tells it. */
export interface EndedRun extends Period {
  readonly run: Run;
  /** engine/trace.ts */
  readonly seed: string;
  readonly phase: "Succeeded" | "Failed" | "Rejected";
  /** Why it did not succeed. */
  readonly problem?: { readonly reason: string; readonly message: string } | undefined;
  readonly costUsd: number;
  readonly outcomes: Outcomes;
  readonly steps: readonly StepPeriod[];
  readonly gates: readonly GatePeriod[];
}

/**
 * Writes the spans of a run's steps and gates, from start to end, and of the run itself. What agents did in a step is below its span
 * already. Written twice, they are the same spans.
 */
export function recordRun(ended: EndedRun): void {
  const { run, seed, steps, gates } = ended;
  countRun(ended);
  const within = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceId(seed),
    spanId: runSpanId(seed),
    traceFlags: TraceFlags.SAMPLED,
  });
  const pipeline = `${run.pipeline.namespace}/${run.pipeline.name}`;
  const common = runAttributes({ workload: run.workload, run: run.run, pipeline });
  for (const step of steps)
    record(`step ${step.step}`, step, {
      within,
      spanId: stepSpanId(seed, step.step, step.index),
      attributes: { ...common, ...stepAttributes(step.step, step.item), ...outcomeAttributes(step.outcome) },
      problem: problemOf(step.outcome),
    });
  for (const gate of gates)
    record(`gate ${gate.gate}`, gate, {
      within,
      spanId: stepSpanId(seed, gate.gate),
      attributes: { ...common, [ATTRIBUTE.step]: gate.gate, ...decisionAttributes(gate.decision) },
    });
  record(`run ${run.pipeline.name}`, ended, {
    within: ROOT_CONTEXT,
    spanId: runSpanId(seed),
    traceId: traceId(seed),
    attributes: {
      ...common,
      [ATTRIBUTE.outcome]: ended.phase,
      [ATTRIBUTE.cost]: ended.costUsd,
      "gen_ai.operation.name": "invoke_workflow",
    },
    problem: ended.problem,
  });
}

const secondsOf = ({ startedAt, finishedAt }: Period): number =>
  Math.max(0, (finishedAt.getTime() - startedAt.getTime()) / 1000);

function countRun(ended: EndedRun): void {
  const { run, phase, costUsd, steps, gates } = ended;
  const { namespace } = run.workload;
  const pipeline = `${run.pipeline.namespace}/${run.pipeline.name}`;
  METRIC.runs.record(1, { namespace, pipeline, outcome: phase });
  METRIC.runDuration.record(secondsOf(ended), { pipeline, outcome: phase });
  METRIC.runCost.record(costUsd, { namespace, pipeline });
  for (const { step, outcome } of steps)
    METRIC.items.record(1, { pipeline, step, outcome: outcome?.outcome ?? "none", reason: outcome?.reason ?? "" });
  for (const gate of gates)
    if (gate.decision) {
      const { decision, automatic } = gate.decision;
      METRIC.gateDuration.record(secondsOf(gate), { pipeline, decision, automatic });
    }
}

interface Recorded {
  readonly within: Context;
  readonly spanId: string;
  readonly traceId?: string;
  readonly attributes: Attributes;
  readonly problem?: { readonly reason: string; readonly message: string } | undefined;
}

function record(name: string, { startedAt, finishedAt }: Period, recorded: Recorded): void {
  const { within, spanId, traceId, attributes, problem } = recorded;
  const ids = traceId === undefined ? { spanId } : { spanId, traceId };
  const span = withIds(ids, () => tracer().startSpan(name, { startTime: startedAt, attributes }, within));
  if (problem) fail(span, problem);
  else span.setStatus({ code: SpanStatusCode.OK });
  // Clocks of two machines: no span ends before it starts.
  span.end(finishedAt < startedAt ? startedAt : finishedAt);
}

function outcomeAttributes(outcome: StepOutcome | undefined): Attributes {
  if (!outcome) return {};
  return { [ATTRIBUTE.outcome]: outcome.outcome, [ATTRIBUTE.cost]: outcome.usage.costUsd };
}

function problemOf(outcome: StepOutcome | undefined): Recorded["problem"] {
  if (outcome?.outcome !== "failed") return undefined;
  return { reason: outcome.reason ?? "", message: outcome.message ?? "" };
}

function decisionAttributes(decision: Decision | undefined): Attributes {
  if (!decision) return {};
  const { by, how, automatic, comment } = decision;
  return {
    [ATTRIBUTE.outcome]: decision.decision,
    [ATTRIBUTE.decidedBy]: by,
    [ATTRIBUTE.decidedHow]: how,
    [ATTRIBUTE.automatic]: automatic,
    ...(comment === undefined ? {} : { [ATTRIBUTE.comment]: comment }),
  };
}
