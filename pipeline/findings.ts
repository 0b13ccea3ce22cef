import { z } from "zod";
import { stepResultSchema, workloadRefSchema } from "../lib/step.ts";

/**
 * What stands before the gate: artifact `findings` (canonical JSON). Its sha256 is the review's digest, and since every
 * artifact key in it is a content address, the digest covers each byte that the reviewer is shown.
 */
export const findingsSchema = z.strictObject({
  workload: workloadRefSchema,
  run: z.string(),
  objective: z.string(),
  /** In the order of the spec's list. */
  items: z.array(z.strictObject({ item: z.string(), steps: z.record(z.string(), stepResultSchema) })),
});
export type Findings = z.infer<typeof findingsSchema>;

/** CloudEvent type of a decision that comes by the Broker. */
export const REVIEW_DECIDED = "dev.agentic.review.decided";

/** How the gate was decided: artifact `decision` (JSON), status.review and the event dev.agentic.review.decided. */
export const decisionSchema = z.strictObject({
  decision: z.enum(["approved", "rejected"]),
  /** sha256 of the findings, 64 hex characters. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Who: a user name, or how it came about, e.g. "agentic run --approve". */
  by: z.string().min(1).max(256),
  at: z.iso.datetime(),
  comment: z.string().max(4000).optional(),
});
export type Decision = z.infer<typeof decisionSchema>;
