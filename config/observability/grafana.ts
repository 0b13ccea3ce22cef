/** Dashboards in Grafana's JSON, as far as ours need it. */

type SourceType = "prometheus" | "jaeger" | "tempo";

/** The data source that a user chooses in a variable: no dashboard knows one by its uid. */
const chosen = (type: SourceType, variable: string) => ({ type, uid: `\${${variable}}` });

const METRICS = chosen("prometheus", "metrics");
const COLUMNS = 24;
/** Processes send each minute: shorter intervals have holes. */
const SHORTEST_INTERVAL = "5m";

export interface Query {
  readonly expr: string;
  /** Of a line or a bar: `{{label}}` is a label's value. */
  readonly legend?: string;
}

export interface Panel {
  readonly title: string;
  /** Of 24. */
  readonly width: number;
  readonly height: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Units by Grafana's names. */
type Unit = "short" | "s" | "currencyUSD" | "percentunit";

interface Shown {
  readonly title: string;
  /** What the number is, and what a reader is to make of it. */
  readonly description?: string;
  readonly unit?: Unit;
  readonly width?: number;
  /** Shortest time between two points. */
  readonly interval?: string;
}

/** One number of the whole time shown. */
export function stat({ title, width = 4, ...shown }: Shown, expr: string): Panel {
  const options = {
    reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
    ...{ colorMode: "value", graphMode: "none", textMode: "auto", justifyMode: "auto", orientation: "auto" },
    ...{ wideLayout: true, showPercentChange: false, percentChangeColorMode: "standard" },
  };
  return measuring("stat", { title, width, height: 4, ...shown }, [{ expr }], { options, isInstant: true });
}

/** Over time, in bars that add up: what was counted in each interval. */
export function bars(shown: Shown, ...queries: readonly Query[]): Panel {
  return overTime(shown, queries, { drawStyle: "bars", fillOpacity: 60, stacking: { mode: "normal", group: "A" } });
}

/** Over time, in lines. */
export function lines(shown: Shown, ...queries: readonly Query[]): Panel {
  return overTime(shown, queries, { drawStyle: "line", fillOpacity: 5, showPoints: "auto", spanNulls: false });
}

/** Rows of the whole time shown, the largest first. Each label of `expr` is a column. */
export function table(shown: Shown, expr: string): Panel {
  const { title, width = 12, ...rest } = shown;
  const transformations = [
    { id: "organize", options: { excludeByName: { Time: true }, renameByName: { Value: title } } },
    { id: "sortBy", options: { sort: [{ field: title, desc: true }] } },
  ];
  const options = { showHeader: true, frameIndex: 0 };
  const settings = { options, custom: { align: "auto", inspect: false }, isInstant: true, transformations };
  return measuring("table", { title, width, height: 8, ...rest }, [{ expr }], settings);
}

export function text(title: string, markdown: string, height: number, width = COLUMNS): Panel {
  return { title, width, height, body: { type: "text", options: { mode: "markdown", content: markdown } } };
}

/** The trace whose id is in the variable `trace`. */
export function trace(title: string, { type, variable, query }: TraceSource): Panel {
  const datasource = chosen(type, variable);
  return {
    title,
    width: COLUMNS,
    height: 18,
    body: { type: "traces", datasource, targets: [{ refId: "A", datasource, ...query }] },
  };
}

interface TraceSource {
  readonly type: Exclude<SourceType, "prometheus">;
  /** Of the data source. */
  readonly variable: string;
  readonly query: Readonly<Record<string, unknown>>;
}

function overTime(shown: Shown, queries: readonly Query[], custom: object): Panel {
  const { title, width = 12, ...rest } = shown;
  const options = {
    legend: { displayMode: "list", placement: "bottom", showLegend: true, calcs: [] },
    tooltip: { mode: "multi", sort: "desc" },
  };
  return measuring("timeseries", { title, width, height: 8, ...rest }, queries, { options, custom });
}

interface Settings {
  readonly options: object;
  readonly custom?: object;
  readonly isInstant?: boolean;
  readonly transformations?: readonly object[];
}

function measuring(
  type: "stat" | "table" | "timeseries",
  { title, description = "", unit = "short", interval = SHORTEST_INTERVAL, width, height }: Shown & Omit<Panel, "body">,
  queries: readonly Query[],
  { options, custom = {}, isInstant = false, transformations = [] }: Settings,
): Panel {
  const body = {
    type,
    description,
    datasource: METRICS,
    interval,
    fieldConfig: { defaults: { unit, custom, min: 0 }, overrides: [] },
    options,
    transformations,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      datasource: METRICS,
      expr,
      ...(legend === undefined ? {} : { legendFormat: legend }),
      ...(isInstant ? { instant: true, range: false, format: "table" } : { instant: false, range: true }),
    })),
  };
  return { title, width, height, body };
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
  /** Its panels ask for nothing until somebody opens it. */
  readonly isCollapsed?: boolean;
}

export interface DashboardOptions {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** From when on, at first: in Grafana's words. */
  readonly from: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

export type Variable = Readonly<{ name: string; type: string } & Record<string, unknown>>;

/** A choice of the values that a label has; all of them at first. */
export function choice(name: string, label: string, series: string): Variable {
  return {
    name,
    label,
    type: "query",
    datasource: METRICS,
    query: { query: `label_values(${series}, ${name})`, refId: name },
    definition: `label_values(${series}, ${name})`,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: ".*",
    current: { text: ["All"], value: ["$__all"], selected: true },
  };
}

export function dataSource(name: string, label: string, type: SourceType): Variable {
  return { name, label, type: "datasource", query: type, refresh: 1, multi: false, includeAll: false };
}

export function textBox(name: string, label: string): Variable {
  return { name, label, type: "textbox", query: "", current: { text: "", value: "", selected: true } };
}

export function dashboard({ uid, title, description, from, variables, rows }: DashboardOptions): object {
  return {
    uid,
    title,
    description,
    tags: ["agentic"],
    schemaVersion: 41,
    editable: true,
    graphTooltip: 1,
    refresh: "1m",
    timezone: "browser",
    time: { from, to: "now" },
    links: [
      {
        type: "dashboards",
        title: "Agentic",
        tags: ["agentic"],
        asDropdown: false,
        includeVars: true,
        keepTime: true,
        icon: "external link",
        tooltip: "",
        targetBlank: false,
      },
    ],
    annotations: { list: [] },
    templating: { list: [dataSource("metrics", "Metrics", "prometheus"), ...variables] },
    panels: placed(rows),
  };
}

/** Side by side from the left, a new line where one is full. */
function placed(rows: readonly Row[]): object[] {
  let id = 0;
  let y = 0;
  return rows.flatMap(({ title, panels, isCollapsed = false }) => {
    const row = { id: ++id, type: "row", title, collapsed: isCollapsed, gridPos: { x: 0, y: y++, w: COLUMNS, h: 1 } };
    let x = 0;
    let lineHeight = 0;
    const inRow = panels.map(({ title, width, height, body }) => {
      if (x + width > COLUMNS) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      const gridPos = { x, y, w: width, h: height };
      x += width;
      lineHeight = Math.max(lineHeight, height);
      return { id: ++id, title, gridPos, ...body };
    });
    y += lineHeight;
    return isCollapsed ? [{ ...row, panels: inRow }] : [{ ...row, panels: [] }, ...inRow];
  });
}
