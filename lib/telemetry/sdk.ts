import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { context, metrics, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { Logger } from "../log.ts";
import { attributesOfTheContext } from "./context.ts";
import { watchExports } from "./export-health.ts";
import { idGenerator } from "./ids.ts";
import { METRIC } from "./metrics.ts";
import type { Telemetry } from "./telemetry.ts";

/** Longest that an answer waits for its spans to be sent: a receiver in the same cluster takes a few milliseconds. */
const FLUSH_MS = 100;
/** Longest that the end of a process does. */
const SHUTDOWN_MS = 3_000;

/**
 * Traces and metrics by OTLP over HTTP (protobuf). The SDK reads the rest of the standard variables by itself: OTEL_EXPORTER_OTLP_*,
 * OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, OTEL_BSP_*, OTEL_METRIC_EXPORT_INTERVAL.
 */
export function startSdk(service: string, log: Logger): Telemetry {
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        "service.name": service,
        "service.namespace": "agentic",
        "service.instance.id": `${hostname()}-${process.pid}`,
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }));
  const meters = new MeterProvider({
    resource,
    readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })],
  });
  const exports = watchExports(new OTLPTraceExporter(), log);
  const tracers = new BasicTracerProvider({
    resource,
    idGenerator,
    spanProcessors: [attributesOfTheContext, new BatchSpanProcessor(exports.exporter)],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(tracers);
  metrics.setGlobalMeterProvider(meters);
  METRIC.starts.record(1);
  return {
    async flush() {
      // A receiver that kept the last answer waiting gets what there is in the background, until it takes something again.
      if (!exports.isHealthy()) return;
      const sent = tracers.forceFlush().then(
        () => true,
        () => true,
      );
      if (!(await Promise.race([sent, sleep(FLUSH_MS, false)]))) exports.suspect();
    },
    async shutdown() {
      const done = Promise.allSettled([tracers.shutdown(), meters.shutdown()]);
      await Promise.race([done, sleep(SHUTDOWN_MS)]);
    },
  };
}
