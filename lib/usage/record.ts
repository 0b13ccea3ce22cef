import { z } from "zod";
import { sha256 } from "../../engine/canonical.ts";
import type { ModelCalls, Usage } from "../../engine/result.ts";
import type { LedgerUse, ModelUse } from "../model/ledger.ts";

// What a run used, as it is billed. Pure: each record says what the records before it of the same workload do not, so that their sum is what
// the workload used, however often one is made.

const count = z.int().min(0);
const modelUseSchema = z.strictObject({
  model: z.string(),
  calls: count,
  /** Cached ones included. */
  inputTokens: count,
  cachedInputTokens: count,
  outputTokens: count,
  /** Billionths of a US dollar. */
  nanoUsd: count,
});

/** How a run came to be recorded. gone: somebody took the workload away without letting reconcile clean up. */
export const ENDED = ["ended", "superseded", "deleted", "gone"] as const;

export const usageRecordSchema = z.strictObject({
  version: z.literal(1),
  namespace: z.string().min(1),
  workload: z.string().min(1),
  uid: z.string().min(1),
  /** Which part of the workload's use: a run and when it asked for its place first; `rest`: what came after, until the workload was deleted. */
  part: z.string().regex(/^(run-[0-9A-Za-z-]+|rest)$/),
  /** Of the spec, as the accounts know it; the runs of changes that a reviewer asked for are one with the run that they change. */
  run: z.string(),
  /** NAMESPACE/NAME; empty where nobody knows it any more. */
  pipeline: z.string(),
  ended: z.enum(ENDED),
  /** UTC, as 2026-11: in which it counts. */
  month: z.string().regex(/^\d{4}-\d{2}$/),
  recordedAt: z.iso.datetime(),
  /** As the licence counts them. */
  items: count,
  browserMs: count,
  /** What the ledger booked, in the order of the models' names. */
  models: z.array(modelUseSchema),
  /** Worst cases of calls whose answer nobody booked, in billionths of a US dollar; less than 0 where earlier ones were booked since. */
  unsettledNanoUsd: z.int(),
  /** What agents say that the ledger does not know: a provider that they call by themselves, an answer that another step paid for. */
  reported: z.strictObject({ inputTokens: count, outputTokens: count, nanoUsd: count }),
  /** What could not be read when it was made. */
  lacks: z.array(z.enum(["ledger", "results"])),
  /** The results of steps that it counts, and what they say of models: no later record counts them again. */
  results: z.strictObject({ counted: z.array(z.string()), models: z.array(modelUseSchema) }),
});
export type UsageRecord = z.infer<typeof usageRecordSchema>;

/** The result of a step, as it counts. */
export interface CountedResult {
  readonly step: string;
  readonly digest: string;
  readonly usage: Usage;
  readonly modelCalls?: readonly ModelCalls[] | undefined;
}

export type UsageFacts = Pick<
  UsageRecord,
  "namespace" | "workload" | "uid" | "part" | "run" | "pipeline" | "ended" | "month" | "recordedAt" | "items"
>;

export interface SeenUse {
  /** undefined: it cannot be read. */
  readonly ledger: LedgerUse | undefined;
  /** Of each run object that is there: a step that several of them reuse counts once. undefined: they are gone. */
  readonly results: readonly (readonly CountedResult[])[] | undefined;
}

/** `earlier`: all records of the workload before this one. */
export function usageRecord(
  facts: UsageFacts,
  { ledger, results }: SeenUse,
  earlier: readonly UsageRecord[],
): UsageRecord {
  const known = new Set(earlier.flatMap((one) => one.results.counted));
  const counted = new Map<string, CountedResult>();
  for (const run of results ?? [])
    for (const [mark, result] of marked(run)) if (!known.has(mark)) counted.set(mark, result);
  const fresh = [...counted.values()];
  const said = sumOfModels([fresh.flatMap(({ modelCalls = [] }) => modelCalls.map(useOf))]);
  const before = sumOfModels(earlier.map(({ models }) => models));
  const saidBefore = sumOfModels(earlier.map((one) => one.results.models));
  // What Redis lost of the ledger, results still say.
  const all = mostOf([
    sumOfModels([ledger?.models ?? []]),
    sumOfModels([[...said.values(), ...saidBefore.values()]]),
    before,
  ]);
  const unsettledBefore = earlier.reduce((sum, one) => sum + one.unsettledNanoUsd, 0);
  return {
    version: 1,
    ...facts,
    browserMs: fresh.reduce((sum, { usage }) => sum + Math.round(usage.browserSeconds * 1000), 0),
    models: inOrder(all).flatMap((use) => more(use, before.get(use.model))),
    unsettledNanoUsd: ledger ? ledger.unsettledNanoUsd - unsettledBefore : 0,
    reported: fresh.map(reportedIn).reduce(
      (sum, one) => ({
        inputTokens: sum.inputTokens + one.inputTokens,
        outputTokens: sum.outputTokens + one.outputTokens,
        nanoUsd: sum.nanoUsd + one.nanoUsd,
      }),
      { inputTokens: 0, outputTokens: 0, nanoUsd: 0 },
    ),
    lacks: [...(ledger ? [] : (["ledger"] as const)), ...(results ? [] : (["results"] as const))],
    results: { counted: [...counted.keys()].toSorted(), models: inOrder(said) },
  };
}

/** It says something that no earlier record does. */
export function saysMore({ items, browserMs, models, unsettledNanoUsd, reported }: UsageRecord): boolean {
  return items > 0 || browserMs > 0 || models.length > 0 || unsettledNanoUsd !== 0 || reported.nanoUsd > 0;
}

/** Names a result among all of a workload: equal ones of a fan-out are told apart by their number, since all of them were worked for. */
function marked(run: readonly CountedResult[]): [string, CountedResult][] {
  const times = new Map<string, number>();
  return run.filter(isWorth).map((result) => {
    const name = `${result.step} ${result.digest}`;
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    return [sha256(`${name} ${time}`).slice(0, 16), result];
  });
}

function isWorth({ usage, modelCalls = [] }: CountedResult): boolean {
  return modelCalls.length > 0 || Object.values(usage).some((value) => value > 0);
}

const NANO = 1_000_000_000;

function useOf({ model, calls, inputTokens, outputTokens, costUsd }: ModelCalls): ModelUse {
  return { model, calls, inputTokens, cachedInputTokens: 0, outputTokens, nanoUsd: Math.round(costUsd * NANO) };
}

function reportedIn({ usage, modelCalls = [] }: CountedResult): UsageRecord["reported"] {
  const left = (said: number, known: number): number => Math.max(Math.round(said - known), 0);
  const sum = (of: (calls: ModelCalls) => number): number => modelCalls.reduce((all, one) => all + of(one), 0);
  return {
    inputTokens: left(
      usage.inputTokens,
      sum((one) => one.inputTokens),
    ),
    outputTokens: left(
      usage.outputTokens,
      sum((one) => one.outputTokens),
    ),
    nanoUsd: left(
      usage.costUsd * NANO,
      sum((one) => one.costUsd * NANO),
    ),
  };
}

const AMOUNTS = ["calls", "inputTokens", "cachedInputTokens", "outputTokens", "nanoUsd"] as const;

function combined(a: ModelUse | undefined, b: ModelUse, of: (a: number, b: number) => number): ModelUse {
  const amounts = AMOUNTS.map((name) => [name, of(a?.[name] ?? 0, b[name])]);
  return { model: b.model, ...(Object.fromEntries(amounts) as Omit<ModelUse, "model">) };
}

/** By model. */
export function sumOfModels(all: readonly (readonly ModelUse[])[]): Map<string, ModelUse> {
  const sums = new Map<string, ModelUse>();
  for (const use of all.flat())
    sums.set(
      use.model,
      combined(sums.get(use.model), use, (a, b) => a + b),
    );
  return sums;
}

function mostOf(all: readonly ReadonlyMap<string, ModelUse>[]): Map<string, ModelUse> {
  const most = new Map<string, ModelUse>();
  for (const uses of all)
    for (const use of uses.values()) most.set(use.model, combined(most.get(use.model), use, Math.max));
  return most;
}

function inOrder(uses: ReadonlyMap<string, ModelUse>): ModelUse[] {
  return [...uses.values()].toSorted((a, b) => (a.model < b.model ? -1 : 1));
}

function more(use: ModelUse, before: ModelUse | undefined): ModelUse[] {
  const left = combined(before, use, (known, all) => all - known);
  return AMOUNTS.some((name) => left[name] > 0) ? [left] : [];
}
