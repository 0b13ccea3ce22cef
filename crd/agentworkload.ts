import { z } from "zod";
import {
  API_VERSION,
  condition,
  decimal,
  duration,
  host,
  image,
  isRecord,
  label,
  metadata,
  resources,
  tolerance,
} from "./fields.ts";

/** The AgentWorkload is one run of a pipeline. Its type, CRD, reference page and validation all come from this schema. */

/** The Workflow is named `NAME-RUN`, RUN has 10 characters, and Argo allows 63. */
export const MAX_WORKLOAD_NAME = 52;
const NAME_TOO_LONG = `expected at most ${MAX_WORKLOAD_NAME} characters: the Workflow's name adds 11`;

const workloadName = z
  .string("a name is needed")
  .max(MAX_WORKLOAD_NAME, NAME_TOO_LONG)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "expected lower-case letters, digits and dashes");

const REASONING_EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

export const workloadSpecSchema = z
  .strictObject({
    pipeline: z
      .string()
      .max(63)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "expected the name of an AgentPipeline")
      .optional()
      .describe(
        "An AgentPipeline of this namespace or of agentic-system. Absent: the installation's default, unless image is set.",
      ),
    inputs: z
      .record(z.string().max(63), z.unknown())
      .default({})
      .describe("Inputs of the pipeline, as its inputs.schema describes them."),
    image: image
      .optional()
      .describe(
        "Shorthand for a pipeline of one step, which runs this image for each entry of inputs.items. Excludes pipeline.",
      ),
    resources: resources.optional().describe("Resources of the image's container. Only with image."),
    replicas: z.int().min(1).max(64).default(10).describe("Items in flight at once."),
    suspend: z
      .boolean()
      .default(false)
      .describe("True pauses the run: no step starts, running steps finish. False continues it."),
    stop: z
      .boolean()
      .default(false)
      .describe(
        "True ends the run: no step starts, running steps finish, and it fails with Stopped. False tries it again.",
      ),
    rerun: z
      .strictObject({
        at: z.iso.datetime().describe("Results from before this time are not reused. Another time is another run."),
        from: label
          .optional()
          .describe(
            "The step from which on results are not reused; those of the steps before it are. Absent: none are.",
          ),
      })
      .optional()
      .describe("Asks for another run of the same spec, as `kubectl agentic rerun` does."),
    compareWith: workloadName
      .optional()
      .describe(
        "An AgentWorkload of this namespace. Steps with `previous` get how they ended in its last run that succeeded. Absent: in this workload's, once rerun without `from` asks for all of it again.",
      ),
    model: z
      .strictObject({
        name: z.string().min(1).max(128).default("gpt-6-luna").describe("Name of the model in LiteLLM."),
        fallbacks: z
          .array(z.string().min(1).max(128))
          .max(5)
          .default([])
          .describe("Models to try in this order when the first does not answer."),
        maxOutputTokens: z
          .int()
          .min(64)
          .max(16_384)
          .default(1024)
          .describe("Most tokens of one answer, reasoning included. Applies to every step that asks a model."),
        reasoningEffort: z
          .enum(REASONING_EFFORTS)
          .optional()
          .describe("How much a reasoning model reasons, which counts as output. Absent: the model's default."),
      })
      .prefault({})
      .describe("The model that agents ask."),
    budget: z
      .strictObject({
        maxUsd: decimal.describe(
          "Most US dollars that the workload may cost: reserved before each call, settled after it. Required where the namespace has a quota of dollars.",
        ),
      })
      .optional()
      .describe("Hard limit of the cost. The run fails with BudgetExceeded when it is spent."),
    review: z
      .strictObject({
        required: z
          .boolean()
          .default(true)
          .describe("Whether a person decides at gates. False approves automatically and records that."),
        timeout: duration.default("24h").describe("How long a gate waits."),
        onTimeout: z
          .enum(["Approve", "Reject"])
          .default("Reject")
          .describe("Decision when nobody has decided in time."),
      })
      .prefault({})
      .describe("Defaults for gates; the pipeline's own settings take precedence."),
    egress: z
      .strictObject({
        allow: z
          .array(host)
          .max(100)
          .default([])
          .describe("Hosts beyond those of the items; a leading `*.` allows subdomains."),
      })
      .prefault({})
      .describe("Hosts that steps may reach. A step of the pipeline can only narrow this."),
    tolerate: z
      .strictObject({
        failedItems: tolerance
          .default("20%")
          .describe("How many items of a fan-out may fail before the run fails: a number or a percentage."),
      })
      .prefault({})
      .describe("Failure tolerance."),
    deadlines: z
      .strictObject({
        item: duration.default("3m").describe("Deadline of one step on one item, from its first request."),
        run: duration.optional().describe("Deadline of the whole run. Absent: 24h plus the timeouts of its gates."),
      })
      .prefault({})
      .describe("Deadlines."),
    retry: z
      .strictObject({
        limit: z.int().min(0).max(20).default(3).describe("Retries of a step after a temporary failure."),
      })
      .prefault({})
      .describe("Retry policy."),
    freshness: duration.default("24h").describe("Oldest age at which a later run reuses a succeeded step."),
    ttlAfterFinished: duration.default("30d").describe("How long a finished run's Workflow and artifacts are kept."),
  })
  .describe("Desired state.");
export type WorkloadSpec = z.infer<typeof workloadSpecSchema>;

const usageSchema = z.strictObject({
  inputTokens: z.int().describe("Tokens sent to models."),
  outputTokens: z.int().describe("Tokens returned by models, reasoning included."),
  costUsd: z.string().describe("US dollars, a decimal string."),
  browserSeconds: z.number().describe("Seconds of browser time."),
});

/** What can be decided at a gate. */
export const DECISIONS = ["approved", "rejected", "changesRequested"] as const;

/** What can be done to a fact of the findings. */
const CORRECTION_ACTIONS = ["strike", "correct", "comment", "keep"] as const;
/** Of one decision. */
export const MAX_CORRECTIONS = 100;

/** What a reviewer makes of one fact of the findings, named by step, item and the id that its summary gives it. */
export const correctionSchema = z.strictObject({
  step: z.string().min(1).max(63).describe("Step of the finding."),
  item: z
    .string()
    .max(4096)
    .optional()
    .describe("Item of the finding; of an object its JSON with sorted keys (RFC 8785). Absent: the step has no items."),
  fact: z.string().min(1).max(200).describe("Id of the fact in the finding's summary."),
  of: z.string().max(1000).describe("Value of the fact as it was seen: what is corrected."),
  action: z
    .enum(CORRECTION_ACTIONS)
    .describe(
      "strike: it does not hold. correct: it is `value`. comment: it stands, and `comment` is said of it. keep: it stands as it was found, and what an earlier review said of it is dropped.",
    ),
  value: z.string().min(1).max(1000).optional().describe("What it is instead. Only with correct."),
  comment: z.string().min(1).max(1000).optional().describe("What the reviewer says of it."),
});
export type Correction = z.infer<typeof correctionSchema>;
export const correctionsSchema = z.array(correctionSchema).min(1).max(MAX_CORRECTIONS);

/** The review of one gate's findings. Status, review stores and the review page all use this schema. */
export const reviewSchema = z.strictObject({
  gate: z.string().describe("Step that is the gate."),
  run: z.string().describe("Run that the findings belong to."),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe("sha256 of the findings. A decision applies to this digest only."),
  openedAt: z.iso.datetime().describe("When the gate opened."),
  timeoutAt: z.iso.datetime().describe("When onTimeout takes effect."),
  onTimeout: z.enum(["Approve", "Reject"]).describe("Decision at timeoutAt, if nobody has decided."),
  costOfApproving: z
    .string()
    .optional()
    .describe("Most US dollars that the steps after the gate can cost, a decimal string. Absent: unknown."),
  changeable: z
    .array(z.string())
    .optional()
    .describe(
      "Steps before the gate that changes can be asked of. Absent: none, or too many changes were asked already.",
    ),
  decision: z
    .enum(DECISIONS)
    .optional()
    .describe(
      "Absent while the gate is open. changesRequested: steps run again with the comment, and the gate opens again.",
    ),
  steps: z
    .array(z.string())
    .optional()
    .describe("Steps that run again. Only of changesRequested; absent: those the gate shows."),
  by: z.string().max(256).optional().describe("Who decided."),
  how: z
    .enum(["AgentDecision", "ReviewLink", "CommandLine", "Setting", "Timeout", "Argo"])
    .optional()
    .describe("How the decision arrived."),
  automatic: z
    .boolean()
    .optional()
    .describe("True if no person was asked: decided by a setting, by the timeout, or by Argo."),
  at: z.iso.datetime().optional().describe("When it was decided."),
  comment: z.string().max(4000).optional().describe("Comment for later steps and readers."),
  corrections: correctionsSchema.optional().describe("What was said of single facts of the findings."),
});
export type Review = z.infer<typeof reviewSchema>;

/** Changes that a reviewer asked for: the run has them from then on. */
export const changeRequestSchema = z.strictObject({
  run: z.string().describe("The run of the spec, as it is without changes: another spec has none of them."),
  gate: z.string().describe("Gate at which they were asked for."),
  digest: z.string().describe("sha256 of the findings that they were asked for on."),
  steps: z.array(z.string()).min(1).describe("Steps that run again."),
  comment: z.string().min(1).max(4000).describe("What is to be changed: part of the input of these steps."),
  corrections: correctionsSchema
    .optional()
    .describe("What is said of single facts: each is part of the input of these steps on its item."),
  by: z.string().max(256).describe("Who asked."),
  at: z.iso.datetime().describe("When."),
});
export type ChangeRequest = z.infer<typeof changeRequestSchema>;

/** The run that a run is compared with, from its start to its end. */
export const comparisonSchema = z.strictObject({
  workload: z.string().describe("Name of the workload whose run it is."),
  uid: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]*$/)
    .optional()
    .describe("The workload's uid. Absent: there is no such workload."),
  results: z
    .string()
    .optional()
    .describe("Artifact key of that run's results, an artifact of that workload. Absent: there is nothing to compare."),
  problem: z.string().optional().describe("Why there is nothing to compare."),
  compareWith: z.string().optional().describe("spec.compareWith, for which it was chosen."),
  rerun: z.iso.datetime().optional().describe("spec.rerun.at, for which it was chosen."),
});
export type Comparison = z.infer<typeof comparisonSchema>;

export const WORKLOAD_CONDITIONS = [
  "Accepted",
  "Licensed",
  "Compared",
  "WorkflowCreated",
  "Reviewed",
  "Completed",
  "Ready",
] as const;
export const PHASES = [
  "Pending",
  "Creating",
  "Running",
  "AwaitingReview",
  "Suspended",
  "Succeeded",
  "Rejected",
  "Failed",
] as const;

const statusSchema = z
  .strictObject({
    phase: z.enum(PHASES).describe("The run's state in one word, derived from the conditions."),
    pipeline: z.string().describe("The pipeline of this run: NAMESPACE/NAME."),
    steps: z
      .array(
        z.strictObject({
          name: z.string().describe("Name of the step."),
          total: z
            .int()
            .describe("How often it runs: once, or once for each item. 0 while the number of items is unknown."),
          running: z.int().describe("Runs that have started and not ended."),
          succeeded: z.int().describe("Runs that succeeded."),
          failed: z.int().describe("Runs that failed."),
          skipped: z.int().describe("Runs skipped because `when` was false."),
          costUsd: z.string().describe("US dollars so far, a decimal string."),
          leftOut: z
            .int()
            .optional()
            .describe("Entries of its list for which the run had no room: it is optional. Absent: none."),
        }),
      )
      .describe("Progress of each step, in the pipeline's order."),
    items: z
      .strictObject({
        total: z.int().describe("Known items of all fan-outs."),
        done: z.int().describe("Items that completed all steps of their fan-out."),
        failed: z.int().describe("Items that failed at a step."),
        progress: z.string().describe("done/total, for the printer column."),
      })
      .describe("Progress of the items."),
    conditions: z.array(condition(WORKLOAD_CONDITIONS)).describe("Conditions, with reasons."),
    workflow: z.string().describe("Name of the Argo Workflow."),
    usage: usageSchema.describe("Cost of the run so far."),
    reviews: z.array(reviewSchema).describe("Reviews of the gates that have opened."),
    earlierReviews: z
      .array(reviewSchema)
      .describe(
        "Decisions in runs of earlier specs, as long as their Workflows exist: they count when the spec is taken back.",
      ),
    changes: z
      .array(changeRequestSchema)
      .describe("Changes that reviewers asked for in runs of this spec, the first first."),
    outputs: z.record(z.string(), z.string()).describe("Artifact keys of the run's outputs, by name."),
    results: z
      .string()
      .describe(
        "Artifact key of the results of the last run that succeeded, by step and item: what later runs are compared with.",
      ),
    comparedWith: comparisonSchema.describe("The run that this one is compared with."),
    evidence: z
      .string()
      .describe("Artifact key of the evidence: a signed statement of what the run did, which `agentic verify` checks."),
    trace: z.string().describe("Trace id of the run."),
    traceUrl: z.url().describe("Where the trace is looked at, by the setting TRACE_URL."),
    startedAt: z.iso.datetime().describe("When the run started."),
    finishedAt: z.iso.datetime().describe("When the run ended."),
  })
  .partial()
  .describe("Observed state.");
export type WorkloadStatus = z.infer<typeof statusSchema>;

/** Runs beside other problems of the spec, so that a user sees all of them at once. */
function checkSpec(spec: WorkloadSpec, context: z.core.$RefinementCtx<WorkloadSpec>): void {
  if (spec.image !== undefined && spec.pipeline !== undefined)
    context.addIssue({ code: "custom", path: ["image"], message: "cannot be combined with pipeline" });
  if (spec.resources !== undefined && spec.image === undefined)
    context.addIssue({ code: "custom", path: ["resources"], message: "is only for a workload with image" });
}

/** With the rules that span several fields. */
export const checkedWorkloadSpecSchema = workloadSpecSchema.superRefine(checkSpec, { when: isRecord });

export const agentWorkloadSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION, `expected "${API_VERSION}"`),
  kind: z.literal("AgentWorkload", 'expected "AgentWorkload"'),
  metadata: metadata(workloadName),
  spec: checkedWorkloadSpecSchema,
  status: statusSchema.optional(),
});
export type AgentWorkload = z.infer<typeof agentWorkloadSchema>;
