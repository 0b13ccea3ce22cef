import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { Logger } from "../log.ts";
import { METRIC } from "./metrics.ts";

/** A receiver that is away is said to be away once in so long. */
const SAID_EVERY_MS = 60_000;

export interface WatchedExports {
  readonly exporter: SpanExporter;
  /** Whether the receiver took what was sent last, in time. */
  isHealthy(): boolean;
  /** It was slow. It counts as healthy again once it has taken something. */
  suspect(): void;
}

/** Counts what a receiver does not take, and says so in the log. Runs go on without it. */
export function watchExports(exporter: SpanExporter, log: Logger, now = Date.now): WatchedExports {
  let healthy = true;
  let lost = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  const settle = (spans: readonly ReadableSpan[], { code, error }: ExportResult): void => {
    healthy = code === ExportResultCode.SUCCESS;
    if (healthy) return;
    lost += spans.length;
    METRIC.lostSpans.record(spans.length);
    if (now() - saidAt < SAID_EVERY_MS) return;
    saidAt = now();
    log.warn({ lostSpans: lost, problem: error?.message.slice(0, 200) }, "telemetry not sent");
  };
  return {
    exporter: {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          settle(spans, result);
          done(result);
        }),
      forceFlush: async () => exporter.forceFlush?.(),
      shutdown: () => exporter.shutdown(),
    },
    isHealthy: () => healthy,
    suspect: () => {
      healthy = false;
    },
  };
}
