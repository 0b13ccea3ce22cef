import type { Metric } from "../../lib/telemetry/metrics.ts";

/** Prometheus' name for a metric that comes by OTLP: its default translation. A histogram's series end in _bucket, _sum and _count. */
export function seriesOf({ name, unit, kind }: Pick<Metric, "name" | "unit" | "kind">): string {
  const named = labelOf(name) + (unit === "s" ? "_seconds" : "");
  return kind === "counter" ? `${named}_total` : named;
}

/** Its name for an attribute. */
export function labelOf(attribute: string): string {
  return attribute.replaceAll(".", "_");
}

/** Which series, of what time, and what stays apart in the sum. `job` is agentic/FUNCTION. */
export interface Asked<A extends string> {
  /** A duration of PromQL, or Grafana's $__range or $__interval. */
  readonly over: string;
  readonly by?: readonly (A | "job")[];
  /** What an attribute is; `$name` stands for what is chosen of a dashboard's variable. */
  readonly where?: { readonly [Name in A]?: string };
}

type Now<A extends string> = Omit<Asked<A>, "over">;

/** How often, or how much. */
export function count<A extends string>(metric: Metric<A>, asked: Asked<NoInfer<A>>): string {
  return grown(metric, metric.kind === "histogram" ? "_count" : "", asked);
}

/** All that a histogram measured: seconds, or tokens. */
export function total<A extends string>(metric: Metric<A>, asked: Asked<NoInfer<A>>): string {
  return grown(metric, "_sum", asked);
}

/** At most so much in a share of the cases, within a bucket's bounds. */
export function quantile<A extends string>(share: number, metric: Metric<A>, asked: Asked<NoInfer<A>>): string {
  return `histogram_quantile(${share}, ${grown(metric, "_bucket", asked, ["le"])})`;
}

/** The largest of the counts that `within` tells apart. */
export function widest<A extends string>(
  metric: Metric<A>,
  { by = [], within, ...asked }: Asked<NoInfer<A>> & { readonly within: NoInfer<A> },
): string {
  return `max${grouping(by)} (${count(metric, { ...asked, by: [...by, within] })})`;
}

/** What all processes have of it now. */
export function level<A extends string>(metric: Metric<A>, { by, where }: Now<NoInfer<A>>): string {
  return `sum${grouping(by ?? [])} (${seriesOf(metric)}${selector(matchers(where))})`;
}

/** What the last look at all there is found. Processes look in turn, and each says for a while what it found: the largest counts. */
export function found<A extends string>(metric: Metric<A>, { by, where }: Now<NoInfer<A>>): string {
  return `sum${grouping(by ?? [])} (${longest(metric, { by: metric.attributes, ...(where ? { where } : {}) })})`;
}

/** The largest now. */
export function longest<A extends string>(metric: Metric<A>, { by, where }: Now<NoInfer<A>>): string {
  return `max${grouping(by ?? [])} (${seriesOf(metric)}${selector(matchers(where))})`;
}

/** `above` of each unit of `below`; nothing where there is none. */
export function ratio(above: string, below: string): string {
  return `${above} / (${below} > 0)`;
}

/**
 * What series grew by. Not by increase(): functions live for a minute or two, each process is a series of its own, and increase() does not
 * see the first value of a series, which is often its only one. No series starts again at 0, since a new process is a new series.
 */
function grown<A extends string>(
  metric: Metric<A>,
  suffix: "" | "_bucket" | "_sum" | "_count",
  { over, by = [], where }: Asked<NoInfer<A>>,
  alsoBy: readonly string[] = [],
): string {
  const series = `${seriesOf(metric)}${suffix}${selector(matchers(where))}`;
  const last = `last_over_time(${series}[${over}])`;
  return `sum${grouping([...alsoBy, ...by])} (${last} - (${series} offset ${over} or 0 * ${last}))`;
}

function grouping(by: readonly string[]): string {
  return by.length > 0 ? ` by (${by.map(labelOf).join(", ")})` : "";
}

function matchers(where: { readonly [name: string]: string | undefined } = {}): string[] {
  return Object.entries(where).map(([name, is]) => `${labelOf(name)}${is?.startsWith("$") ? "=~" : "="}"${is}"`);
}

function selector(all: readonly string[]): string {
  return all.length > 0 ? `{${all.join(", ")}}` : "";
}
