import type { UsageRecord } from "./record.ts";

const NANO = 1_000_000_000;

/** Numbers as people and billing systems read them. */
export interface UsageTotal {
  readonly items: number;
  readonly browserSeconds: number;
  readonly calls: number;
  /** Cached ones included. */
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly usd: number;
  /** Worst cases of calls whose answer nobody booked. */
  readonly unsettledUsd: number;
  /** What agents say beyond the ledger. */
  readonly reportedUsd: number;
}

/** Summed as integers: binary fractions would add what is no dollar. */
export function totalOf(records: readonly UsageRecord[]): UsageTotal {
  const sum = (of: (record: UsageRecord) => number): number => records.reduce((all, one) => all + of(one), 0);
  const models = (name: "calls" | "inputTokens" | "cachedInputTokens" | "outputTokens" | "nanoUsd"): number =>
    sum((one) => one.models.reduce((all, use) => all + use[name], 0));
  return {
    items: sum(({ items }) => items),
    browserSeconds: sum(({ browserMs }) => browserMs) / 1000,
    calls: models("calls"),
    inputTokens: models("inputTokens"),
    cachedInputTokens: models("cachedInputTokens"),
    outputTokens: models("outputTokens"),
    usd: models("nanoUsd") / NANO,
    unsettledUsd: sum(({ unsettledNanoUsd }) => unsettledNanoUsd) / NANO,
    reportedUsd: sum(({ reported }) => reported.nanoUsd) / NANO,
  };
}

export interface UsageRow extends UsageTotal {
  readonly month: string;
  readonly namespace: string;
  readonly runs: number;
}

/** By month and namespace, in this order. */
export function usageRows(records: readonly UsageRecord[]): UsageRow[] {
  const groups = Map.groupBy(records, ({ month, namespace }) => `${month} ${namespace}`);
  return [...groups.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, all]) => {
      const [month = "", namespace = ""] = key.split(" ");
      return { month, namespace, runs: all.filter(({ part }) => part !== "rest").length, ...totalOf(all) };
    });
}
