import { z } from "zod";
import { REVIEW_DECIDED } from "../../engine/findings.ts";
import type { ReviewRef } from "../../lib/edges/reviews.ts";
import { TerminalError } from "../../lib/errors.ts";
import { parseEvent } from "../../lib/events.ts";
import { schemaProblems } from "../../lib/schema-problems.ts";
import { type DecisionRequest, decisionRequestSchema } from "./decide.ts";

const dataSchema = decisionRequestSchema.extend({
  namespace: z.string(),
  name: z.string(),
  /** Absent: the gate that the token names. */
  gate: z.string().optional(),
  /** The token of the review's link. */
  token: z.string(),
});

export interface DecisionEvent {
  readonly ref: ReviewRef;
  readonly gate: string | undefined;
  readonly token: string;
  readonly request: DecisionRequest;
}

/** @returns the decision that the event asks for, or why it asks for none */
export function decisionOfEvent(headers: Record<string, string>, body: string): DecisionEvent | { problem: string } {
  let type: string;
  let data: unknown;
  try {
    ({ type, data } = parseEvent(headers, body));
  } catch (error) {
    if (error instanceof TerminalError) return { problem: error.message };
    throw error;
  }
  if (type !== REVIEW_DECIDED) return { problem: `expected type ${REVIEW_DECIDED}, got ${type}` };
  const parsed = dataSchema.safeParse(data);
  if (!parsed.success) return { problem: schemaProblems(parsed.error) };
  const { namespace, name, gate, token, ...request } = parsed.data;
  return { ref: { namespace, name }, gate, token, request };
}
