import { HTTP } from "cloudevents";
import { z } from "zod";
import type { ReviewRef } from "../../lib/edges/reviews.ts";
import { type DecisionRequest, decisionRequestSchema } from "./decide.ts";

/** CloudEvent type of a decision that comes over the Broker. */
const REVIEW_DECIDED = "dev.agentic.review.decided";

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
    const event = HTTP.toEvent<unknown>({ headers, body });
    if (Array.isArray(event)) return { problem: "a batch of events, where one is expected" };
    ({ type, data } = event as { type: string; data: unknown });
  } catch (error) {
    return { problem: `not a CloudEvent: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (type !== REVIEW_DECIDED) return { problem: `expected type ${REVIEW_DECIDED}, got ${type}` };
  const parsed = dataSchema.safeParse(data);
  if (!parsed.success) return { problem: z.prettifyError(parsed.error) };
  const { namespace, name, token, ...request } = parsed.data;
  return { ref: { namespace, name }, request, token };
}
