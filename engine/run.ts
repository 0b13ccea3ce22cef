import type { ChangeRequest, Comparison, WorkloadSpec } from "../crd/agentworkload.ts";
import { parseDuration } from "../crd/duration.ts";
import { canonicalJson, sha256 } from "./canonical.ts";
import { runHash } from "./identity.ts";
import { type FrozenPipeline, listRef, type PipelineStep } from "./pipeline.ts";
import type { WorkloadRef } from "./result.ts";
import { ancestorsOf, type Stage, stagesOf } from "./stages.ts";

/** One run of a workload: what those who drive it go by, and nothing of what the steps do. */
export interface Run {
  readonly workload: WorkloadRef;
  /** engine/identity.ts runHash. */
  readonly run: string;
  /** The same without changes: what the spec alone asks for. */
  readonly base: string;
  /** Runs of the spec with fewer of its changes, `base` first. */
  readonly earlier: readonly string[];
  /** What reviewers asked to be changed, in runs of this spec so far. */
  readonly changes: readonly ChangeRequest[];
  readonly pipeline: FrozenPipeline;
  readonly stages: readonly Stage[];
  readonly inputs: Readonly<Record<string, unknown>>;
  /** What a step's `with: [model]` gets. */
  readonly model: WorkloadSpec["model"];
  /** Items of one fan-out in flight at once. */
  readonly parallelism: number;
  /** A number, or a percentage of a fan-out's items. */
  readonly tolerated: number | string;
  readonly retryLimit: number;
  /** Somebody ended it. */
  readonly stopped: boolean;
  /** The run that it is compared with, for steps with `previous`. */
  readonly comparison?: Comparison;
  /** Asks for results anew. */
  readonly rerun?: NonNullable<WorkloadSpec["rerun"]>;
  readonly itemDeadlineMs: number;
  readonly runDeadlineMs: number;
  readonly review: { readonly required: boolean; readonly timeoutMs: number; readonly onTimeout: "Approve" | "Reject" };
  readonly egressAllow: readonly string[];
  /** US dollars, a decimal string. */
  readonly budgetUsd?: string;
}

const DAY_MS = 24 * 3_600_000;
/** What a step may name in `with` beside the pipeline's inputs. */
export const MODEL = "model";

/** What a run is about: another of these is another run. The other fields are a run's terms, which may change in mid-run. */
export function baseRunOf(
  uid: string,
  { pipeline, inputs, image, resources, model, rerun, compareWith }: WorkloadSpec,
): string {
  return runHash(uid, { pipeline, inputs, image, resources, model, rerun, compareWith });
}

/** `changes`: asked for in runs of the spec so far. With each the spec has another run. */
export function runIdOf(uid: string, spec: WorkloadSpec, changes: readonly ChangeRequest[]): string {
  const base = baseRunOf(uid, spec);
  if (changes.length === 0) return base;
  return runHash(uid, {
    base,
    changes: changes.map(({ digest, steps, comment, corrections }) => ({ digest, steps, comment, corrections })),
  });
}

/** The runs of a spec with fewer of its changes, that without any first. */
export function earlierRunIds(uid: string, spec: WorkloadSpec, changes: readonly ChangeRequest[]): string[] {
  return changes.map((_, count) => runIdOf(uid, spec, changes.slice(0, count)));
}

/** Identifies the terms of a run that its end may depend on: one that failed is tried again under other ones. 64 hex characters. */
export function termsOf({ suspend: _held, ttlAfterFinished: _kept, ...spec }: WorkloadSpec): string {
  return sha256(canonicalJson(spec));
}

/** The run that a spec asks for, of a frozen pipeline, with what reviewers asked to be changed, compared with another. */
export function runOf(
  workload: WorkloadRef,
  spec: WorkloadSpec,
  pipeline: FrozenPipeline,
  { changes = [], comparison }: { changes?: readonly ChangeRequest[]; comparison?: Comparison | undefined } = {},
): Run {
  const review = {
    required: spec.review.required,
    timeoutMs: parseDuration(spec.review.timeout),
    onTimeout: spec.review.onTimeout,
  };
  const gates = pipeline.steps.filter(({ gate }) => gate);
  const waiting = gates.reduce(
    (sum, { gate }) => sum + (gate?.timeout ? parseDuration(gate.timeout) : review.timeoutMs),
    0,
  );
  return {
    workload,
    run: runIdOf(workload.uid, spec, changes),
    base: baseRunOf(workload.uid, spec),
    earlier: earlierRunIds(workload.uid, spec, changes),
    changes,
    pipeline,
    stages: stagesOf(pipeline.steps),
    inputs: spec.inputs,
    model: spec.model,
    parallelism: spec.replicas,
    tolerated: spec.tolerate.failedItems,
    retryLimit: spec.retry.limit,
    stopped: spec.stop,
    ...(comparison ? { comparison } : {}),
    ...(spec.rerun ? { rerun: spec.rerun } : {}),
    itemDeadlineMs: parseDuration(spec.deadlines.item),
    runDeadlineMs: spec.deadlines.run ? parseDuration(spec.deadlines.run) : DAY_MS + waiting,
    review,
    egressAllow: spec.egress.allow,
    ...(spec.budget ? { budgetUsd: spec.budget.maxUsd } : {}),
  };
}

/** Results of the step from before this time are not reused, however fresh they are; undefined: any may be. */
export function redoneSince({ rerun, pipeline }: Run, step: string): Date | undefined {
  if (!rerun) return undefined;
  const { at, from } = rerun;
  const isRedone = from === undefined || from === step || ancestorsOf(step, pipeline.steps).has(from);
  return isRedone ? new Date(at) : undefined;
}

export function stepOf({ pipeline }: Pick<Run, "pipeline">, name: string): PipelineStep | undefined {
  return pipeline.steps.find((step) => step.name === name);
}

/** How long one step may take from its first request, in ms: on an item, or at most as long as the run. */
export function stepDeadlineMs(run: Run, step: PipelineStep): number {
  if (step.timeout) return parseDuration(step.timeout);
  return step.forEach === undefined ? run.runDeadlineMs : run.itemDeadlineMs;
}

/** Attempts beyond the first: a step only narrows what the workload allows. */
export function retryLimitOf(run: Run, step: PipelineStep): number {
  return Math.min(run.retryLimit, step.retry?.limit ?? run.retryLimit);
}

/** How long a gate waits, and what happens then. */
export function gateTerms(run: Run, step: PipelineStep): { timeoutMs: number; onTimeout: "Approve" | "Reject" } {
  return {
    timeoutMs: step.gate?.timeout ? parseDuration(step.gate.timeout) : run.review.timeoutMs,
    onTimeout: step.gate?.onTimeout ?? run.review.onTimeout,
  };
}

/** The list of a stage whose entries the spec has; undefined where a step returns them, and for a single step. */
export function inputList(run: Pick<Run, "inputs">, stage: Stage): readonly unknown[] | undefined {
  if (stage.forEach === undefined) return undefined;
  const ref = listRef(stage.forEach);
  if (!("input" in ref)) return undefined;
  const list = run.inputs[ref.input];
  return Array.isArray(list) ? list : [];
}
