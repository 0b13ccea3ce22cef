import { type LogRecord, SeverityNumber } from "@opentelemetry/api-logs";

/** pino's levels. */
const SEVERITIES: Readonly<Record<number, readonly [SeverityNumber, string]>> = {
  10: [SeverityNumber.TRACE, "TRACE"],
  20: [SeverityNumber.DEBUG, "DEBUG"],
  30: [SeverityNumber.INFO, "INFO"],
  40: [SeverityNumber.WARN, "WARN"],
  50: [SeverityNumber.ERROR, "ERROR"],
  60: [SeverityNumber.FATAL, "FATAL"],
};

/**
 * A line of a process's log as a record of OTLP. Undefined for an audit record, which goes by itself, and for what is said of a receiver:
 * told to that receiver, it would have no end.
 */
export function recordOfLine(text: string): LogRecord | undefined {
  const line = JSON.parse(text) as Record<string, unknown>;
  if (line["audit"] === true || line["receiver"] !== undefined) return undefined;
  // Of the resource, or of the span within which it is written.
  const { level, time, msg, err, name: _, pid: _p, hostname: _h, trace_id: _t, span_id: _s, ...attributes } = line;
  const [severityNumber, severityText] = SEVERITIES[Number(level)] ?? [SeverityNumber.UNSPECIFIED, String(level)];
  return {
    severityNumber,
    severityText,
    timestamp: new Date(String(time)),
    body: String(msg ?? ""),
    attributes: { ...(attributes as LogRecord["attributes"]), ...exceptionIn(err) },
  };
}

function exceptionIn(err: unknown): LogRecord["attributes"] {
  if (typeof err !== "object" || err === null) return {};
  const { type, message, stack } = err as Record<string, unknown>;
  return {
    "exception.type": String(type),
    "exception.message": String(message),
    "exception.stacktrace": String(stack),
  };
}
