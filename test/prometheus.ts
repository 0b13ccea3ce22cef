import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { built } from "./cluster/built.ts";
import { freePort } from "./free-port.ts";
import { untilReady } from "./ready.ts";

const CONFIG = fileURLToPath(new URL("../config/observability/prometheus.yaml", import.meta.url));

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus {
  /** For OTEL_EXPORTER_OTLP_METRICS_ENDPOINT. */
  readonly endpoint: string;
  /** @throws Error what it says of an expression that it does not take */
  query(expr: string): Promise<Sample[]>;
  /** The labels of every series that it has. */
  series(): Promise<Readonly<Record<string, string>>[]>;
  /** The alert rules that it loaded. */
  alerts(): Promise<readonly { readonly name: string }[]>;
  stop(): Promise<void>;
}

/** A real Prometheus with the configuration and the rules that ship. */
export async function startPrometheus(): Promise<Prometheus> {
  const program = join(await built("prometheus"), "prometheus");
  const folder = await mkdtemp(join(tmpdir(), "agentic-prometheus-"));
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const child = spawn(
    program,
    [
      `--config.file=${CONFIG}`,
      `--storage.tsdb.path=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--web.enable-otlp-receiver",
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  await untilReady(child, `${address}/-/ready`, "Prometheus");
  const ask = async (path: string, parameters: Record<string, string>): Promise<unknown> => {
    const response = await fetch(`${address}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { data, error } = (await response.json()) as { data: unknown; error?: string };
    if (error !== undefined) throw new Error(`${error}: ${parameters["query"] ?? path}`);
    return data;
  };
  return {
    endpoint: `${address}/api/v1/otlp/v1/metrics`,
    async query(expr) {
      const { result } = (await ask("query", { query: expr })) as {
        result: { metric: Record<string, string>; value: [number, string] }[];
      };
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    series: async () => (await ask("series", { "match[]": '{__name__!=""}' })) as Record<string, string>[],
    alerts: async () =>
      ((await ask("rules", { type: "alert" })) as { groups: { rules: { name: string }[] }[] }).groups.flatMap(
        ({ rules }) => rules,
      ),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Prometheus' own tool. @throws Error with what it says where it is not content */
export async function promtool(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(join(await built("prometheus"), "promtool"), args);
}
