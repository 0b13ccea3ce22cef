import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { context, metrics, propagation, trace } from "@opentelemetry/api";
import { logs } from "@opentelemetry/api-logs";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startTelemetry } from "../../lib/telemetry/start.ts";
import type { Telemetry } from "../../lib/telemetry/telemetry.ts";

// What reaches a receiver of OTLP, and what a receiver in trouble costs. Its answers are those of a real one: test/kubernetes/trace.test.ts.

let server: Server;
let answer: (response: ServerResponse) => void;
let posts: { readonly path: string; readonly bytes: number; readonly type: string | undefined }[];
let telemetry: Telemetry;
let logged: Record<string, unknown>[];
const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) });
const take = (response: ServerResponse) => void response.writeHead(200).end();
const traces = () => posts.filter(({ path }) => path === "/v1/traces");

async function start(): Promise<void> {
  telemetry = await startTelemetry(
    "scrape",
    { OTEL_EXPORTER_OTLP_ENDPOINT: process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] },
    log,
  );
}
/** An answer, after work of one span. */
async function flushed(): Promise<void> {
  trace.getTracer("test").startSpan("work").end();
  await telemetry.flush();
}

beforeEach(async () => {
  posts = [];
  logged = [];
  answer = take;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      posts.push({
        path: request.url ?? "",
        bytes: Buffer.concat(chunks).length,
        type: request.headers["content-type"],
      });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await telemetry.shutdown();
  for (const one of [trace, context, propagation, metrics, logs]) one.disable();
  vi.unstubAllEnvs();
});

describe("telemetry", () => {
  test("is sent before a function answers", async () => {
    await start();
    await flushed();
    expect(traces()).toEqual([{ path: "/v1/traces", bytes: expect.any(Number), type: "application/x-protobuf" }]);
  });

  test("is sent when a process ends", async () => {
    await start();
    trace.getTracer("test").startSpan("work").end();
    await telemetry.shutdown();
    expect(traces()).toHaveLength(1);
  });

  test.each<[string, object]>([
    ["no receiver", {}],
    ["the SDK switched off", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_SDK_DISABLED: true }],
  ])("with %s does nothing", async (_what, settings) => {
    telemetry = await startTelemetry("scrape", settings, log);
    expect(trace.getTracer("test").startSpan("work").isRecording()).toBe(false);
  });

  test("a receiver that hangs keeps one answer waiting for a moment, and then none", { timeout: 10_000 }, async () => {
    vi.stubEnv("OTEL_EXPORTER_OTLP_TIMEOUT", "60000");
    vi.stubEnv("OTEL_BSP_EXPORT_TIMEOUT", "60000");
    answer = () => undefined;
    await start();
    await flushed();
    expect(traces()).toHaveLength(1);
    await flushed();
    await flushed();
    expect(traces()).toHaveLength(1);
  });

  test("a receiver that refuses is named once, with what is lost, and no answer waits for it any more", async () => {
    vi.stubEnv("OTEL_BSP_SCHEDULE_DELAY", "20");
    answer = (response) => void response.writeHead(400).end("no");
    await start();
    for (const refused of [1, 2, 3]) {
      await flushed();
      await vi.waitFor(() => expect(traces()).toHaveLength(refused));
    }
    expect(logged).toEqual([expect.objectContaining({ msg: "telemetry not sent", lostSpans: 1 })]);
  });

  test("no span of a run of many steps is lost, which ends them all at once", async () => {
    await start();
    const tracer = trace.getTracer("test");
    for (let i = 0; i < 8000; i++) tracer.startSpan("step").end();
    await telemetry.shutdown();
    expect(traces()).toHaveLength(Math.ceil(8000 / 512));
    expect(logged).toEqual([]);
  });

  test("what the queue has no room for is said", async () => {
    vi.stubEnv("OTEL_BSP_MAX_QUEUE_SIZE", "1000");
    await start();
    const tracer = trace.getTracer("test");
    for (let i = 0; i < 3000; i++) tracer.startSpan("step").end();
    const problem = expect.stringMatching(/more than 1000 spans wait/);
    expect(logged).toEqual([expect.objectContaining({ msg: "telemetry not sent", lostSpans: 1, problem })]);
  });

  test("a receiver that is back gets what there is in the background, and answers wait for it again", async () => {
    vi.stubEnv("OTEL_BSP_SCHEDULE_DELAY", "20");
    answer = (response) => void response.writeHead(400).end("no");
    await start();
    await flushed();
    answer = take;
    await flushed();
    await vi.waitFor(() => expect(traces().length).toBeGreaterThan(1));
    await vi.waitFor(async () => {
      const before = traces().length;
      await flushed();
      expect(traces()).toHaveLength(before + 1);
    });
  });
});
