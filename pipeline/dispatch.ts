import { stepIdentity } from "../lib/identity.ts";
import type { StepInput, StepResult } from "../lib/step.ts";
import type { Step } from "./pipeline.ts";

export interface StepOutcome extends StepResult {
  readonly item?: string;
}

/** What the spec gives to steps. */
export interface StepParams {
  readonly objective: string;
  readonly model: Readonly<Record<string, unknown>>;
}

/** A step's input: its item, the spec values it names, the results of the steps it comes after (those of its own item, in a fan-out). */
export function stepInput(
  step: Step,
  params: StepParams,
  outcomes: ReadonlyMap<string, readonly StepOutcome[]>,
  item?: string,
): StepInput {
  const from: StepInput["from"] = {};
  for (const name of step.after) {
    const all = outcomes.get(name) ?? [];
    from[name] = step.forEach ? all.filter((outcome) => outcome.item === item) : [...all];
  }
  return {
    ...(item === undefined ? {} : { item }),
    params: Object.fromEntries(step.params.map((name) => [name, params[name]])),
    from,
  };
}

/** The identity of a step with this input. Of earlier results only the bytes they left count, not what they cost. */
export function identityOf(uid: string, step: Step, input: StepInput): string {
  return stepIdentity({
    uid,
    step: step.name,
    ...(input.item === undefined ? {} : { item: input.item }),
    params: input.params,
    inputs: Object.fromEntries(
      Object.entries(input.from).map(([name, results]) => [
        name,
        results.map(({ item, outcome, artifacts }) => ({ item, outcome, artifacts })),
      ]),
    ),
  });
}
