import type { Logger } from "../log.ts";
import { NO_TELEMETRY, type Telemetry } from "./telemetry.ts";

export interface TelemetrySettings {
  readonly OTEL_SDK_DISABLED?: boolean | undefined;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?: string | undefined;
}

/** By the standard variables of OpenTelemetry; nothing is loaded where none of them names a receiver. `service`: the name of this process. */
export async function startTelemetry(service: string, settings: TelemetrySettings, log: Logger): Promise<Telemetry> {
  const isOn = settings.OTEL_EXPORTER_OTLP_ENDPOINT || settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  if (settings.OTEL_SDK_DISABLED || !isOn) return NO_TELEMETRY;
  const { startSdk } = await import("./sdk.ts");
  return startSdk(service, log);
}
