import { METRIC } from "../../lib/telemetry/metrics.ts";
import { bars, choice, dashboard, stat, table, text } from "./grafana.ts";
import { count, ratio, seriesOf, total, widest } from "./promql.ts";

const range = { over: "$__range" };
const interval = { over: "$__interval" };
const where = { namespace: "$namespace", pipeline: "$pipeline" };
const ofPipeline = { pipeline: "$pipeline" };
const usd = { unit: "currencyUSD" } as const;

const WHAT_COUNTS = `**Of runs** counts when a run ends: what the results it used cost, also where a run before made and paid for them. **Of calls** counts when a call to a model is
paid, whatever becomes of its run; it has the model, and no namespace. So the two differ while runs are under way. The bill is the provider's; to the
micro-dollar, run by run: \`kubectl agentic cost -A --by month\`.

At first this page shows the month so far. Choose *Previous month* in the time range for the one before.`;

/** What runs and calls to models cost. */
export const COST = dashboard({
  uid: "agentic-cost",
  title: "Agentic: cost",
  description: "US dollars and tokens by namespace, pipeline, model and month.",
  from: "now/M",
  variables: [
    choice("namespace", "Namespace", seriesOf(METRIC.runs)),
    choice("pipeline", "Pipeline", seriesOf(METRIC.runs)),
  ],
  rows: [
    {
      title: "The time shown",
      panels: [
        stat({ title: "Dollars of runs", ...usd }, count(METRIC.runCost, { ...range, where })),
        stat(
          { title: "Dollars of calls", ...usd, description: "Of all namespaces and pipelines." },
          count(METRIC.modelCost, range),
        ),
        stat(
          { title: "Dollars a run", ...usd },
          ratio(count(METRIC.runCost, { ...range, where }), count(METRIC.runs, { ...range, where })),
        ),
        stat({ title: "Tokens", description: "Of all namespaces and pipelines." }, total(METRIC.modelTokens, range)),
        stat(
          { title: "Dollars a call", ...usd },
          ratio(count(METRIC.modelCost, range), count(METRIC.modelDuration, range)),
        ),
        stat({ title: "Time in browsers", unit: "s" }, total(METRIC.browserDuration, range)),
        stat(
          { title: "Usage records", description: "Of runs, as kubectl agentic usage counts them." },
          count(METRIC.usageRecords, { ...range, where: { namespace: "$namespace" } }),
        ),
        table({ title: "Dollars by namespace", ...usd }, count(METRIC.runCost, { ...range, by: ["namespace"], where })),
        table({ title: "Dollars by pipeline", ...usd }, count(METRIC.runCost, { ...range, by: ["pipeline"], where })),
        table(
          { title: "Dollars by model", ...usd },
          count(METRIC.modelCost, { ...range, by: ["gen_ai.request.model"] }),
        ),
        table(
          { title: "Tokens by model" },
          total(METRIC.modelTokens, { ...range, by: ["gen_ai.request.model", "gen_ai.token.type"] }),
        ),
        table(
          { title: "Dollars a run, by pipeline", ...usd },
          ratio(
            count(METRIC.runCost, { ...range, by: ["pipeline"], where }),
            count(METRIC.runs, { ...range, by: ["pipeline"], where }),
          ),
        ),
        table(
          {
            title: "Dollars an item, by pipeline",
            ...usd,
            description:
              "Items are those of the pipeline's widest step: as many as its longest list. Of all namespaces.",
          },
          ratio(
            count(METRIC.runCost, { ...range, by: ["pipeline"], where: ofPipeline }),
            widest(METRIC.items, { ...range, by: ["pipeline"], within: "step", where: ofPipeline }),
          ),
        ),
      ],
    },
    {
      title: "Over time",
      panels: [
        bars(
          { title: "Dollars a day, by namespace", ...usd, interval: "1d" },
          { expr: count(METRIC.runCost, { ...interval, by: ["namespace"], where }), legend: "{{namespace}}" },
        ),
        bars(
          { title: "Dollars a day, by model", ...usd, interval: "1d" },
          {
            expr: count(METRIC.modelCost, { ...interval, by: ["gen_ai.request.model"] }),
            legend: "{{gen_ai_request_model}}",
          },
        ),
        text("What counts", WHAT_COUNTS, 6),
      ],
    },
  ],
});
