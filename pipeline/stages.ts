import type { Pipeline, Step } from "./pipeline.ts";

/** Steps that run together: a chain run entry by entry over the spec's list, or a single step. */
export type Stage = { readonly forEach: "sites"; readonly chain: readonly Step[] } | { readonly step: Step };

/** A pipeline in the order it runs. Neighbouring steps over the same list are one chain. */
export function stagesOf(pipeline: Pipeline): Stage[] {
  const stages: Stage[] = [];
  for (const step of pipeline.steps) {
    const last = stages.at(-1);
    if (!step.forEach) stages.push({ step });
    else if (last && "chain" in last && last.forEach === step.forEach)
      stages[stages.length - 1] = { forEach: step.forEach, chain: [...last.chain, step] };
    else stages.push({ forEach: step.forEach, chain: [step] });
  }
  return stages;
}
