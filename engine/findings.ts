import { z } from "zod";
import { changeRequestSchema, correctionSchema, type Review, reviewSchema } from "../crd/agentworkload.ts";
import { changesBefore } from "./changes.ts";
import { remarksText } from "./correction-text.ts";
import { type Outcomes, outcomeOf, type StepOutcome, upstream } from "./outcomes.ts";
import type { PipelineStep } from "./pipeline.ts";
import { NO_USAGE, upstreamResultSchema, workloadRefSchema } from "./result.ts";
import { type Run, stepOf } from "./run.ts";
import { leftOut, listItems, REJECTED } from "./walk.ts";

/** How one shown step ended on one item; where it never ran, the step before it that failed. */
const findingSchema = upstreamResultSchema.extend({ step: z.string() });
export type Finding = z.infer<typeof findingSchema>;

/** A correction that counts, and whose it is. */
export const madeCorrectionSchema = correctionSchema.extend({
  action: correctionSchema.shape.action.exclude(["keep"]),
  by: z.string(),
  at: z.iso.datetime(),
});
export type MadeCorrection = z.infer<typeof madeCorrectionSchema>;

/**
 * What stands before a gate: artifact `findings` (canonical JSON). Its sha256 is the review's digest, and since every artifact key in
 * it is a content address, the digest covers each byte that the reviewer is shown.
 */
export const findingsSchema = z.strictObject({
  workload: workloadRefSchema,
  /** The run without changes: what no change concerns has the same digest before and after it, and a decision on it stands. */
  run: z.string(),
  /** What reviewers asked of the steps before this gate: these are the results of it. */
  changes: z
    .array(changeRequestSchema.pick({ gate: true, steps: true, comment: true, corrections: true, by: true, at: true }))
    .optional(),
  pipeline: z.strictObject({ namespace: z.string(), name: z.string(), description: z.string().optional() }),
  gate: z.string(),
  /** The workload's inputs that are no lists: what was asked. */
  inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** By shown step, in the pipeline's order; in a fan-out in the order of its list. */
  results: z.array(findingSchema),
  /** What the last review said of facts that are as they were: it counts, unless the reviewer says otherwise. */
  carried: z.array(madeCorrectionSchema).optional(),
  /** What it said of facts whose value is another one since. */
  noted: z.array(madeCorrectionSchema).optional(),
  /** Entries of a shown step's list for which the run had no room. Absent: none. */
  leftOut: z.array(z.strictObject({ step: z.string(), items: z.int().min(1) })).optional(),
});
export type Findings = z.infer<typeof findingsSchema>;

/** How a gate was decided: artifact `decision` (JSON). Its fields are those of a review in the workload's status. */
export const decisionSchema = reviewSchema
  .pick({
    gate: true,
    digest: true,
    decision: true,
    steps: true,
    by: true,
    how: true,
    automatic: true,
    at: true,
    comment: true,
    corrections: true,
  })
  .required({ decision: true, by: true, how: true, automatic: true, at: true });
export type Decision = z.infer<typeof decisionSchema>;
/** One that settles its gate. */
export const finalDecisionSchema = decisionSchema
  .omit({ steps: true })
  .extend({ decision: z.enum(["approved", "rejected"]).describe("What was decided.") });
export type FinalDecision = z.infer<typeof finalDecisionSchema>;

/** As in "approved by ann". */
export function decisionText(decision: Decision["decision"]): string {
  return decision === "changesRequested" ? "changes requested" : decision;
}

export function isFinal(decision: Decision): decision is FinalDecision {
  return decision.decision !== "changesRequested";
}

/** CloudEvent type of a decision that comes by the Broker. */
export const REVIEW_DECIDED = "dev.agentic.review.decided";
/** CloudEvent type that says a review waits; its data has the link that permits the decision. */
export const REVIEW_REQUESTED = "dev.agentic.review.requested";

/** Equal outcomes give equal findings, whatever order they came in. */
export function findingsOf(run: Run, gate: PipelineStep, outcomes: Outcomes): Findings {
  const { namespace, name, description } = run.pipeline;
  const changes = changesBefore(run, gate).map(({ run: _run, digest: _digest, ...change }) => change);
  const shown = gate.gate?.show ?? gate.after;
  const omitted = shown.flatMap((step) => leftOutOf(run, step, outcomes));
  return {
    workload: run.workload,
    run: run.base,
    ...(changes.length === 0 ? {} : { changes }),
    pipeline: { namespace, name, ...(description === undefined ? {} : { description }) },
    gate: gate.name,
    inputs: Object.fromEntries(
      Object.entries(run.inputs).filter((entry): entry is [string, string | number | boolean] =>
        ["string", "number", "boolean"].includes(typeof entry[1]),
      ),
    ),
    results: shown.flatMap((step) => findingsOfStep(run, step, outcomes)),
    ...(omitted.length === 0 ? {} : { leftOut: omitted }),
  };
}

function leftOutOf(run: Run, step: string, outcomes: Outcomes): NonNullable<Findings["leftOut"]> {
  const stage = run.stages.find(({ steps }) => steps.some(({ name }) => name === step));
  const items = stage ? leftOut(run, stage, outcomes) : 0;
  return items === 0 ? [] : [{ step, items }];
}

function findingsOfStep(run: Run, shown: string, outcomes: Outcomes): Finding[] {
  const step = stepOf(run, shown);
  if (!step || step.gate) return [];
  if (step.forEach === undefined) return finding(run, step, undefined, outcomes);
  return listItems(run, shown, outcomes).flatMap((item, index) =>
    finding(run, step, index, outcomes).map((one) => ({ ...one, item })),
  );
}

function finding(run: Run, step: PipelineStep, index: number | undefined, outcomes: Outcomes): Finding[] {
  const outcome = outcomeOf(outcomes, step.name, index);
  if (outcome) return [{ step: step.name, ...upstream(outcome) }];
  const before = step.after
    .flatMap((name) => stepOf(run, name) ?? [])
    .filter(({ forEach }) => forEach === step.forEach);
  return before
    .flatMap((one) => finding(run, one, index, outcomes).filter(({ outcome: end }) => end === "failed"))
    .slice(0, 1);
}

/** A gate as a step that has ended: what the steps after it get. `findings`, `decision`: artifact keys. */
export function gateOutcome(
  decision: FinalDecision,
  keys: { readonly findings: string; readonly decision: string },
): StepOutcome {
  const artifacts = { ...keys };
  if (decision.decision === "approved") return { outcome: "succeeded", output: "approved", artifacts, usage: NO_USAGE };
  return { outcome: "failed", reason: REJECTED, message: rejectedBy(decision), artifacts, usage: NO_USAGE };
}

export function rejectedBy({ by, gate, ...said }: Pick<Review, "by" | "gate" | "comment" | "corrections">): string {
  return `${by} rejected gate ${gate}${remarksText(said)}`.slice(0, 1024);
}
