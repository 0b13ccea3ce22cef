import { z } from "zod";
import { correctionsSchema, DECISIONS } from "./agentworkload.ts";
import { API_VERSION, metadata } from "./fields.ts";

const statusSchema = z
  .strictObject({
    outcome: z.enum(["Counted", "Refused"]).describe("Whether the gate was decided by it."),
    reason: z
      .string()
      .max(1024)
      .describe(
        "First: it counts. AlreadyDecided: another decision, or the timeout, came before. OtherFindings: no gate is about findings of this digest. RunEnded: the run ended before. NotChangeable: it asks for changes that cannot be asked for. InvalidCorrections: it corrects what the findings do not say.",
      ),
    message: z.string().max(32_768).describe("The same as a sentence."),
    gate: z.string().optional().describe("Step that is the gate."),
  })
  .describe("What became of it. Absent while its gate is open.");
export type DecisionStatus = z.infer<typeof statusSchema>;

/**
 * The AgentDecision is a person's decision at a gate, made with kubectl. Who may make one, and in whose name, the API server itself
 * checks (config/decisions.yaml). Its type, CRD and reference page come from this schema.
 */
export const agentDecisionSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal("AgentDecision"),
  metadata: metadata(),
  spec: z
    .strictObject({
      workload: z.string().min(1).max(63).describe("The AgentWorkload, of the same namespace."),
      digest: z
        .string()
        .regex(/^[0-9a-f]{64}$/, "expected a sha256 in hexadecimal digits")
        .describe("sha256 of the findings, as status.reviews has it: what was seen is what is decided on."),
      decision: z
        .enum(DECISIONS)
        .describe("What was decided. changesRequested: steps run again with the comment, and the gate opens again."),
      steps: z
        .array(z.string().min(1).max(63))
        .min(1)
        .max(64)
        .optional()
        .describe("Steps before the gate that run again. Only with changesRequested. Absent: those the gate shows."),
      by: z.string().min(1).max(256).describe("Your user name in the cluster, as `kubectl auth whoami` says it."),
      comment: z.string().max(4000).optional().describe("Comment for later steps and readers."),
      corrections: correctionsSchema
        .optional()
        .describe("Facts of the findings that are struck, corrected or commented: at most 32,768 characters of JSON."),
    })
    .describe("What is decided, on what, by whom."),
  status: statusSchema.optional(),
});
export type AgentDecision = z.infer<typeof agentDecisionSchema>;
