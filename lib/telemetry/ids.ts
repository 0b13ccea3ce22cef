import { randomBytes } from "node:crypto";
import type { Span } from "@opentelemetry/api";

/** The ids that the next span gets; hex characters. */
export interface SpanIds {
  readonly spanId: string;
  /** Of a root. Absent: that of its parent. */
  readonly traceId?: string;
}

let given: SpanIds | undefined;

/** Starts a span under ids that are known beforehand, where telemetry is on. `start` starts one span, and waits for nothing. */
export function withIds(ids: SpanIds, start: () => Span): Span {
  given = ids;
  try {
    return start();
  } finally {
    given = undefined;
  }
}

/** What the SDK asks for ids: those that were given, else random ones. */
export const idGenerator = {
  generateTraceId: (): string => given?.traceId ?? randomBytes(16).toString("hex"),
  generateSpanId: (): string => given?.spanId ?? randomBytes(8).toString("hex"),
};
