import { usageRecordedEvent } from "../lib/usage/event.ts";
import { sumOfModels, type UsageRecord } from "../lib/usage/record.ts";
import { totalOf, type UsageTotal, usageRows } from "../lib/usage/total.ts";
import { table } from "./kubectl/table.ts";

// What runs used, as it leaves: for people, spreadsheets, programs and meters.

export const USAGE_FORMATS = ["table", "json", "csv", "cloudevents"] as const;
export type UsageFormat = (typeof USAGE_FORMATS)[number];

/** Ends with a line break. */
export function usageText(format: UsageFormat, all: readonly UsageRecord[]): string {
  const records = all.toSorted(inOrder);
  switch (format) {
    case "table":
      return usageTable(records);
    case "json":
      return `${JSON.stringify(usageDocument(records), null, 2)}\n`;
    case "csv":
      return usageCsv(records);
    case "cloudevents":
      // The batch format of CloudEvents (JSON), as OpenMeter and like take it.
      return `${JSON.stringify(
        records.map((record) => usageRecordedEvent(record).toJSON()),
        null,
        2,
      )}\n`;
  }
}

function inOrder(a: UsageRecord, b: UsageRecord): number {
  const keyOf = ({ recordedAt, uid, part }: UsageRecord): string => `${recordedAt} ${uid} ${part}`;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

function usageTable(records: readonly UsageRecord[]): string {
  const head = ["MONTH", "NAMESPACE", "RUNS", "ITEMS", "BROWSER", "CALLS", "IN", "CACHED", "OUT", "USD", "UNSETTLED"];
  const cells = (total: UsageTotal): string[] => [
    String(total.items),
    `${total.browserSeconds.toFixed(1)}s`,
    String(total.calls),
    String(total.inputTokens),
    String(total.cachedInputTokens),
    String(total.outputTokens),
    usd(total.usd),
    usd(total.unsettledUsd),
  ];
  const rows = usageRows(records);
  const runs = rows.reduce((sum, row) => sum + row.runs, 0);
  return table([
    head,
    ...rows.map((row) => [row.month, row.namespace, String(row.runs), ...cells(row)]),
    ["total", "", String(runs), ...cells(totalOf(records))],
  ]);
}

function usageDocument(records: readonly UsageRecord[]): object {
  const ofRow = ({ month, namespace }: { month: string; namespace: string }): object => {
    const own = records.filter((record) => record.month === month && record.namespace === namespace);
    const models = [...sumOfModels(own.map((one) => one.models)).values()];
    return { models: models.map(({ nanoUsd, ...use }) => ({ ...use, usd: nanoUsd / 1e9 })) };
  };
  return {
    namespaces: usageRows(records).map((row) => ({ ...row, ...ofRow(row) })),
    total: totalOf(records),
    records,
  };
}

const COLUMNS = ["recordedAt", "month", "namespace", "workload", "uid", "part", "run", "pipeline", "ended"] as const;
const AMOUNTS = [
  "items",
  "browserSeconds",
  "calls",
  "inputTokens",
  "cachedInputTokens",
  "outputTokens",
  "usd",
  "unsettledUsd",
  "reportedUsd",
] as const;

/** A line a record. Numbers as they are; names are Kubernetes' own, and quoted all the same. */
function usageCsv(records: readonly UsageRecord[]): string {
  const lines = records.map((record) => {
    const total = totalOf([record]);
    return [
      ...COLUMNS.map((name) => `"${record[name].replaceAll('"', '""')}"`),
      ...AMOUNTS.map((name) => plain(total[name])),
    ].join(",");
  });
  return [[...COLUMNS, ...AMOUNTS].join(","), ...lines, ""].join("\r\n");
}

/** Without an exponent: 1e-7 is no number to some readers. */
function plain(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(9).replace(/0+$/, "");
}

function usd(dollars: number): string {
  return `$${dollars.toFixed(6)}`;
}
