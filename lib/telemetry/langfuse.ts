import { LangfuseSpanProcessor } from "@langfuse/otel";
import { OTLPExporterBase } from "@opentelemetry/otlp-exporter-base";
import { createOtlpHttpExportDelegate, httpAgentFactoryFromOptions } from "@opentelemetry/otlp-exporter-base/node-http";
import { JsonTraceSerializer, TraceExporterMetricsHelper } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { Logger } from "../log.ts";
import { watchExports } from "./export-health.ts";
import type { LangfuseKeys } from "./langfuse-keys.ts";
import { createLangfuseScores } from "./langfuse-scores.ts";
import { langfuseSpan } from "./langfuse-span.ts";
import { METRIC } from "./metrics.ts";
import type { SpanReceiver } from "./receiver.ts";
import { countDropped } from "./span-queue.ts";

const TIMEOUT_MS = 5_000;

/** Langfuse, for all spans of this process, and for the scores that follow from them. */
export function langfuseReceiver(keys: LangfuseKeys, log: Logger): SpanReceiver {
  const own = log.child({ receiver: "Langfuse" });
  const exports = watchExports(exporterTo(keys), { lost: METRIC.lostSpans, as: "lostSpans" }, own);
  const queue = countDropped(exports);
  const spans = new LangfuseSpanProcessor({
    ...keys,
    exporter: queue.exporter,
    mediaUploadEnabled: false,
    // Its own choice leaves out what is not about models.
    shouldExportSpan: () => true,
  });
  return { processors: [queue.processor, spans, createLangfuseScores(keys, own)], exports };
}

/**
 * Of OpenTelemetry's parts: the ready-made exporter that Langfuse's processor would take adds the headers of OTEL_EXPORTER_OTLP_HEADERS,
 * which are another receiver's keys.
 */
function exporterTo({ baseUrl, publicKey, secretKey }: LangfuseKeys): SpanExporter {
  const headers = {
    authorization: `Basic ${Buffer.from(`${publicKey}:${secretKey}`).toString("base64")}`,
    "content-type": "application/json",
    "x-langfuse-ingestion-version": "4",
    "x-langfuse-public-key": publicKey,
  };
  const delegate = createOtlpHttpExportDelegate(
    {
      url: `${baseUrl}/api/public/otel/v1/traces`,
      headers: async () => headers,
      timeoutMillis: TIMEOUT_MS,
      concurrencyLimit: 30,
      compression: "none",
      agentFactory: httpAgentFactoryFromOptions({ keepAlive: true }),
    },
    JsonTraceSerializer,
    "otlp_http_span_exporter",
    TraceExporterMetricsHelper,
    undefined,
  );
  const otlp = new OTLPExporterBase<ReadableSpan[]>(delegate);
  return {
    export: (spans, done) => otlp.export(spans.map(langfuseSpan), done),
    forceFlush: () => otlp.forceFlush(),
    shutdown: () => otlp.shutdown(),
  };
}
