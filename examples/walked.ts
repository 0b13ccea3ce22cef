import type { Redis } from "ioredis";
import { readRecord } from "../lib/durable/record.ts";
import { identityOf, type StepOutcome, stepInput } from "../pipeline/dispatch.ts";
import type { RunOrder } from "../pipeline/run-order.ts";

/** How the steps of each site ended so far: a step's identity follows from its input, and its result is found by it. */
export async function outcomesSoFar(order: RunOrder, redis: Redis): Promise<Map<string, StepOutcome[]>> {
  const outcomes = new Map<string, StepOutcome[]>();
  for (const step of order.pipeline.steps) {
    if (!step.forEach) continue;
    const ended: StepOutcome[] = [];
    for (const item of order.lists[step.forEach]) {
      const input = stepInput(step, order.params, outcomes, item);
      const record = await readRecord(redis, identityOf(order.workload.uid, step, input));
      if (record?.result) ended.push({ ...record.result, item });
    }
    outcomes.set(step.name, ended);
  }
  return outcomes;
}
