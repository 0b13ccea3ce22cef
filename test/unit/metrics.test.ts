import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterAll, describe, expect, test, vi } from "vitest";
import { METRIC, type Metric, measured } from "../../lib/telemetry/metrics.ts";

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
metrics.setGlobalMeterProvider(provider);
afterAll(() => provider.shutdown());

async function points(of: Metric): Promise<{ attributes: unknown; value: unknown }[]> {
  exporter.reset();
  await provider.forceFlush();
  const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  const metric = all.findLast(({ descriptor }) => descriptor.name === of.name);
  return metric?.dataPoints.map(({ attributes, value }) => ({ attributes, value })) ?? [];
}

describe("metrics", () => {
  test("each has a name of its own, a unit and a sentence", () => {
    const all: Metric[] = Object.values(METRIC);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { name, unit, description } of all) {
      expect(name).toMatch(/^(agentic|gen_ai)\.[a-z_.]+$/);
      expect(unit).toMatch(/^(s|\{[A-Za-z]+\})$/);
      expect(description).toMatch(/\.$/);
    }
  });

  test("a counter adds up by its attributes", async () => {
    METRIC.egressRefusals.record(1, { reason: "HostNotAllowed" });
    METRIC.egressRefusals.record(1, { reason: "HostNotAllowed" });
    METRIC.egressRefusals.record(1, { reason: "PortNotAllowed" });
    expect(await points(METRIC.egressRefusals)).toEqual([
      { attributes: { reason: "HostNotAllowed" }, value: 2 },
      { attributes: { reason: "PortNotAllowed" }, value: 1 },
    ]);
  });

  test("what was found at a look is the newest, and 0 once it is old", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const about = { namespace: "a", pipeline: "p" };
    METRIC.gateWaiting.record(60, about);
    METRIC.gateWaiting.record(30, about);
    vi.advanceTimersByTime(179_000);
    METRIC.gateWaiting.record(10, { ...about, pipeline: "q" });
    expect(await points(METRIC.gateWaiting)).toEqual([
      { attributes: about, value: 30 },
      { attributes: { ...about, pipeline: "q" }, value: 10 },
    ]);
    vi.advanceTimersByTime(2_000);
    expect((await points(METRIC.gateWaiting)).map(({ value }) => value)).toEqual([0, 10]);
    vi.useRealTimers();
  });

  test("work is measured whether it ends well or not", async () => {
    expect(await measured(METRIC.reconcileDuration, { kind: "workload" }, async () => 7)).toBe(7);
    const failing = measured(METRIC.reconcileDuration, { kind: "workload" }, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(await points(METRIC.reconcileDuration)).toEqual([
      { attributes: { kind: "workload", outcome: "succeeded" }, value: expect.objectContaining({ count: 1 }) },
      { attributes: { kind: "workload", outcome: "failed" }, value: expect.objectContaining({ count: 1 }) },
    ]);
  });
});
