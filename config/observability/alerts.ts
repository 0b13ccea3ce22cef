import { METRIC } from "../../lib/telemetry/metrics.ts";
import { count, found, longest, quantile, ratio, seriesOf } from "./promql.ts";

/** A rule of Prometheus' that alerts. */
export interface Alert {
  readonly alert: string;
  readonly expr: string;
  /** How long it has to be so. */
  readonly for?: string;
  readonly labels: { readonly severity: "critical" | "warning" | "info" };
  readonly annotations: {
    readonly summary: string;
    /** What it means, and what to do. */
    readonly description: string;
  };
}

const HOUR = { over: "1h" };
const QUARTER = { over: "15m" };
const failed = { outcome: "failed" };
const GATE_HOURS = 4;
const LOOK_SECONDS = 30;
const WAIT_SECONDS = 60;
const USD_AN_HOUR = 10;

/** Thresholds are ours to begin with: change them to what is usual for you. */
export const ALERTS: readonly Alert[] = [
  {
    alert: "AgenticRunsFail",
    expr: `${ratio(
      count(METRIC.runs, { ...HOUR, by: ["pipeline"], where: { outcome: "Failed" } }),
      count(METRIC.runs, { ...HOUR, by: ["pipeline"] }),
    )} > 0.5 and ${count(METRIC.runs, { ...HOUR, by: ["pipeline"], where: { outcome: "Failed" } })} >= 3`,
    labels: { severity: "warning" },
    annotations: {
      summary: "Most runs of {{ $labels.pipeline }} fail",
      description:
        "{{ $value | humanizePercentage }} of the runs of {{ $labels.pipeline }} that ended in the last hour failed. kubectl get agentworkloads -A lists them, kubectl agentic describe NAME says which steps failed and why; deleting the Workflow of a failed run starts it again, and what succeeded is used again.",
    },
  },
  {
    alert: "AgenticStepFailsAlike",
    expr: `${count(METRIC.attempts, { ...HOUR, by: ["step", "reason"], where: failed })} >= 10`,
    labels: { severity: "warning" },
    annotations: {
      summary: "Step {{ $labels.step }} fails for one reason: {{ $labels.reason }}",
      description:
        "{{ $value }} starts of the step {{ $labels.step }} failed with {{ $labels.reason }} in the last hour. docs/runbooks says what the reason means; kubectl agentic logs NAME --step {{ $labels.step }} shows what the agent said.",
    },
  },
  {
    alert: "AgenticStepsWait",
    expr: `${quantile(0.95, METRIC.queueDuration, { ...QUARTER, by: ["step"] })} > ${WAIT_SECONDS}`,
    for: "15m",
    labels: { severity: "warning" },
    annotations: {
      summary: "Requests of step {{ $labels.step }} wait for an agent",
      description: `One in twenty requests of the step {{ $labels.step }} waits for more than {{ $value | humanizeDuration }}. Look whether its agent's pods start (kubectl get pods, kubectl get agents -A), and whether the agent's concurrency and max-scale are enough for the runs that there are.`,
    },
  },
  {
    alert: "AgenticRunsWait",
    expr: `${found(METRIC.activeRuns, { by: ["namespace", "pipeline"], where: { phase: "Pending" } })} > 0`,
    for: "1h",
    labels: { severity: "warning" },
    annotations: {
      summary: "Runs of {{ $labels.pipeline }} in {{ $labels.namespace }} do not start",
      description:
        "For an hour there have been runs that wait to start, {{ $value }} now. Their condition Ready says for what: kubectl agentic describe NAME -n {{ $labels.namespace }}. A quota or the licence lets no more run at once, or a pipeline or an agent is missing (of pipeline none: that pipeline).",
    },
  },
  {
    alert: "AgenticGateWaits",
    expr: `${longest(METRIC.gateWaiting, { by: ["namespace", "pipeline"] })} > ${GATE_HOURS * 3600}`,
    labels: { severity: "info" },
    annotations: {
      summary: `A gate of {{ $labels.pipeline }} in {{ $labels.namespace }} has waited for more than ${GATE_HOURS} hours`,
      description:
        "It has been open for {{ $value | humanizeDuration }}, and at its timeout spec.review.onTimeout decides. kubectl agentic reviews -n {{ $labels.namespace }} lists the gates that wait, kubectl agentic review NAME shows one. Remind the reviewers.",
    },
  },
  {
    alert: "AgenticDeadLetters",
    expr: `${count(METRIC.deadLetters, QUARTER)} > 0`,
    labels: { severity: "warning" },
    annotations: {
      summary: "Requests of steps reach no agent",
      description:
        "{{ $value }} requests came back to reconcile in the last 15 minutes after all deliveries had failed. Their workloads say which agent it was (kubectl agentic describe NAME). Look at that agent's pods and at the Broker's dispatcher.",
    },
  },
  {
    alert: "AgenticModelCallsFail",
    expr: `${ratio(
      count(METRIC.modelDuration, { ...QUARTER, by: ["gen_ai.request.model"], where: failed }),
      count(METRIC.modelDuration, { ...QUARTER, by: ["gen_ai.request.model"] }),
    )} > 0.2 and ${count(METRIC.modelDuration, { ...QUARTER, by: ["gen_ai.request.model"], where: failed })} >= 5`,
    labels: { severity: "warning" },
    annotations: {
      summary: "Calls to {{ $labels.gen_ai_request_model }} fail",
      description:
        "{{ $value | humanizePercentage }} of the calls to {{ $labels.gen_ai_request_model }} in the last 15 minutes failed. Look at LiteLLM's log and at the provider's status and limits; steps try again until their deadline.",
    },
  },
  {
    alert: "AgenticSpendHigh",
    expr: `${count(METRIC.modelCost, HOUR)} > ${USD_AN_HOUR}`,
    labels: { severity: "warning" },
    annotations: {
      summary: `Models cost more than ${USD_AN_HOUR} dollars an hour`,
      description:
        "Calls to models cost {{ $value | printf `%.2f` }} dollars in the last hour. kubectl agentic cost -A --by namespace says whose; spec.budget.maxUsd bounds a workload, the ConfigMap agentic-quotas a namespace's month.",
    },
  },
  {
    alert: "AgenticReconcileAbsent",
    expr: `absent_over_time(${seriesOf(METRIC.reconcileDuration)}_count[30m])`,
    // A Prometheus that has just started has not heard of anything.
    for: "5m",
    labels: { severity: "critical" },
    annotations: {
      summary: "Nothing has been heard of reconcile for 30 minutes",
      description:
        "The resync asks reconcile for a look every two minutes. Either no metrics arrive (look at the receiver, and for telemetry not sent in the log), or nothing reconciles and no run goes on: kubectl -n agentic-system get pingsources,triggers,ksvc,pods.",
    },
  },
  {
    alert: "AgenticReconcileFails",
    expr: `${ratio(
      count(METRIC.reconcileDuration, { ...QUARTER, by: ["kind"], where: failed }),
      count(METRIC.reconcileDuration, { ...QUARTER, by: ["kind"] }),
    )} > 0.2`,
    for: "15m",
    labels: { severity: "critical" },
    annotations: {
      summary: "Reconcile's looks at objects of kind {{ $labels.kind }} fail",
      description:
        "{{ $value | humanizePercentage }} of the looks at objects of kind {{ $labels.kind }} fail. The log of reconcile and the condition Ready of the objects say what is away: the API server, Redis or the object store. Runs go on by themselves when it is back.",
    },
  },
  {
    alert: "AgenticReconcileSlow",
    expr: `${quantile(0.95, METRIC.reconcileDuration, { ...QUARTER, by: ["kind"] })} > ${LOOK_SECONDS}`,
    for: "15m",
    labels: { severity: "warning" },
    annotations: {
      summary: "Reconcile's looks at objects of kind {{ $labels.kind }} are slow",
      description:
        "One in twenty looks takes more than {{ $value | humanizeDuration }}: steps start and end late. Look at the latency of the API server, Redis and the object store, and at reconcile's CPU.",
    },
  },
  {
    alert: "AgenticAdmissionRefuses",
    expr: `${count(METRIC.admissions, { ...QUARTER, by: ["kind"], where: { outcome: "refused" } })} >= 20`,
    labels: { severity: "info" },
    annotations: {
      summary: "Many objects of kind {{ $labels.kind }} are refused",
      description:
        "Admission refused {{ $value }} objects of kind {{ $labels.kind }} in the last 15 minutes. Its log has their names (object refused): a client that tries again and again, or one that was not adapted to a change of the schema.",
    },
  },
  {
    alert: "AgenticEgressRefused",
    expr: `${count(METRIC.egressRefusals, { ...QUARTER, by: ["reason"] })} >= 100`,
    labels: { severity: "info" },
    annotations: {
      summary: "The egress proxy refuses many requests: {{ $labels.reason }}",
      description:
        "The egress proxy refused {{ $value }} requests with {{ $labels.reason }} in the last 15 minutes. Its log names job and host. A page that loads from hosts outside of the workload's list is usual; many requests to addresses that are not public are not.",
    },
  },
  {
    alert: "AgenticTelemetryLost",
    expr: [METRIC.lostSpans, METRIC.lostRecords]
      .map((lost) => `${count(lost, { ...QUARTER, by: ["job"] })} > 0`)
      .join(" or "),
    labels: { severity: "warning" },
    annotations: {
      summary: "Telemetry of {{ $labels.job }} is lost",
      description:
        "Receivers did not take {{ $value }} spans or log records of {{ $labels.job }} in the last 15 minutes. Runs go on; their traces have holes, and audit records are in the pod's log only. That log says why (telemetry not sent).",
    },
  },
];
