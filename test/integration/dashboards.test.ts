import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { context, metrics, propagation, trace } from "@opentelemetry/api";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { count, labelOf } from "../../config/observability/promql.ts";
import { METRIC, type Metric } from "../../lib/telemetry/metrics.ts";
import { BUILD_MS, built } from "../cluster/built.ts";
import { ALERTS, allSeriesOf, asked, DASHBOARDS, FOLDER, QUERIES } from "../observability.ts";
import { type Prometheus, promtool, startPrometheus } from "../prometheus.ts";

// Every metric that there is, sent by our own telemetry to a real Prometheus with the configuration and the rules that ship. What a run
// sends: test/e2e/dashboards.test.ts.

/** A day: longer than any alert lets pass. */
const VALUE = 86_400;

let prometheus: Prometheus;
/** Alerts that are there before anything is sent. */
let before: readonly string[];
const firing = async (): Promise<string[]> => {
  const answers = await Promise.all(
    ALERTS.map(async ({ alert, expr }) => ({ alert, is: await prometheus.query(expr) })),
  );
  return answers.filter(({ is }) => is.length > 0).map(({ alert }) => alert);
};

/** In the words of the code that records them, and how often. Of other attributes any word will do. */
function outcomesOf({ name, attributes }: Metric): [object, number][] {
  if (!attributes.includes("outcome")) return [[{}, 100]];
  const isOfRuns = name === METRIC.runs.name || name === METRIC.runDuration.name;
  const often = isOfRuns ? { Succeeded: 1, Failed: 100 } : { succeeded: 1, failed: 100, refused: 100 };
  return Object.entries(often).map(([outcome, times]) => [{ outcome }, times]);
}

/** A process that does all that there is to count, a hundred times of what failed: modules of its own, and the id of every other here. */
async function sendAll(): Promise<void> {
  vi.resetModules();
  const { startTelemetry } = await import("../../lib/telemetry/start.ts");
  const { METRIC } = await import("../../lib/telemetry/metrics.ts");
  const settings = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: prometheus.endpoint };
  const telemetry = await startTelemetry("reconcile", settings, pino({ enabled: false }));
  for (const metric of Object.values(METRIC) as Metric[]) {
    const others = Object.fromEntries(metric.attributes.map((name) => [name, name === "phase" ? "Pending" : "x"]));
    for (const [outcome, times] of outcomesOf(metric))
      for (let time = 0; time < times; time++) metric.record(VALUE, { ...others, ...outcome });
  }
  await telemetry.shutdown();
  for (const one of [trace, context, propagation, metrics]) one.disable();
}

beforeAll(async () => {
  prometheus = await startPrometheus();
  before = await firing();
  vi.stubEnv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", prometheus.endpoint);
  await sendAll();
  await sendAll();
}, BUILD_MS);
afterAll(async () => {
  vi.unstubAllEnvs();
  await prometheus?.stop();
});

describe("Prometheus", () => {
  test("keeps each metric under the names and labels that dashboards and alerts ask for", async () => {
    const kept = Map.groupBy(await prometheus.series(), ({ __name__ = "" }) => __name__);
    const labels = (name: string) => [...new Set((kept.get(name) ?? []).flatMap(Object.keys))].toSorted();
    for (const metric of Object.values(METRIC) as Metric[])
      for (const name of allSeriesOf(metric)) {
        const own = [...metric.attributes.map(labelOf), ...(name.endsWith("_bucket") ? ["le"] : [])];
        expect([name, labels(name)]).toEqual([name, ["__name__", "instance", "job", ...own].toSorted()]);
      }
    const ours = [...kept.keys()].filter((name) => /^(agentic|gen_ai)_/.test(name));
    expect(ours.toSorted()).toEqual((Object.values(METRIC) as Metric[]).flatMap(allSeriesOf).toSorted());
  });

  test("adds up what a process counted and what the next of the same name and id counts", async () => {
    const [mine, other] = await prometheus.query("agentic_function_starts_total");
    expect(mine?.value).toBe(other?.value);
    const sum = await prometheus.query(count(METRIC.starts, { over: "1h", by: ["job"] }));
    expect(sum).toEqual([{ labels: { job: "agentic/reconcile" }, value: 2 * (mine?.value ?? 0) }]);
  });

  test.each(QUERIES)("answers $where", async ({ expr, legendFormat }) => {
    const samples = await prometheus.query(asked(expr));
    expect(samples).not.toEqual([]);
    for (const { labels, value } of samples) {
      expect(value).toBeGreaterThan(0);
      for (const [, label = ""] of legendFormat.matchAll(/{{(\w+)}}/g)) expect(labels).toHaveProperty(label);
    }
  });

  test("loads every alert; what has happened raises each, and before only that nothing is heard of reconcile", async () => {
    expect((await prometheus.alerts()).map(({ name }) => name)).toEqual(ALERTS.map(({ alert }) => alert));
    expect(before).toEqual(["AgenticReconcileAbsent"]);
    expect(await firing()).toEqual(
      ALERTS.map(({ alert }) => alert).filter((alert) => alert !== "AgenticReconcileAbsent"),
    );
  });
});

describe("Grafana", () => {
  const check = async (...files: readonly string[]): Promise<string> => {
    const program = join(await built("grafana-schema"), "grafana-schema");
    return promisify(execFile)(program, files).then(
      () => "",
      ({ stderr }) => stderr,
    );
  };

  test(
    "knows each field of the dashboards by its own types of dashboards, panels and queries",
    async () => {
      expect(await check(...Object.keys(DASHBOARDS).map((file) => `${FOLDER}${file}`))).toBe("");
    },
    BUILD_MS,
  );

  test.each(["showHeader", "legendFormat", "graphMode", "gridPos"])(
    "would not take another name for %s",
    async (field) => {
      const folder = await mkdtemp(join(tmpdir(), "agentic-grafana-"));
      const file = join(folder, "fleet.json");
      await writeFile(file, JSON.stringify(DASHBOARDS["fleet.json"]).replaceAll(`"${field}"`, '"misspelt"'));
      expect(await check(file)).toContain("unexpected field 'misspelt'");
      await rm(folder, { recursive: true });
    },
  );
});

describe("alerts over time, by promtool", () => {
  /** In promtool's words, a sample a minute: `_x60` none for an hour, `3x60` three for an hour, `0+1x60` one more each minute. */
  interface Case {
    readonly what: string;
    readonly series: Readonly<Record<string, string>>;
    /** Which alerts fire, by the minute. */
    readonly fires: Readonly<Record<number, readonly string[]>>;
  }
  const RECONCILE = {
    'agentic_reconcile_duration_seconds_count{job="agentic/reconcile",kind="workload",outcome="succeeded"}': "0+1x300",
  };
  const active = (instance: string, phase: string): string =>
    `agentic_runs_active{instance="${instance}",namespace="a",pipeline="p",phase="${phase}"}`;
  const runs = (instance: string, outcome: string): string =>
    `agentic_runs_total{instance="${instance}",namespace="a",pipeline="p",outcome="${outcome}"}`;

  test.each<Case>([
    {
      what: "runs that failed count from the first sample of the process that saw them, and for an hour",
      series: { ...RECONCILE, [runs("1", "Failed")]: "_x60 3 3", [runs("2", "Succeeded")]: "_x60 2 2" },
      fires: { 59: [], 62: ["AgenticRunsFail"], 118: ["AgenticRunsFail"], 130: [] },
    },
    {
      what: "runs that failed long ago do not count, however long their process lives, nor do a few",
      series: { ...RECONCILE, [runs("1", "Failed")]: "9x300", [runs("2", "Failed")]: "_x100 2x50" },
      fires: { 90: [], 110: [] },
    },
    {
      what: "runs of which half succeed raise nothing",
      series: { ...RECONCILE, [runs("1", "Failed")]: "_x60 5x60", [runs("1", "Succeeded")]: "_x60 5x60" },
      fires: { 70: [] },
    },
    {
      what: "dollars count by the hour",
      series: { ...RECONCILE, 'agentic_model_cost_total{gen_ai_request_model="m"}': "100x120 100+0.5x60 130x60" },
      fires: { 119: [], 150: ["AgenticSpendHigh"], 210: ["AgenticSpendHigh"], 235: [] },
    },
    {
      what: "a gate may wait for four hours",
      series: { ...RECONCILE, 'agentic_gate_waiting_seconds{namespace="a",pipeline="p"}': "0+60x280 0x10" },
      fires: { 239: [], 242: ["AgenticGateWaits"], 279: ["AgenticGateWaits"], 285: [] },
    },
    {
      what: "runs may wait for an hour to start, whichever process sees them",
      series: {
        ...RECONCILE,
        [active("1", "Pending")]: "1x50",
        [active("2", "Pending")]: "_x45 1x50 0x20",
        [active("1", "Running")]: "1x200",
      },
      fires: { 58: [], 62: ["AgenticRunsWait"], 100: [] },
    },
    {
      what: "a dead letter is told for a quarter of an hour",
      series: { ...RECONCILE, agentic_reconcile_dead_letters_total: "_x30 1x60" },
      fires: { 29: [], 32: ["AgenticDeadLetters"], 44: ["AgenticDeadLetters"], 50: [] },
    },
    {
      what: "reconcile may sleep for a while, and not for half an hour",
      series: { [Object.keys(RECONCILE)[0] ?? ""]: "0+1x10" },
      fires: { 12: [], 43: [], 47: ["AgenticReconcileAbsent"] },
    },
    {
      what: "slow looks are told when they stay slow",
      series: {
        ...RECONCILE,
        'agentic_reconcile_duration_seconds_bucket{kind="workload",le="30"}': "0x120",
        'agentic_reconcile_duration_seconds_bucket{kind="workload",le="60"}': "0+1x120",
        'agentic_reconcile_duration_seconds_bucket{kind="workload",le="+Inf"}': "0+1x120",
      },
      fires: { 10: [], 30: ["AgenticReconcileSlow"] },
    },
  ])("$what", async ({ series, fires }) => {
    const folder = await mkdtemp(join(tmpdir(), "agentic-alerts-"));
    const file = join(folder, "test.yaml");
    const expected = Object.entries(fires).map(([minute, names]) => ({
      expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: `${minute}m`,
      exp_samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
    }));
    const input = Object.entries(series).map(([name, values]) => ({ series: name, values }));
    const tests = [{ interval: "1m", input_series: input, promql_expr_test: expected }];
    await writeFile(file, stringify({ rule_files: [`${FOLDER}alerts.yaml`], evaluation_interval: "1m", tests }));
    await promtool("test", "rules", file).catch(({ stdout, stderr }) => expect.fail(`${stdout}${stderr}`));
    await rm(folder, { recursive: true });
  });
});
