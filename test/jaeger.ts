import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { built } from "./cluster/built.ts";
import { freePort } from "./free-port.ts";
import { untilReady } from "./ready.ts";

/** A span as Jaeger keeps it. */
export interface JaegerSpan {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  readonly parent: string | undefined;
  /** Spans of the same trace that it links to. */
  readonly links: readonly string[];
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly ms: number;
  readonly tags: Readonly<Record<string, unknown>>;
}

export interface Jaeger {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** Where a person looks at it. */
  readonly ui: string;
  /** @returns undefined for a trace that it has nothing of */
  trace(id: string): Promise<readonly JaegerSpan[] | undefined>;
  stop(): Promise<void>;
}

/** A real receiver of OTLP: Jaeger on free ports of this machine, in memory. The first use builds it: allow BUILD_MS. */
export async function startJaeger(): Promise<Jaeger> {
  const program = join(await built("jaeger"), "all-in-one");
  const port = { otlp: await freePort(), query: await freePort(), admin: await freePort() };
  const others = ["collector.grpc-server", "collector.http-server", "collector.otlp.grpc", "query.grpc-server"];
  const child = spawn(
    program,
    [
      `--collector.otlp.http.host-port=127.0.0.1:${port.otlp}`,
      `--query.http-server.host-port=127.0.0.1:${port.query}`,
      `--admin.http.host-port=127.0.0.1:${port.admin}`,
      ...others.map((name) => `--${name}.host-port=127.0.0.1:0`),
      "--log-level=error",
    ],
    // It would send traces of its own to a receiver that is not there.
    { stdio: ["ignore", "ignore", "ignore"], env: { ...process.env, OTEL_TRACES_SAMPLER: "always_off" } },
  );
  const ui = `http://127.0.0.1:${port.query}`;
  await untilReady(child, `http://127.0.0.1:${port.admin}/`, "Jaeger");
  return {
    endpoint: `http://127.0.0.1:${port.otlp}`,
    ui,
    async trace(id) {
      const answer = await fetch(`${ui}/api/traces/${id}`);
      return answer.status === 404 ? undefined : readTrace(await answer.json());
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** What its query API answers of one trace. */
export function readTrace(answer: unknown): JaegerSpan[] | undefined {
  const { data } = answer as { data?: readonly JaegerTrace[] };
  return data?.[0] && spansOf(data[0]);
}

interface JaegerTrace {
  readonly spans: readonly {
    readonly spanID: string;
    readonly operationName: string;
    readonly processID: string;
    readonly references: readonly { readonly refType: string; readonly spanID: string }[];
    /** Microseconds. */
    readonly startTime: number;
    readonly duration: number;
    readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  }[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

function spansOf({ spans, processes }: JaegerTrace): JaegerSpan[] {
  return spans.map((span) => {
    const [parent, ...links] = span.references.toSorted((a, b) => a.refType.localeCompare(b.refType));
    const isChild = parent?.refType === "CHILD_OF";
    return {
      id: span.spanID,
      name: span.operationName,
      service: processes[span.processID]?.serviceName ?? "",
      parent: isChild ? parent.spanID : undefined,
      links: (isChild || !parent ? links : [parent, ...links]).map(({ spanID }) => spanID),
      startedAt: span.startTime / 1000,
      ms: span.duration / 1000,
      tags: Object.fromEntries(span.tags.map(({ key, value }) => [key, value])),
    };
  });
}
