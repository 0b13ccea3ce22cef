import type { Logger } from "../log.ts";
import { type LangfuseSettings, langfuseKeys } from "./langfuse-keys.ts";
import { NO_TELEMETRY, type Telemetry } from "./telemetry.ts";

export interface TelemetrySettings extends LangfuseSettings {
  readonly OTEL_SDK_DISABLED?: boolean | undefined;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_METRICS_ENDPOINT?: string | undefined;
}

/**
 * By the standard variables of OpenTelemetry and Langfuse; nothing is loaded where none of them names a receiver. `service`: the name of
 * this process.
 */
export async function startTelemetry(service: string, settings: TelemetrySettings, log: Logger): Promise<Telemetry> {
  if (settings.OTEL_SDK_DISABLED) return NO_TELEMETRY;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: both } = settings;
  const otlp = {
    traces: Boolean(both || settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT),
    metrics: Boolean(both || settings.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT),
  };
  const langfuse = langfuseKeys(settings, log);
  if (!otlp.traces && !otlp.metrics && !langfuse) return NO_TELEMETRY;
  const { startSdk } = await import("./sdk.ts");
  return startSdk(service, { otlp, langfuse }, log);
}
