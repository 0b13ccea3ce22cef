import { METRIC } from "../../lib/telemetry/metrics.ts";
import { bars, choice, dashboard, dataSource, lines, stat, table, text, textBox, trace } from "./grafana.ts";
import { count, level, longest, quantile, ratio, seriesOf } from "./promql.ts";

const range = { over: "$__range" };
const interval = { over: "$__interval" };
const where = { pipeline: "$pipeline" };
const step = { step: "$step" };
const ofRun = { ...where, ...step };

const WHERE_IT_IS = `Metrics name no workload, no item and no page: each would be a series of its own for ever. So this page has two halves.
**Above**, what runs of this pipeline and steps of this name are usually like. **Below**, the trace of one run: its steps, gates, starts, calls to models and
dollars, each with the item that it was about.

The trace's id: \`kubectl get agentworkload NAME -o jsonpath='{.status.trace}'\`, or \`trace\` in \`run.json\` of a local run. Write it into the field *Trace*, choose the
data source that has your traces, and open its row.`;

/** One run: what its pipeline is usually like, and its trace. */
export const RUN = dashboard({
  uid: "agentic-run",
  title: "Agentic: one run",
  description: "What runs of a pipeline are usually like, and the trace of one of them.",
  from: "now-24h",
  variables: [
    choice("pipeline", "Pipeline", seriesOf(METRIC.runs)),
    choice("step", "Step", seriesOf(METRIC.items)),
    textBox("trace", "Trace"),
    dataSource("jaeger", "Jaeger", "jaeger"),
    dataSource("tempo", "Tempo", "tempo"),
  ],
  rows: [
    {
      title: "Runs of this pipeline",
      panels: [
        stat({ title: "Runs that ended" }, count(METRIC.runs, { ...range, where })),
        stat({ title: "Half took at most", unit: "s" }, quantile(0.5, METRIC.runDuration, { ...range, where })),
        stat({ title: "95 % took at most", unit: "s" }, quantile(0.95, METRIC.runDuration, { ...range, where })),
        stat(
          { title: "Dollars a run", unit: "currencyUSD" },
          ratio(count(METRIC.runCost, { ...range, where }), count(METRIC.runs, { ...range, where })),
        ),
        stat({ title: "Longest wait at a gate now", unit: "s" }, longest(METRIC.gateWaiting, { where })),
        stat(
          { title: "Steps of these names under way", description: "Of all pipelines." },
          level(METRIC.running, { where: step }),
        ),
        table(
          { title: "Steps by outcome" },
          count(METRIC.items, { ...range, by: ["step", "outcome", "reason"], where: ofRun }),
        ),
        table(
          { title: "Gates by decision", description: "automatic: nobody was asked." },
          count(METRIC.gateDuration, { ...range, by: ["decision", "automatic"], where }),
        ),
      ],
    },
    {
      title: "Steps of these names, of all pipelines",
      panels: [
        lines(
          { title: "How long a start took", unit: "s" },
          {
            expr: quantile(0.5, METRIC.attemptDuration, { ...interval, by: ["step"], where: step }),
            legend: "{{step}}, half",
          },
          {
            expr: quantile(0.95, METRIC.attemptDuration, { ...interval, by: ["step"], where: step }),
            legend: "{{step}}, 95 %",
          },
        ),
        lines(
          { title: "Wait for an agent", unit: "s", description: "In 95 % of the cases." },
          {
            expr: quantile(0.95, METRIC.queueDuration, { ...interval, by: ["step"], where: step }),
            legend: "{{step}}",
          },
        ),
        bars(
          { title: "Starts by outcome and reason" },
          {
            expr: count(METRIC.attempts, { ...interval, by: ["step", "outcome", "reason"], where: step }),
            legend: "{{step}} {{outcome}} {{reason}}",
          },
        ),
        bars(
          { title: "Answered without work", description: "The step had ended before: nothing was done or paid twice." },
          { expr: count(METRIC.recorded, { ...interval, by: ["step"], where: step }), legend: "{{step}}" },
        ),
      ],
    },
    { title: "One run", panels: [text("Where one run is", WHERE_IT_IS, 6)] },
    {
      title: "Its trace, in Jaeger",
      isCollapsed: true,
      panels: [trace("Trace", { type: "jaeger", variable: "jaeger", query: { query: "$trace" } })],
    },
    {
      title: "Its trace, in Tempo",
      isCollapsed: true,
      panels: [
        trace("Trace", {
          type: "tempo",
          variable: "tempo",
          query: { queryType: "traceql", query: "$trace", filters: [] },
        }),
      ],
    },
  ],
});
