import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { context, metrics, propagation, trace } from "@opentelemetry/api";
import { type Logger as LogSink, logs } from "@opentelemetry/api-logs";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { endsWithin } from "../ends-within.ts";
import { copyLines, type Logger } from "../log.ts";
import { attributesOfTheContext } from "./context.ts";
import { watchExports } from "./export-health.ts";
import { idGenerator } from "./ids.ts";
import type { LangfuseKeys } from "./langfuse-keys.ts";
import { recordOfLine } from "./log-lines.ts";
import { METRIC } from "./metrics.ts";
import { flushTo, type SpanReceiver } from "./receiver.ts";
import { countDropped } from "./span-queue.ts";
import type { Telemetry } from "./telemetry.ts";

/** Longest that the end of a process waits for what is not sent; and where a receiver is in trouble already. */
const SHUTDOWN_MS = 1_000;
const SHUTDOWN_IN_TROUBLE_MS = 300;

export interface Receivers {
  /** What a receiver of OTLP is named for. `lines`: it gets the process's log, too. */
  readonly otlp: {
    readonly traces: boolean;
    readonly metrics: boolean;
    readonly audit: boolean;
    readonly lines: boolean;
  };
  readonly langfuse: LangfuseKeys | undefined;
}

/**
 * Traces, metrics, audit records and log lines by OTLP over HTTP (protobuf), and traces to Langfuse. The SDK reads the rest of the standard variables by itself:
 * OTEL_EXPORTER_OTLP_*, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, OTEL_BSP_*, OTEL_METRIC_EXPORT_INTERVAL.
 */
export async function startSdk(service: string, { otlp, langfuse }: Receivers, log: Logger): Promise<Telemetry> {
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        "service.name": service,
        "service.namespace": "agentic",
        // A container that starts again has its pod's name and process id: what it counts from 0 is a series of its own.
        "service.instance.id": `${hostname()}-${randomUUID().slice(0, 8)}`,
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }));
  const meters = new MeterProvider({
    resource,
    readers: otlp.metrics ? [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })] : [],
  });
  const own = log.child({ receiver: "OTLP" });
  const receivers = [
    ...(otlp.traces ? [otlpReceiver(own)] : []),
    ...(langfuse ? [(await import("./langfuse.ts")).langfuseReceiver(langfuse, log)] : []),
  ];
  const tracers = new BasicTracerProvider({
    resource,
    idGenerator,
    spanProcessors: [attributesOfTheContext, ...receivers.flatMap(({ processors }) => processors)],
  });
  const logReceiver = otlp.audit ? (await import("./log-receiver.ts")).logReceiver : undefined;
  const audit = logReceiver?.(resource, own);
  const lines = otlp.lines ? logReceiver?.(resource, own) : undefined;
  if (audit) logs.setGlobalLoggerProvider(audit.provider);
  if (lines) copyTo(lines.provider.getLogger("log"));
  const all = [...receivers, ...(audit ? [audit] : []), ...(lines ? [lines] : [])];
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(tracers);
  metrics.setGlobalMeterProvider(meters);
  METRIC.starts.record(1);
  return {
    async flush() {
      await Promise.all(all.map(flushTo));
    },
    async shutdown() {
      const done = Promise.allSettled(
        [tracers, meters, audit?.provider, lines?.provider].map((provider) => provider?.shutdown()),
      );
      const limit = all.every(({ exports }) => exports.isHealthy()) ? SHUTDOWN_MS : SHUTDOWN_IN_TROUBLE_MS;
      return endsWithin(limit, done);
    },
  };
}

function copyTo(logger: LogSink): void {
  copyLines((line) => {
    const record = recordOfLine(line);
    if (record) logger.emit(record);
  });
}

function otlpReceiver(log: Logger): SpanReceiver {
  const exports = watchExports(new OTLPTraceExporter(), { lost: METRIC.lostSpans, as: "lostSpans" }, log);
  const queue = countDropped(exports);
  return { processors: [queue.processor, new BatchSpanProcessor(queue.exporter)], exports };
}
