import { trace } from "@opentelemetry/api";
import { traceUrl } from "../../engine/trace.ts";

/** Where the trace that this is part of is looked at; undefined: telemetry is off, or no viewer is named. @param template as TRACE_URL */
export function ownTraceUrl(template: string | undefined): string | undefined {
  const id = trace.getActiveSpan()?.spanContext().traceId;
  return template === undefined || id === undefined ? undefined : traceUrl(template, id);
}
