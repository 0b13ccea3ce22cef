import { METRIC } from "../../lib/telemetry/metrics.ts";
import { bars, choice, dashboard, lines, stat, table } from "./grafana.ts";
import { count, found, level, longest, quantile, ratio, seriesOf, total } from "./promql.ts";

const range = { over: "$__range" };
const interval = { over: "$__interval" };
const where = { pipeline: "$pipeline" };
const failed = { outcome: "failed" };

/** All runs, and what they run on. */
export const FLEET = dashboard({
  uid: "agentic-fleet",
  title: "Agentic: fleet",
  description: "All runs, their steps, gates and models, and the functions that do them.",
  from: "now-24h",
  variables: [choice("pipeline", "Pipeline", seriesOf(METRIC.runs))],
  rows: [
    {
      title: "Runs",
      panels: [
        stat({ title: "Runs that ended" }, count(METRIC.runs, { ...range, where })),
        stat(
          { title: "Succeeded", unit: "percentunit" },
          ratio(
            count(METRIC.runs, { ...range, where: { ...where, outcome: "Succeeded" } }),
            count(METRIC.runs, { ...range, where }),
          ),
        ),
        stat({ title: "Dollars", unit: "currencyUSD" }, count(METRIC.runCost, { ...range, where })),
        stat({ title: "Runs under way", description: "At the last resync." }, found(METRIC.activeRuns, { where })),
        stat({ title: "Longest wait at a gate", unit: "s" }, longest(METRIC.gateWaiting, { where })),
        stat({ title: "Steps under way", description: "Of all pipelines." }, level(METRIC.running, {})),
        stat(
          { title: "Licence lasts", unit: "s", description: "Until no new run starts; empty or 0 without a licence." },
          longest(METRIC.licenceRemaining, {}),
        ),
        stat(
          { title: "Clock is behind", unit: "s", description: "The latest time that was seen, by more than a day." },
          longest(METRIC.clockSetBack, {}),
        ),
        lines(
          { title: "Runs under way", description: "Pending: they wait to start. AwaitingReview: for a person." },
          { expr: found(METRIC.activeRuns, { by: ["phase"], where }), legend: "{{phase}}" },
        ),
        bars(
          { title: "Runs by outcome" },
          { expr: count(METRIC.runs, { ...interval, by: ["outcome"], where }), legend: "{{outcome}}" },
        ),
        lines(
          { title: "How long runs took", unit: "s", description: "From start to end, the time at gates included." },
          {
            expr: quantile(0.5, METRIC.runDuration, { ...interval, by: ["pipeline"], where }),
            legend: "{{pipeline}}, half",
          },
          {
            expr: quantile(0.95, METRIC.runDuration, { ...interval, by: ["pipeline"], where }),
            legend: "{{pipeline}}, 95 %",
          },
        ),
        table(
          {
            title: "Failed steps",
            description: "By reason: docs/deploy.md says what each means. Counted when their run ends.",
          },
          count(METRIC.items, { ...range, by: ["pipeline", "step", "reason"], where: { ...where, ...failed } }),
        ),
        lines(
          { title: "Longest wait at a gate", unit: "s", description: "Of those that are open." },
          {
            expr: longest(METRIC.gateWaiting, { by: ["namespace", "pipeline"], where }),
            legend: "{{namespace}} {{pipeline}}",
          },
        ),
        lines(
          {
            title: "How long gates waited",
            unit: "s",
            description: "Counted when a gate is decided or has timed out.",
          },
          {
            expr: quantile(0.5, METRIC.gateDuration, { ...interval, by: ["pipeline"], where }),
            legend: "{{pipeline}}, half",
          },
          {
            expr: quantile(0.95, METRIC.gateDuration, { ...interval, by: ["pipeline"], where }),
            legend: "{{pipeline}}, 95 %",
          },
        ),
      ],
    },
    {
      title: "Steps",
      panels: [
        lines({ title: "Steps under way" }, { expr: level(METRIC.running, { by: ["step"] }), legend: "{{step}}" }),
        lines(
          {
            title: "Wait for an agent",
            unit: "s",
            description:
              "From a step's request to its agent's taking it, in 95 % of the cases: cold starts and full agents.",
          },
          { expr: quantile(0.95, METRIC.queueDuration, { ...interval, by: ["step"] }), legend: "{{step}}" },
        ),
        bars(
          { title: "Starts of steps by outcome" },
          { expr: count(METRIC.attempts, { ...interval, by: ["step", "outcome"] }), legend: "{{step}} {{outcome}}" },
        ),
        table(
          { title: "Failed starts", description: "One that is tried again counts each time." },
          count(METRIC.attempts, { ...range, by: ["step", "reason"], where: failed }),
        ),
      ],
    },
    {
      title: "Models and browsers",
      panels: [
        bars(
          { title: "Calls to models" },
          {
            expr: count(METRIC.modelDuration, { ...interval, by: ["gen_ai.request.model", "outcome"] }),
            legend: "{{gen_ai_request_model}} {{outcome}}",
          },
        ),
        bars(
          { title: "Tokens" },
          {
            expr: total(METRIC.modelTokens, { ...interval, by: ["gen_ai.request.model", "gen_ai.token.type"] }),
            legend: "{{gen_ai_request_model}} {{gen_ai_token_type}}",
          },
        ),
        lines(
          { title: "How long calls took", unit: "s", description: "In 95 % of the cases." },
          {
            expr: quantile(0.95, METRIC.modelDuration, { ...interval, by: ["gen_ai.request.model"] }),
            legend: "{{gen_ai_request_model}}",
          },
        ),
        bars(
          { title: "Time in browsers", unit: "s", description: "For which visits held a browser context." },
          { expr: total(METRIC.browserDuration, { ...interval, by: ["outcome"] }), legend: "{{outcome}}" },
        ),
      ],
    },
    {
      title: "Functions",
      panels: [
        bars(
          { title: "Processes started", description: "At scale to zero each is a cold start." },
          { expr: count(METRIC.starts, { ...interval, by: ["job"] }), legend: "{{job}}" },
        ),
        bars(
          { title: "Egress refused", description: "Requests that the egress proxy refused, by reason." },
          { expr: count(METRIC.egressRefusals, { ...interval, by: ["reason"] }), legend: "{{reason}}" },
        ),
        bars(
          { title: "Looks of reconcile" },
          {
            expr: count(METRIC.reconcileDuration, { ...interval, by: ["kind", "outcome"] }),
            legend: "{{kind}} {{outcome}}",
          },
        ),
        lines(
          { title: "How long looks took", unit: "s", description: "In 95 % of the cases." },
          { expr: quantile(0.95, METRIC.reconcileDuration, { ...interval, by: ["kind"] }), legend: "{{kind}}" },
        ),
        bars(
          { title: "Objects that admission judged" },
          { expr: count(METRIC.admissions, { ...interval, by: ["kind", "outcome"] }), legend: "{{kind}} {{outcome}}" },
        ),
        bars(
          { title: "Decisions that approve was sent", description: "Those that it refused by the reason." },
          { expr: count(METRIC.decisions, { ...interval, by: ["how", "outcome"] }), legend: "{{how}} {{outcome}}" },
        ),
        bars({ title: "Dead letters" }, { expr: count(METRIC.deadLetters, interval), legend: "requests" }),
        bars(
          { title: "Telemetry lost" },
          { expr: count(METRIC.lostSpans, { ...interval, by: ["job"] }), legend: "{{job}}, spans" },
          { expr: count(METRIC.lostRecords, { ...interval, by: ["job"] }), legend: "{{job}}, log records" },
        ),
      ],
    },
  ],
});
