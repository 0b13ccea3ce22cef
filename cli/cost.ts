import type { ItemCost } from "./item-cost.ts";
import { table } from "./kubectl/table.ts";
import type { ModelCost } from "./model-cost.ts";
import { printable } from "./printable.ts";

/** What money can be listed by. */
export const COST_BY = ["run", "step", "item", "model", "pipeline", "namespace", "month"] as const;
export type CostBy = (typeof COST_BY)[number];

/** What a run says of its cost: its status, or run.json. */
export interface RunCost {
  readonly namespace: string;
  readonly name: string;
  /** NAMESPACE/NAME; absent: it has not begun. */
  readonly pipeline?: string | undefined;
  readonly startedAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  /** US dollars. */
  readonly totalUsd: number;
  readonly steps: readonly { readonly name: string; readonly costUsd: number }[];
  /** Where they are known. */
  readonly items?: readonly ItemCost[];
  /** Where they are known. */
  readonly models?: readonly ModelCost[];
}

/** Labels by column, and dollars. */
type CostRow = { readonly costUsd: number } & Readonly<Record<string, string | number>>;

/** Money under labels; rows and what no row explains are the total. */
export interface CostReport {
  readonly by: CostBy;
  readonly rows: readonly CostRow[];
  /** The part of the total that no row explains; absent: less than a micro-dollar. */
  readonly notAttributedUsd?: number;
  readonly totalUsd: number;
}

export function costReport(by: CostBy, runs: readonly RunCost[]): CostReport {
  const rows = runs.flatMap((run) => rowsOf(by, run));
  const totalUsd = runs.reduce((sum, run) => sum + run.totalUsd, 0);
  const left = totalUsd - rows.reduce((sum, { costUsd }) => sum + costUsd, 0);
  return {
    by,
    // Items are told apart by more than their text.
    rows: (by === "item" ? rows : inOrder(summed(rows))).map((row) => ({ ...row, costUsd: nano(row.costUsd) })),
    ...(Math.abs(left) < HALF_MICRO ? {} : { notAttributedUsd: nano(left) }),
    totalUsd: nano(totalUsd),
  };
}

const HALF_MICRO = 0.5e-6;

/** The ledger counts billionths; what binary fractions add is none. */
function nano(usd: number): number {
  return Number(usd.toFixed(9));
}

function rowsOf(by: CostBy, run: RunCost): CostRow[] {
  const { namespace, name, pipeline = NOT_BEGUN, totalUsd: costUsd } = run;
  switch (by) {
    case "run":
      return [{ namespace, name, costUsd }];
    case "namespace":
      return [{ namespace, costUsd }];
    case "pipeline":
      return [{ pipeline, costUsd }];
    case "month":
      // Times are written in UTC.
      return [{ month: (run.finishedAt ?? run.startedAt)?.slice(0, "2026-01".length) ?? NOT_BEGUN, costUsd }];
    case "step":
      return run.steps.map((step) => ({ pipeline, step: step.name, costUsd: step.costUsd }));
    case "model":
      return (run.models ?? []).map(({ model, costUsd: cost }) => ({ model, costUsd: cost }));
    case "item":
      return (run.items ?? []).map(({ list, item, step, costUsd: cost }) => ({
        ...(item === undefined ? {} : { item }),
        ...(list === undefined ? {} : { list }),
        ...(step === undefined ? {} : { step }),
        costUsd: cost,
      }));
  }
}

/** Of what has no pipeline and no time yet. */
const NOT_BEGUN = "(not begun)";

/** Rows with equal labels as one. */
function summed(rows: readonly CostRow[]): CostRow[] {
  const sums = new Map<string, CostRow>();
  for (const row of rows) {
    const key = JSON.stringify({ ...row, costUsd: 0 });
    sums.set(key, { ...row, costUsd: (sums.get(key)?.costUsd ?? 0) + row.costUsd });
  }
  return [...sums.values()];
}

/** Months one after the other; others as the runs are. */
function inOrder(rows: readonly CostRow[]): CostRow[] {
  return rows.toSorted((a, b) => String(a["month"] ?? "").localeCompare(String(b["month"] ?? "")));
}

const COLUMNS: Readonly<Record<CostBy, readonly string[]>> = {
  run: ["namespace", "name"],
  step: ["pipeline", "step"],
  item: ["item", "list", "step"],
  model: ["model"],
  pipeline: ["pipeline"],
  namespace: ["namespace"],
  month: ["month"],
};

/** The rows, what is not attributed, and the total. */
export function costTable({ by, rows, notAttributedUsd, totalUsd }: CostReport): string {
  const columns = COLUMNS[by];
  const below = (what: string): string[] => [what, ...columns.slice(1).map(() => "")];
  return table([
    [...columns.map((column) => column.toUpperCase()), "COST"],
    ...rows.map((row) => [...columns.map((column) => printable(String(row[column] ?? ""))), usd(row.costUsd)]),
    ...(notAttributedUsd === undefined ? [] : [[...below("(not attributed)"), usd(notAttributedUsd)]]),
    [...below("total"), usd(totalUsd)],
  ]);
}

/** Micro-dollars. */
export function usd(dollars: number): string {
  return `$${dollars.toFixed(6)}`;
}
