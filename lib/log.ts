import { trace } from "@opentelemetry/api";
import type { Logger } from "pino";
import { pino } from "pino";

export type { Logger };

let copied: ((line: string) => void) | undefined;

/** JSON lines on stderr: stdout belongs to what a command prints. A line within a span names it. */
export function createLog(name: string, level: string): Logger {
  const stderr = pino.destination({ dest: 2, sync: true });
  const write = (line: string): void => {
    stderr.write(line);
    copied?.(line);
  };
  return pino({ name, level, timestamp: pino.stdTimeFunctions.isoTime, mixin: spanOfNow }, { write });
}

/** Each line from now on, once it is written. */
export function copyLines(to: (line: string) => void): void {
  copied = to;
}

function spanOfNow(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
