import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import type { Resource } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import type { Logger } from "../log.ts";
import { watchExports } from "./export-health.ts";
import { METRIC } from "./metrics.ts";
import type { Receiver } from "./receiver.ts";

/** A stream of log records with a queue of its own: ordinary lines, however many, push out no audit record. */
export interface LogReceiver extends Receiver {
  readonly provider: LoggerProvider;
}

export function logReceiver(resource: Resource, log: Logger): LogReceiver {
  const exports = watchExports(new OTLPLogExporter(), { lost: METRIC.lostRecords, as: "lostRecords" }, log);
  const processor = new BatchLogRecordProcessor({ exporter: exports.exporter });
  return { provider: new LoggerProvider({ resource, processors: [processor] }), processors: [processor], exports };
}
