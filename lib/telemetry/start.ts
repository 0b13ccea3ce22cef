import type { Logger } from "../log.ts";
import { type LangfuseSettings, langfuseKeys } from "./langfuse-keys.ts";
import { NO_TELEMETRY, type Telemetry } from "./telemetry.ts";

export interface TelemetrySettings extends LangfuseSettings {
  readonly OTEL_SDK_DISABLED?: boolean | undefined;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_METRICS_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_LOGS_ENDPOINT?: string | undefined;
  readonly OTEL_LOGS_EXPORTER?: "otlp" | "none" | undefined;
}

/**
 * By the standard variables of OpenTelemetry and Langfuse; nothing is loaded where none of them names a receiver. `service`: the name of
 * this process.
 */
export async function startTelemetry(service: string, settings: TelemetrySettings, log: Logger): Promise<Telemetry> {
  if (settings.OTEL_SDK_DISABLED) return NO_TELEMETRY;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_LOGS_EXPORTER: logs } = settings;
  const takesLogs = logs !== "none" && Boolean(all || settings.OTEL_EXPORTER_OTLP_LOGS_ENDPOINT);
  const otlp = {
    traces: Boolean(all || settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT),
    metrics: Boolean(all || settings.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT),
    audit: takesLogs,
    // Unlike the standard's default: clusters gather what pods write, and each line would be there twice.
    lines: takesLogs && logs === "otlp",
  };
  const langfuse = langfuseKeys(settings, log);
  if (!Object.values(otlp).includes(true) && !langfuse) return NO_TELEMETRY;
  const { startSdk } = await import("./sdk.ts");
  return startSdk(service, { otlp, langfuse }, log);
}
