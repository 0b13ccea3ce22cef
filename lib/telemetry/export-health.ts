import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import type { Logger } from "../log.ts";
import type { Metric } from "./metrics.ts";

/** A receiver that is away is said to be away once in so long. */
const SAID_EVERY_MS = 60_000;

/** As the SDK's exporters are. */
interface Exporter<T> {
  export(batch: T[], done: (result: ExportResult) => void): void;
  forceFlush?(): Promise<void>;
  shutdown(): Promise<void>;
}

export interface Health {
  /** Whether the receiver took what was sent last, in time. */
  isHealthy(): boolean;
  /** It was slow. It counts as healthy again once it has taken something. */
  suspect(): void;
}

export interface WatchedExports<T> extends Health {
  readonly exporter: Required<Exporter<T>>;
  /** So many were not even tried. */
  lose(count: number, problem: string): void;
}

/** Counts what a receiver does not take, and says so in the log. Runs go on without it. `as`: the field of that count. */
export function watchExports<T>(
  exporter: Exporter<T>,
  { lost: counter, as }: { readonly lost: Metric; readonly as: "lostSpans" | "lostRecords" },
  log: Logger,
  now = Date.now,
): WatchedExports<T> {
  let healthy = true;
  let lost = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  const lose = (count: number, problem: string | undefined): void => {
    lost += count;
    counter.record(count);
    if (now() - saidAt < SAID_EVERY_MS) return;
    saidAt = now();
    log.warn({ [as]: lost, problem }, "telemetry not sent");
  };
  const settle = (batch: readonly T[], { code, error }: ExportResult): void => {
    healthy = code === ExportResultCode.SUCCESS;
    if (!healthy) lose(batch.length, error?.message.slice(0, 200));
  };
  return {
    lose,
    exporter: {
      export: (batch, done) =>
        exporter.export(batch, (result) => {
          settle(batch, result);
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
