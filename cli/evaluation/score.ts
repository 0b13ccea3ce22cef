import type { StepOutcome } from "../../engine/outcomes.ts";
import { addUsage, NO_USAGE, type Usage } from "../../engine/result.ts";
import { table } from "../kubectl/table.ts";
import { dollars } from "../progress.ts";
import type { Match } from "./expectations.ts";

/** One end of an evaluated step. `ms`: undefined where nobody wrote it down. */
export interface Done {
  readonly outcome: StepOutcome;
  readonly ms: number | undefined;
}

/** How well a step did with one model, what it cost, how long it took. */
export interface StepScore {
  readonly step: string;
  readonly items: number;
  readonly succeeded: number;
  /** By reason. */
  readonly failed: Readonly<Record<string, number>>;
  /** Means of what the agent says of its own work, from 0 to 1. */
  readonly evaluations: Readonly<Record<string, { readonly mean: number; readonly count: number }>>;
  /** Where a file of expectations says what the step should find. */
  readonly expected?: Match;
  readonly usage: Usage;
  /** Of an item; null where it is not known of any. */
  readonly medianSeconds: number | null;
}

export interface VariantScore {
  readonly model: string;
  /** What was recorded before the steps were done again: the agent's code or prompt as it was then. */
  readonly asRecorded?: true;
  /** Items on which a step before the evaluated ones left nothing, by step: these are left out. */
  readonly notRecorded: Readonly<Record<string, number>>;
  readonly steps: readonly StepScore[];
}

export function scoreOf(step: string, done: readonly Done[], expected?: Match): StepScore {
  const outcomes = done.map(({ outcome }) => outcome);
  const failed = outcomes.filter(({ outcome }) => outcome === "failed");
  const said = Map.groupBy(
    outcomes.flatMap(({ evaluations = [] }) => evaluations),
    ({ name }) => name,
  );
  return {
    step,
    items: done.length,
    succeeded: outcomes.filter(({ outcome }) => outcome === "succeeded").length,
    failed: Object.fromEntries(
      [...Map.groupBy(failed, ({ reason = "Failed" }) => reason)].map(([reason, { length }]) => [reason, length]),
    ),
    evaluations: Object.fromEntries(
      [...said].map(([name, all]) => [
        name,
        { mean: all.reduce((sum, { score }) => sum + score, 0) / all.length, count: all.length },
      ]),
    ),
    ...(expected === undefined ? {} : { expected }),
    usage: outcomes.reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE),
    medianSeconds: median(done.flatMap(({ ms }) => (ms === undefined ? [] : [ms / 1000]))),
  };
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  const other = sorted[Math.ceil((sorted.length - 1) / 2)];
  return middle === undefined || other === undefined ? null : (middle + other) / 2;
}

/** Models side by side, a row for each step of each. */
export function scoreTable(variants: readonly VariantScore[]): string {
  const names = [
    ...new Set(variants.flatMap(({ steps }) => steps.flatMap(({ evaluations }) => Object.keys(evaluations)))),
  ];
  const hasExpected = variants.some(({ steps }) => steps.some(({ expected }) => expected));
  return table([
    [
      "MODEL",
      "STEP",
      "SUCCEEDED",
      ...names.map((name) => name.toUpperCase()),
      ...(hasExpected ? ["EXPECTED", "EXTRA"] : []),
      "COST",
      "TOKENS",
      "SECONDS",
    ],
    ...variants.flatMap(({ model, asRecorded, steps }) =>
      steps.map(({ step, items, succeeded, evaluations, expected, usage, medianSeconds }) => [
        asRecorded ? `${model} (as recorded)` : model,
        step,
        `${succeeded}/${items}`,
        ...names.map((name) => evaluations[name]?.mean.toFixed(2) ?? "-"),
        ...(hasExpected
          ? [expected ? `${expected.found}/${expected.expected}` : "-", `${expected?.extra ?? "-"}`]
          : []),
        dollars(usage.costUsd),
        `${usage.inputTokens + usage.outputTokens}`,
        medianSeconds?.toFixed(1) ?? "-",
      ]),
    ),
  ]);
}
