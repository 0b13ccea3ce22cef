import { type Attributes, type AttributeValue, metrics } from "@opentelemetry/api";

/** A metric of the list below. Nothing is counted where telemetry is off. */
export interface Metric<Attribute extends string = string> {
  readonly name: string;
  readonly unit: string;
  /** A counter only grows; a gauge goes up and down; a histogram also says how many and how much in all. */
  readonly kind: "counter" | "gauge" | "histogram";
  readonly description: string;
  /** Attributes that it may have: few values each, and never an item, a workload or a page. */
  readonly attributes: readonly Attribute[];
  record(value: number, attributes?: { readonly [Name in Attribute]?: AttributeValue }): void;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];
/** The resync looks every two minutes. */
const SURVEY_LASTS_MS = 180_000;
const TOKENS = [1, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576];

function counter<const A extends string>(name: string, unit: string, description: string, attributes: readonly A[]) {
  return metric({ name, unit, kind: "counter", description, attributes }, (about) => {
    const instrument = metrics.getMeter("agentic").createCounter(name, about);
    return (value, with_) => instrument.add(value, with_);
  });
}

/** What is recorded is by how much it changes. */
function gauge<const A extends string>(name: string, unit: string, description: string, attributes: readonly A[]) {
  return metric({ name, unit, kind: "gauge", description, attributes }, (about) => {
    const instrument = metrics.getMeter("agentic").createUpDownCounter(name, about);
    return (value, with_) => instrument.add(value, with_);
  });
}

/**
 * What a look at all that there is found, the newest of each combination of attributes. Once that is old it is 0: since then another process may
 * have looked, so that the largest of all processes counts.
 */
function survey<const A extends string>(name: string, unit: string, description: string, attributes: readonly A[]) {
  return metric({ name, unit, kind: "gauge", description, attributes }, (about) => {
    const found = new Map<string, { value: number; with_: Attributes | undefined; until: number }>();
    metrics
      .getMeter("agentic")
      .createObservableGauge(name, about)
      .addCallback((result) => {
        // Not left out: the SDK would tell the last value for ever.
        for (const { value, with_, until } of found.values())
          result.observe(performance.now() < until ? value : 0, with_);
      });
    return (value, with_) =>
      void found.set(JSON.stringify(with_), { value, with_, until: performance.now() + SURVEY_LASTS_MS });
  });
}

function histogram<const A extends string>(
  name: string,
  unit: "s" | "{token}",
  description: string,
  attributes: readonly A[],
) {
  return metric({ name, unit, kind: "histogram", description, attributes }, (about) => {
    const advice = { explicitBucketBoundaries: unit === "s" ? SECONDS : TOKENS };
    const instrument = metrics.getMeter("agentic").createHistogram(name, { ...about, advice });
    return (value, with_) => instrument.record(value, with_);
  });
}

/** The instrument is made when it is first used: the API has no meter that begins to count once the SDK is there. */
function metric<A extends string>(
  about: Omit<Metric<A>, "record">,
  make: (about: { unit: string; description: string }) => Metric<A>["record"],
): Metric<A> {
  let record: Metric<A>["record"] | undefined;
  return {
    ...about,
    record(value, attributes) {
      record ??= make({ unit: about.unit, description: about.description });
      record(value, attributes);
    },
  };
}

/** All that is counted. Dashboards and alerts name no other (config/observability), docs/reference/metrics.md lists them. */
export const METRIC = {
  starts: counter("agentic.function.starts", "{start}", "Processes started; service.name says of which function.", []),
  lostSpans: counter("agentic.telemetry.lost_spans", "{span}", "Spans that a receiver did not take.", []),
  lostRecords: counter(
    "agentic.telemetry.lost_records",
    "{record}",
    "Log records, those of the audit included, that a receiver did not take.",
    [],
  ),
  runs: counter("agentic.runs", "{run}", "Runs that ended.", ["namespace", "pipeline", "outcome"]),
  activeRuns: survey("agentic.runs.active", "{run}", "Runs that have not ended, by phase, at the last resync.", [
    "namespace",
    "pipeline",
    "phase",
  ]),
  runDuration: histogram("agentic.run.duration", "s", "From a run's start to its end.", ["pipeline", "outcome"]),
  runCost: counter("agentic.run.cost", "{USD}", "US dollars that runs cost, counted when they end.", [
    "namespace",
    "pipeline",
  ]),
  items: counter("agentic.run.items", "{item}", "Steps of runs that ended.", ["pipeline", "step", "outcome", "reason"]),
  gateDuration: histogram("agentic.gate.duration", "s", "How long gates waited.", [
    "pipeline",
    "decision",
    "automatic",
  ]),
  gateWaiting: survey(
    "agentic.gate.waiting",
    "s",
    "How long the gate that has been open longest has waited, at the last resync.",
    ["namespace", "pipeline"],
  ),
  attempts: counter("agentic.step.attempts", "{attempt}", "Starts of steps that ended.", ["step", "outcome", "reason"]),
  running: gauge("agentic.step.running", "{attempt}", "Starts of steps that are under way.", ["step"]),
  attemptDuration: histogram("agentic.step.attempt.duration", "s", "How long starts of steps took.", [
    "step",
    "outcome",
  ]),
  queueDuration: histogram("agentic.step.queue.duration", "s", "From a step's request to its agent's taking it.", [
    "step",
  ]),
  recorded: counter("agentic.step.recorded", "{request}", "Requests for steps that had ended before.", ["step"]),
  modelDuration: histogram("gen_ai.client.operation.duration", "s", "How long calls to models took.", [
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "outcome",
  ]),
  modelTokens: histogram("gen_ai.client.token.usage", "{token}", "Tokens of a call to a model.", [
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.token.type",
  ]),
  modelCost: counter("agentic.model.cost", "{USD}", "US dollars that calls to models cost.", ["gen_ai.request.model"]),
  browserDuration: histogram("agentic.browser.duration", "s", "How long visits held a browser context.", ["outcome"]),
  egressRefusals: counter("agentic.egress.refusals", "{request}", "Requests that the egress proxy refused.", [
    "reason",
  ]),
  reconcileDuration: histogram("agentic.reconcile.duration", "s", "How long looks at an object took.", [
    "kind",
    "outcome",
  ]),
  deadLetters: counter("agentic.reconcile.dead_letters", "{event}", "Requests that no agent took.", []),
  decisions: counter("agentic.review.decisions", "{decision}", "Decisions that approve was sent.", ["how", "outcome"]),
  usageRecords: counter("agentic.usage.records", "{record}", "Records of what runs used that were written.", [
    "namespace",
    "ended",
  ]),
  licenceRemaining: survey(
    "agentic.licence.remaining",
    "s",
    "Until no new run starts for the installation's licence has expired, its days of grace included; at the last resync.",
    [],
  ),
  clockSetBack: survey(
    "agentic.clock.set_back",
    "s",
    "How far the clock is behind the latest time that was seen; at the last resync.",
    [],
  ),
  admissions: counter("agentic.admission.requests", "{request}", "Objects that were judged.", ["kind", "outcome"]),
} satisfies Readonly<Record<string, Metric>>;

/** Measures work: `outcome` is succeeded, or failed where it throws. */
export async function measured<A extends string, T>(
  of: Metric<A | "outcome">,
  attributes: { readonly [Name in NoInfer<A>]?: AttributeValue },
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  let outcome = "failed";
  try {
    const result = await work();
    outcome = "succeeded";
    return result;
  } finally {
    of.record((performance.now() - startedAt) / 1000, { ...attributes, outcome });
  }
}
