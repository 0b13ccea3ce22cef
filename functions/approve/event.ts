import { z } from "zod";
import type { ReviewRef } from "../../lib/edges/reviews.ts";
import { TerminalError } from "../../lib/errors.ts";
import { parseEvent } from "../../lib/events.ts";
import { REVIEW_DECIDED } from "../../pipeline/findings.ts";
import { type DecisionRequest, decisionRequestSchema } from "./decide.ts";

const dataSchema = decisionRequestSchema.extend({
  namespace: z.string(),
  name: z.string(),
  /** The token of the review's link. */
  token: z.string(),
});

/** @returns what the event asks for, or why it is none */
export function decidedByEvent(
  headers: Record<string, string>,
  body: string,
): { ref: ReviewRef; request: DecisionRequest; token: string } | { problem: string } {
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
  if (!parsed.success) return { problem: z.prettifyError(parsed.error) };
  const { namespace, name, token, ...request } = parsed.data;
  return { ref: { namespace, name }, request, token };
}
