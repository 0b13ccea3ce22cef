import type { LangfuseClient } from "@langfuse/client";
import { LangfuseOtelSpanAttributes as LANGFUSE } from "@langfuse/core";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { Logger } from "../log.ts";
import { ATTRIBUTE } from "./attributes.ts";
import type { LangfuseKeys } from "./langfuse-keys.ts";

type Score = Parameters<LangfuseClient["api"]["scores"]["create"]>[0];

const TIMEOUT_SECONDS = 5;

/** Sends what people decided at gates as scores of the run's trace. Loaded with the first of them: agents have none. */
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
      const score = scoreOf(span);
      if (!score) return;
      const sent = send(score)
        .catch((error: Error) => log.warn({ problem: error.message.slice(0, 200) }, "score not sent"))
        .finally(() => pending.delete(sent));
      pending.add(sent);
    },
    forceFlush: settled,
    shutdown: settled,
  };
}

/** A gate's span has the same ids whoever writes it, and however often: so has its score, and Langfuse keeps one. */
export function scoreOf(span: Pick<ReadableSpan, "attributes" | "spanContext">): Score | undefined {
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
