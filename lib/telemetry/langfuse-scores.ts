import type { LangfuseClient } from "@langfuse/client";
import { LangfuseOtelSpanAttributes as LANGFUSE } from "@langfuse/core";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import type { Logger } from "../log.ts";
import { ATTRIBUTE } from "./attributes.ts";
import { EVALUATION } from "./evaluation.ts";
import type { LangfuseKeys } from "./langfuse-keys.ts";

type Score = Parameters<LangfuseClient["api"]["scores"]["create"]>[0];

const TIMEOUT_SECONDS = 5;

/** Sends what people decided at gates, and how checks of an agent's work came out, as scores of the run's trace. Loaded with the first of them. */
export function createLangfuseScores(keys: LangfuseKeys, log: Logger): SpanProcessor {
  const pending = new Set<Promise<void>>();
  let client: Promise<LangfuseClient> | undefined;
  const send = async (score: Score): Promise<void> => {
    client ??= import("@langfuse/client").then((langfuse) => new langfuse.LangfuseClient(keys));
    await (await client).api.scores.create(score, { timeoutInSeconds: TIMEOUT_SECONDS });
  };
  const settled = async (): Promise<void> => void (await Promise.all(pending));
  return {
    onStart: () => undefined,
    onEnd(span) {
      for (const score of scoresOf(span)) {
        const sent = send(score)
          .catch((error: Error) => log.warn({ problem: error.message.slice(0, 200) }, "score not sent"))
          .finally(() => pending.delete(sent));
        pending.add(sent);
      }
    },
    forceFlush: settled,
    shutdown: settled,
  };
}

type Ended = Pick<ReadableSpan, "attributes" | "spanContext" | "events">;

function scoresOf(span: Ended): Score[] {
  const decided = decisionScore(span);
  return [...(decided ? [decided] : []), ...evaluationScores(span)];
}

/** One of each name for a step's item, however often a node that did not end is done again. */
function evaluationScores(span: Ended): Score[] {
  const { [ATTRIBUTE.step]: step, [ATTRIBUTE.item]: item, [LANGFUSE.ENVIRONMENT]: environment } = span.attributes;
  const { traceId, spanId: observationId } = span.spanContext();
  return span.events.flatMap(({ name, attributes: result = {} }) => {
    const { [EVALUATION.name]: check, [EVALUATION.score]: value, [EVALUATION.explanation]: comment } = result;
    if (name !== EVALUATION.event || typeof value !== "number") return [];
    return [
      {
        id: `${traceId}-${sha256(canonicalJson([step, item ?? null, check])).slice(0, 16)}`,
        traceId,
        observationId,
        name: String(check),
        dataType: "NUMERIC" as const,
        value,
        ...(comment === undefined ? {} : { comment: String(comment) }),
        ...(environment === undefined ? {} : { environment: String(environment) }),
      },
    ];
  });
}

/** A gate's span has the same ids whoever writes it, and however often: so has its score, and Langfuse keeps one. */
function decisionScore(span: Ended): Score | undefined {
  const {
    [ATTRIBUTE.step]: gate,
    [ATTRIBUTE.outcome]: decision,
    [ATTRIBUTE.automatic]: automatic,
    [ATTRIBUTE.comment]: comment,
    [LANGFUSE.ENVIRONMENT]: environment,
  } = span.attributes;
  // Undefined on every span but a decided gate's.
  if (automatic !== false) return undefined;
  const { traceId, spanId } = span.spanContext();
  return {
    id: `${traceId}-${spanId}`,
    traceId,
    name: String(gate),
    dataType: "BOOLEAN",
    value: decision === "approved" ? 1 : 0,
    ...(comment === undefined ? {} : { comment: String(comment) }),
    ...(environment === undefined ? {} : { environment: String(environment) }),
  };
}
