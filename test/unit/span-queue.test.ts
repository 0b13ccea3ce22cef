import { setTimeout as sleep } from "node:timers/promises";
import { ExportResultCode } from "@opentelemetry/core";
import { BasicTracerProvider, BatchSpanProcessor, TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace-base";
import { afterEach, expect, test, vi } from "vitest";
import { countDropped } from "../../lib/telemetry/span-queue.ts";

afterEach(() => vi.unstubAllEnvs());

/** As sdk.ts has it, to a receiver that takes 5 ms. */
function queueOf(size: number, sampler?: TraceIdRatioBasedSampler) {
  vi.stubEnv("OTEL_BSP_MAX_QUEUE_SIZE", String(size));
  const counts = { sent: 0, lost: 0 };
  const queue = countDropped({
    exporter: {
      export(spans, done) {
        counts.sent += spans.length;
        void sleep(5).then(() => done({ code: ExportResultCode.SUCCESS }));
      },
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
    },
    isHealthy: () => true,
    suspect: () => undefined,
    lose: (spans) => {
      counts.lost += spans;
    },
  });
  const processors = [queue.processor, new BatchSpanProcessor(queue.exporter)];
  const provider = new BasicTracerProvider({ spanProcessors: processors, ...(sampler ? { sampler } : {}) });
  const burst = (spans: number): void => {
    for (let i = 0; i < spans; i++) provider.getTracer("test").startSpan("step").end();
  };
  return { counts, burst, flush: () => provider.forceFlush() };
}

test("each span that the SDK drops is counted, burst after burst", async () => {
  const { counts, burst, flush } = queueOf(1000);
  burst(3000);
  expect(counts.lost).toBeGreaterThan(1000);
  await flush();
  expect(counts.sent + counts.lost).toBe(3000);
  burst(5000);
  await flush();
  expect(counts.sent + counts.lost).toBe(8000);
  const { lost } = counts;
  burst(900);
  await flush();
  expect([counts.sent + counts.lost, counts.lost]).toEqual([8900, lost]);
});

test("a span that is not sampled takes no place", async () => {
  const { counts, burst, flush } = queueOf(1000, new TraceIdRatioBasedSampler(0));
  burst(3000);
  await flush();
  expect(counts).toEqual({ sent: 0, lost: 0 });
});
