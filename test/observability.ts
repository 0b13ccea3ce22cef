import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { Alert } from "../config/observability/alerts.ts";
import { seriesOf } from "../config/observability/promql.ts";
import type { Metric } from "../lib/telemetry/metrics.ts";

export const FOLDER = fileURLToPath(new URL("../config/observability/", import.meta.url));

/** A panel of a dashboard, as Grafana reads it. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly { readonly expr?: string; readonly legendFormat?: string }[];
  readonly panels?: readonly Panel[];
}

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

/** The files that a user loads, by name. */
export const DASHBOARDS = Object.fromEntries(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(".json"))
    .map((file) => [file, JSON.parse(readFileSync(`${FOLDER}${file}`, "utf8")) as Dashboard]),
);
export const ALERTS = (
  parse(readFileSync(`${FOLDER}alerts.yaml`, "utf8")) as { groups: { rules: Alert[] }[] }
).groups.flatMap(({ rules }) => rules);

export function panelsOf({ panels }: Dashboard): Panel[] {
  return panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
}

/** Each query of each panel: where it is, what it asks, what its legend shows. */
export const QUERIES = Object.entries(DASHBOARDS).flatMap(([file, dashboard]) =>
  panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
    targets.flatMap(({ expr, legendFormat = "" }) =>
      expr === undefined ? [] : [{ where: `${file}: ${title}`, expr, legendFormat }],
    ),
  ),
);

/** The names that Prometheus keeps a metric's series under. */
export function allSeriesOf(metric: Metric): string[] {
  const name = seriesOf(metric);
  return metric.kind === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

/** As Grafana asks with all of each variable chosen. */
export function asked(expr: string, over = "1h"): string {
  return expr.replaceAll(/\$__(range|interval)/g, over).replaceAll(/\$[a-z]+/g, ".*");
}
