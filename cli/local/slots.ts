import type { Instance, StageView } from "../../engine/walk.ts";

/**
 * The ready steps that may start now: of each fan-out at most `parallelism` items are in flight, single steps start freely. An item
 * that is in flight keeps its slot for all of its steps, so that its branches run side by side.
 */
export function startable(
  ready: readonly Instance[],
  running: Iterable<Instance>,
  stages: readonly StageView[],
  parallelism: number,
): Instance[] {
  const stageOf = new Map(stages.flatMap(({ stage }) => stage.steps.map(({ name }) => [name, stage.name] as const)));
  const inFlight = new Map<string | undefined, Set<number>>();
  const take = ({ step, index }: Instance): boolean => {
    if (index === undefined) return true;
    const stage = stageOf.get(step.name);
    const items = inFlight.get(stage) ?? new Set();
    inFlight.set(stage, items);
    if (!items.has(index) && items.size >= parallelism) return false;
    items.add(index);
    return true;
  };
  for (const instance of running) take(instance);
  return ready.filter(take);
}
