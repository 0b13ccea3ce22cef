import { z } from "zod";
import { correctionSchema } from "../crd/agentworkload.ts";

export const usageSchema = z.strictObject({
  inputTokens: z.int().min(0),
  outputTokens: z.int().min(0),
  /** US dollars. */
  costUsd: z.number().min(0),
  browserSeconds: z.number().min(0),
});
export type Usage = z.infer<typeof usageSchema>;

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, costUsd: 0, browserSeconds: 0 };

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: a.costUsd + b.costUsd,
    browserSeconds: a.browserSeconds + b.browserSeconds,
  };
}

/** What a step paid for calls to one model, for one purpose, with the same instructions. */
export const modelCallsSchema = z.strictObject({
  model: z.string(),
  purpose: z.string(),
  /** sha256 of the instructions: which version of the prompt. */
  prompt: z.string(),
  calls: z.int().min(1),
  inputTokens: z.int().min(0),
  outputTokens: z.int().min(0),
  /** US dollars. */
  costUsd: z.number().min(0),
});
export type ModelCalls = z.infer<typeof modelCallsSchema>;
/** Kinds of calls that a result tells apart. */
export const MAX_MODEL_CALLS = 50;

/** How well a step's work did in a check of its agent's own. */
export const evaluationSchema = z.strictObject({
  /** Which check, e.g. "quotes". */
  name: z.string().min(1).max(64),
  /** From 0 to 1: the more, the better. */
  score: z.number().min(0).max(1),
  explanation: z.string().max(256).optional(),
});
export type Evaluation = z.infer<typeof evaluationSchema>;
const MAX_EVALUATIONS = 20;

/** Hosts that a step's use of the network tells apart, and refusals. */
export const MAX_EGRESS_KINDS = 100;

/** What a step did through the egress proxy, as the proxy counted it. */
export const egressUsageSchema = z.strictObject({
  /** Those that were let through. */
  requests: z.int().min(0),
  /** In both directions. */
  bytes: z.int().min(0),
  hosts: z
    .array(z.strictObject({ host: z.string(), requests: z.int().min(0), bytes: z.int().min(0) }))
    .max(MAX_EGRESS_KINDS),
  refused: z
    .array(z.strictObject({ host: z.string(), reason: z.string(), count: z.int().min(1) }))
    .max(MAX_EGRESS_KINDS),
});
export type EgressUsage = z.infer<typeof egressUsageSchema>;

/** Entries of all lists of a run: the most that Argo's Workflow, Redis and the events of one run are sized for. */
export const MAX_ITEMS = 500;
/** Characters of one item's JSON: a URL of 2,048 characters and a little beside it. */
export const MAX_ITEM_LENGTH = 4096;
/** Characters of a result's data as JSON. Bytes belong in artifacts. */
export const MAX_DATA_LENGTH = 16_384;

/** An entry of the list that a step runs over: a string, or a small object. */
export const itemSchema = z
  .union([z.string(), z.record(z.string(), z.unknown())])
  .refine(
    (item) => JSON.stringify(item).length <= MAX_ITEM_LENGTH,
    `expected at most ${MAX_ITEM_LENGTH} characters of JSON`,
  );
export type Item = z.infer<typeof itemSchema>;

/**
 * How a step ended. Small on purpose; bytes live in the artifact store. The result itself is kept there too, by its content,
 * and its digest is the output of the step's node.
 */
export const stepResultSchema = z.strictObject({
  outcome: z.enum(["succeeded", "failed"]),
  /** CamelCase, present when failed. */
  reason: z.string().max(64).optional(),
  message: z.string().max(1024).optional(),
  /** One line for people. */
  output: z.string().max(256).optional(),
  /** What later steps and `when` read; the agent's output schema describes it. */
  data: z
    .unknown()
    .optional()
    .refine(
      (data) => data === undefined || JSON.stringify(data).length <= MAX_DATA_LENGTH,
      `expected at most ${MAX_DATA_LENGTH} characters of JSON: put the rest into an artifact`,
    ),
  /** A list for a later step's `forEach: steps.NAME.items`. */
  items: z.array(itemSchema).max(MAX_ITEMS, `expected at most ${MAX_ITEMS} items`).optional(),
  /** Artifact keys by role, e.g. { capture: "…" }. The role `summary` is what reviewers see (engine/summary.ts). */
  artifacts: z.record(z.string(), z.string()),
  usage: usageSchema,
  /** What the agent says of its own work. */
  evaluations: z.array(evaluationSchema).max(MAX_EVALUATIONS).optional(),
  /** What the ledger booked for the step, whatever its agent says; none: it paid for no call. */
  modelCalls: z.array(modelCallsSchema).max(MAX_MODEL_CALLS).optional(),
  /** What the egress proxy counted for the step since the proxy last started, whatever its agent says; none: the step may reach nothing. */
  egress: egressUsageSchema.optional(),
});
export type StepResult = z.infer<typeof stepResultSchema>;

export function failedResult(reason: string, message: string): StepResult {
  return { outcome: "failed", reason, message: message.slice(0, 1024), artifacts: {}, usage: NO_USAGE };
}

/** What a later step sees of an earlier one's end. Its cost is no part of it: the same work at another price is the same input. */
export const upstreamResultSchema = z.strictObject({
  item: itemSchema.optional(),
  outcome: z.enum(["succeeded", "failed", "skipped"]),
  reason: z.string().optional(),
  message: z.string().optional(),
  output: z.string().optional(),
  data: z.unknown().optional(),
  artifacts: z.record(z.string(), z.string()),
});
export type UpstreamResult = z.infer<typeof upstreamResultSchema>;

export const workloadRefSchema = z.strictObject({
  namespace: z.string().min(1),
  name: z.string().min(1),
  uid: z.string().min(1),
});
export type WorkloadRef = z.infer<typeof workloadRefSchema>;

/** How this step ended on this item in the run that the workload's run is compared with. Keys are of that run's workload. */
export const previousResultSchema = z.strictObject({
  workload: workloadRefSchema,
  run: z.string(),
  result: upstreamResultSchema,
});
export type PreviousResult = z.infer<typeof previousResultSchema>;

/** What a step works on: its item, the inputs that its `with` names, and the results of the steps that its `after` names. */
export const stepInputSchema = z.strictObject({
  item: itemSchema.optional(),
  params: z.record(z.string(), z.unknown()),
  /** What reviewers asked this step to change, the first first: it was done before, and is done again. */
  changes: z
    .array(
      z.strictObject({
        gate: z.string(),
        comment: z.string(),
        /** Of facts of its item. */
        corrections: z.array(correctionSchema).optional(),
      }),
    )
    .optional(),
  from: z.record(z.string(), z.array(upstreamResultSchema)),
  /** Where the pipeline asks for it (`previous: true`), and there was such a run. */
  previous: previousResultSchema.optional(),
});
export type StepInput = z.infer<typeof stepInputSchema>;
