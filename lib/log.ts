import { trace } from "@opentelemetry/api";
import type { Logger } from "pino";
import { pino } from "pino";

export type { Logger };

/** JSON lines on stderr: stdout belongs to what a command prints. A line within a span names it. */
export function createLog(name: string, level: string): Logger {
  return pino(
    { name, level, timestamp: pino.stdTimeFunctions.isoTime, mixin: spanOfNow },
    pino.destination({ dest: 2, sync: true }),
  );
}

function spanOfNow(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
