import { z } from "zod";

/** CloudEvent types of the step contract (docs/ARCHITECTURE.md, "The step contract"). */
export const STEP_REQUESTED = "dev.agentic.step.requested";
export const STEP_COMPLETED = "dev.agentic.step.completed";
export const STEP_EXPECTED = "dev.agentic.step.expected";
/** Knative's, of a new AgentWorkload. */
const WORKLOAD_ADDED = "dev.knative.apiserver.ref.add";
/** Hints that requests of this step will come: whoever does it starts meanwhile, and answers that it is there. */
export const HINTS: ReadonlySet<string> = new Set([STEP_EXPECTED, WORKLOAD_ADDED]);

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

/** How a step ended. Small on purpose: it becomes a node's output in the Workflow; bytes live in the artifact store. */
export const stepResultSchema = z.strictObject({
  outcome: z.enum(["succeeded", "failed"]),
  /** CamelCase, present when failed. */
  reason: z.string().max(64).optional(),
  message: z.string().max(1024).optional(),
  /** A short human-readable summary. */
  output: z.string().max(256).optional(),
  /** Artifact keys by role, e.g. { capture: "…" }. */
  artifacts: z.record(z.string(), z.string()),
  usage: usageSchema,
});
export type StepResult = z.infer<typeof stepResultSchema>;

export const workloadRefSchema = z.strictObject({
  namespace: z.string().min(1),
  name: z.string().min(1),
  uid: z.string().min(1),
});
export type WorkloadRef = z.infer<typeof workloadRefSchema>;

/** What a step works on: its item, the spec values its pipeline entry names, and the results of the steps before it. */
export const stepInputSchema = z.strictObject({
  item: z.string().optional(),
  params: z.record(z.string(), z.unknown()),
  from: z.record(z.string(), z.array(stepResultSchema.extend({ item: z.string().optional() }))),
});
export type StepInput = z.infer<typeof stepInputSchema>;

/** `data` of a dev.agentic.step.requested event. */
export const stepRequestSchema = z.strictObject({
  workload: workloadRefSchema,
  /** The run's hash (lib/identity.ts). */
  run: z.string().min(1),
  step: z.string().min(1),
  input: stepInputSchema,
  /** After this instant the step fails with DeadlineExceeded. */
  deadline: z.iso.datetime(),
  /** Attempts that may end in upstream trouble before the step fails. */
  retryLimit: z.int().min(0),
  /** A JWT with stepClaims (lib/token.ts). */
  token: z.string(),
});
export type StepRequest = z.infer<typeof stepRequestSchema>;
