import { z } from "zod";
import type { Comparison, WorkloadSpec } from "../crd/agentworkload.ts";
import { canonicalJson, sha256 } from "./canonical.ts";
import { type Outcomes, outcomeOf } from "./outcomes.ts";
import { type Item, itemSchema } from "./result.ts";
import type { Run } from "./run.ts";
import { listItems } from "./walk.ts";

/*
 * A run may be compared with an earlier one: steps with `previous` then get how they ended in it (ADR 46). Which run that is, is chosen when
 * a run starts, and stays.
 */

/** How the steps of a run that succeeded ended: artifact `results` (canonical JSON). */
export const runResultsSchema = z.strictObject({
  run: z.string(),
  finishedAt: z.iso.datetime(),
  results: z.array(
    z.strictObject({
      step: z.string(),
      item: itemSchema.optional(),
      /** sha256 of the result's canonical JSON, under which the store has it. */
      result: z.string(),
    }),
  ),
  /** Artifact keys of what each gate was about, and of how it was decided. */
  gates: z.array(z.strictObject({ gate: z.string(), findings: z.string(), decision: z.string() })).optional(),
});
export type RunResults = z.infer<typeof runResultsSchema>;

export function runResultsOf(run: Run, outcomes: Outcomes, finishedAt: Date): RunResults {
  const results = run.pipeline.steps.flatMap(({ name, gate, forEach }) => {
    if (gate) return [];
    const items = forEach === undefined ? [] : listItems(run, name, outcomes);
    return (outcomes.get(name) ?? []).flatMap((one, index) => {
      if (!one || one.outcome === "skipped") return [];
      const item = items[index];
      return [{ step: name, ...(item === undefined ? {} : { item }), result: sha256(canonicalJson(one)) }];
    });
  });
  const gates = run.pipeline.steps.flatMap(({ name, gate }) => {
    const { findings, decision } = (gate && outcomeOf(outcomes, name)?.artifacts) ?? {};
    return findings === undefined || decision === undefined ? [] : [{ gate: name, findings, decision }];
  });
  return { run: run.run, finishedAt: finishedAt.toISOString(), results, ...(gates.length > 0 ? { gates } : {}) };
}

/** Finds the digest of a result. Of equal items of one list, the first one's. */
export function indexResults({ results }: RunResults): (step: string, item: Item | undefined) => string | undefined {
  const index = new Map<string, string>();
  for (const { step, item, result } of results) {
    const key = keyOf(step, item);
    if (!index.has(key)) index.set(key, result);
  }
  return (step, item) => index.get(keyOf(step, item));
}

const keyOf = (step: string, item: Item | undefined): string =>
  `${step} ${item === undefined ? "" : canonicalJson(item)}`;

type Asked = Pick<WorkloadSpec, "compareWith" | "rerun">;

/**
 * A comparison stays what it is through every edit but two: of compareWith, and a rerun of everything, which looks anew at what the run
 * before it saw. A rerun from a step on keeps it: the steps before that one would be another run's otherwise, and run again.
 */
export function isChosenFor({ compareWith, rerun }: Asked, known: Pick<Comparison, "compareWith" | "rerun">): boolean {
  if (compareWith !== known.compareWith) return false;
  const again = rerunOfAll(rerun);
  return again === undefined || again === known.rerun;
}

/** The name of the workload with whose last run the spec wants a run to be compared; undefined: with none. */
export function wantedComparison({ compareWith, rerun }: Asked, own: string): string | undefined {
  return compareWith ?? (rerunOfAll(rerun) === undefined ? undefined : own);
}

/** What a comparison is chosen for. */
export function chosenFor({ compareWith, rerun }: Asked): Pick<Comparison, "compareWith" | "rerun"> {
  const at = rerunOfAll(rerun);
  return { ...(compareWith === undefined ? {} : { compareWith }), ...(at === undefined ? {} : { rerun: at }) };
}

function rerunOfAll(rerun: WorkloadSpec["rerun"]): string | undefined {
  return rerun?.from === undefined ? rerun?.at : undefined;
}
