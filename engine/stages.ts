import type { PipelineStep } from "./pipeline.ts";

/** Steps that run together: those of a fan-out, item by item, or a single one. */
export interface Stage {
  /** Its first step's. */
  readonly name: string;
  /** The list that its steps run over; absent: they run once, and there is one of them. */
  readonly forEach?: string;
  /** In the order of their dependencies. */
  readonly steps: readonly PipelineStep[];
  /** Stages that must end before it starts. */
  readonly after: readonly string[];
}

/**
 * A pipeline's stages in the order of their dependencies. A step joins the fan-out of the steps that it comes after when all of these
 * are in that one fan-out, over the same list: its items then go on one by one. Any other step waits for all that it comes after.
 * The pipeline must be valid (engine/check.ts).
 */
export function stagesOf(steps: readonly PipelineStep[]): Stage[] {
  const stages: { name: string; forEach?: string; steps: PipelineStep[]; after: Set<string> }[] = [];
  const stageOf = new Map<string, (typeof stages)[number]>();
  for (const step of inOrder(steps)) {
    const before = new Set(step.after.flatMap((name) => stageOf.get(name) ?? []));
    const [only] = before;
    if (only && before.size === 1 && step.forEach !== undefined && only.forEach === step.forEach) {
      only.steps.push(step);
      stageOf.set(step.name, only);
      continue;
    }
    const stage = {
      name: step.name,
      ...(step.forEach === undefined ? {} : { forEach: step.forEach }),
      steps: [step],
      after: new Set([...before].map(({ name }) => name)),
    };
    stages.push(stage);
    stageOf.set(step.name, stage);
  }
  return stages.map((stage) => ({ ...stage, after: [...stage.after] }));
}

/** Each step behind those that it comes after; otherwise as they were written. Steps of a cycle are left out. */
export function inOrder(steps: readonly PipelineStep[]): PipelineStep[] {
  const ordered: PipelineStep[] = [];
  const placed = new Set<string>();
  let left = [...steps];
  while (left.length > 0) {
    const next = left.find(({ after }) => after.every((name) => placed.has(name)));
    if (!next) return ordered;
    ordered.push(next);
    placed.add(next.name);
    left = left.filter((step) => step !== next);
  }
  return ordered;
}

/** All steps that a step comes after, directly or not. */
export function ancestorsOf(name: string, steps: readonly PipelineStep[]): Set<string> {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const found = new Set<string>();
  const visit = (at: string): void => {
    for (const before of byName.get(at)?.after ?? [])
      if (!found.has(before)) {
        found.add(before);
        visit(before);
      }
  };
  visit(name);
  return found;
}
