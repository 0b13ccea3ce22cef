import { describe, expect, test } from "vitest";
import { count, labelOf } from "../../config/observability/promql.ts";
import { METRIC, type Metric } from "../../lib/telemetry/metrics.ts";
import { ALERTS, allSeriesOf, DASHBOARDS, panelsOf, QUERIES } from "../observability.ts";

// The files as a user loads them. What a real Prometheus says of them: test/integration/dashboards.test.ts.

const SERIES = new Map(
  Object.values(METRIC).flatMap((metric: Metric) => allSeriesOf(metric).map((name) => [name, metric] as const)),
);

/** What an expression asks for that no metric has. */
function unknownIn(expr: string): string[] {
  const names = expr.match(/\b(?:agentic|gen_ai)_\w+(?=[{[)\s,]|$)(?!\s*=)/g) ?? [];
  const labels = [
    ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(", ")),
    ...[...expr.matchAll(/[{,]\s*(\w+)=/g)].map(([, name = ""]) => name),
  ];
  const series = names.filter((name) => !labels.includes(name));
  const metrics = series.flatMap((name) => SERIES.get(name) ?? []);
  const known = new Set([...metrics.flatMap(({ attributes }) => attributes.map(labelOf)), "job", "le"]);
  const strange = series.length === 0 ? ["nothing"] : [];
  return [...strange, ...series.filter((name) => !SERIES.has(name)), ...labels.filter((label) => !known.has(label))];
}

describe("dashboards and alerts", () => {
  test.each([
    ['sum by (outcome) (last_over_time(agentic_runs_total{pipeline=~"$pipeline"}[5m]))', []],
    ["sum(agentic_runs)", ["agentic_runs"]],
    ["sum(agentic_run_duration_total)", ["agentic_run_duration_total"]],
    ["sum by (workload) (agentic_runs_total)", ["workload"]],
    ['sum(agentic_runs_total{item="x"}) / sum(agentic_run_cost_total)', ["item"]],
    ["sum by (gen_ai_request_model, item) (gen_ai_client_token_usage_sum)", ["item"]],
    ["vector(1)", ["nothing"]],
  ])("of %s it is known what does not exist", (expr, unknown) => expect(unknownIn(expr)).toEqual(unknown));

  test("are written in a language that has no other metrics and attributes", () => {
    // @ts-expect-error: each workload would be a series of its own
    expect(count(METRIC.runs, { over: "1h", by: ["workload"] })).toContain("workload");
    // @ts-expect-error: likewise
    expect(count(METRIC.runs, { over: "1h", where: { item: "x" } })).toContain("item");
    // @ts-expect-error: likewise
    METRIC.runs.record(0, { workload: "x" });
  });

  test.each(QUERIES)("$where asks for what is counted", ({ expr, legendFormat }) => {
    expect(unknownIn(expr)).toEqual([]);
    for (const [, label] of legendFormat.matchAll(/{{(\w+)}}/g))
      expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
  });

  test.each(ALERTS)("$alert asks for what is counted, and says what to do", ({ alert, expr, annotations, labels }) => {
    expect(alert).toMatch(/^Agentic[A-Z]/);
    expect(unknownIn(expr)).toEqual([]);
    for (const [, label] of JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g))
      expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
    expect(annotations.description.length).toBeGreaterThan(annotations.summary.length);
    expect(["critical", "warning", "info"]).toContain(labels.severity);
  });

  test("every metric is on a dashboard", () => {
    const all = QUERIES.map(({ expr }) => expr).join("\n");
    const missing = Object.values(METRIC).filter((metric) => !allSeriesOf(metric).some((name) => all.includes(name)));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  describe.each(Object.entries(DASHBOARDS))("%s", (_file, dashboard) => {
    const variables = dashboard.templating.list.map(({ name }) => name);

    test("knows its data sources, and what else is chosen, by variables alone", () => {
      const used = [...JSON.stringify(dashboard.panels).matchAll(/\$\{?(\w+)/g)].map(([, name = ""]) => name);
      expect(used).toContain("metrics");
      expect(new Set(used.filter((name) => !name.startsWith("__")))).toEqual(new Set(variables));
      for (const { datasource } of panelsOf(dashboard)) if (datasource) expect(datasource.uid).toMatch(/^\$\{\w+\}$/);
      for (const { definition } of dashboard.templating.list)
        if (definition !== undefined) {
          const [, series = "", label = ""] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
          expect(unknownIn(`sum by (${label}) (${series})`)).toEqual([]);
        }
    });

    test("has panels side by side, each with an id of its own", () => {
      const panels = panelsOf(dashboard);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const taken = new Set<string>();
      for (const { gridPos } of dashboard.panels) {
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken).not.toContain(`${x} ${y}`);
            taken.add(`${x} ${y}`);
          }
      }
    });
  });
});
