import { TraceFlags } from "@opentelemetry/api";
import type { ReadableSpan, SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { WatchedExports } from "./export-health.ts";

const VARIABLE = "OTEL_BSP_MAX_QUEUE_SIZE";
/** The steps of a run of 500 items in a pipeline of sixteen steps, which reconcile writes at once when it has ended. The standard's 2048 would lose most. */
const QUEUE_SPANS = 8192;

/** By the standard's variable, since the processor in Langfuse's package takes no such option. To be called before one is made. */
function queueSize(): number {
  const { env } = process;
  env[VARIABLE] ??= String(QUEUE_SPANS);
  return Number(env[VARIABLE]);
}

/**
 * The SDK's batch processor drops a span that its queue has no room for, and tells nobody. This counts along: `processor` goes before it, and it
 * sends by `exporter`.
 */
export function countDropped(exports: WatchedExports<ReadableSpan>): {
  readonly exporter: SpanExporter;
  readonly processor: SpanProcessor;
} {
  const size = queueSize();
  let queued = 0;
  return {
    exporter: {
      ...exports.exporter,
      export(spans, done) {
        queued -= spans.length;
        exports.exporter.export(spans, done);
      },
    },
    processor: {
      onStart: () => undefined,
      onEnd(span) {
        if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
        if (queued >= size) exports.lose(1, `more than ${size} spans wait (${VARIABLE})`);
        else queued++;
      },
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
    },
  };
}
