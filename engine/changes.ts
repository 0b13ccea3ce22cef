import type { ChangeRequest, Correction, Review } from "../crd/agentworkload.ts";
import { itemName } from "./correction-text.ts";
import type { PipelineStep } from "./pipeline.ts";
import type { Item, StepInput } from "./result.ts";
import type { Run } from "./run.ts";
import { ancestorsOf } from "./stages.ts";

// A reviewer may ask for changes instead of approving or rejecting: steps run again with the comment as part of their input, hence under
// another identity, and everything after them that depends on their results. It is another run of the same spec.

/** Rounds of one spec. Each is paid for, and each stays in the status. */
export const MAX_CHANGES = 10;

/** What is asked for at a gate. `steps` absent: of all steps that the gate shows. */
interface Asked {
  readonly digest: string;
  readonly steps?: readonly string[] | undefined;
  readonly comment?: string | undefined;
  readonly corrections?: readonly Correction[] | undefined;
  readonly by: string;
  readonly at: string;
}

/** The steps that changes can be asked of at a gate, in the pipeline's order: those of agents before it. */
export function changeableSteps({ pipeline: { steps }, changes }: Run, gate: PipelineStep): string[] {
  if (changes.length >= MAX_CHANGES) return [];
  const before = ancestorsOf(gate.name, steps);
  return steps.filter((step) => !step.gate && before.has(step.name)).map(({ name }) => name);
}

/** Why no changes of these steps are taken at a gate whose review is open, as a sentence; undefined: they are. */
export function notChangeable(
  { gate, changeable = [] }: Pick<Review, "gate" | "changeable">,
  steps: readonly string[] = [],
): string | undefined {
  if (changeable.length === 0) return `no changes can be asked for at gate ${gate}: approve or reject`;
  const others = steps.filter((step) => !changeable.includes(step));
  if (others.length === 0) return undefined;
  return `changes can be asked of the steps ${changeable.join(", ")}, and not of ${others.join(", ")}`;
}

/** Undefined: a step is none that changes can be asked of, or nobody says what is to be changed. */
export function changeRequestOf(run: Run, gate: PipelineStep, asked: Asked): ChangeRequest | undefined {
  const changeable = changeableSteps(run, gate);
  const shown = (gate.gate?.show ?? gate.after).filter((name) => changeable.includes(name));
  const steps = [...(asked.steps ?? shown)];
  const { digest, comment, corrections, by, at } = asked;
  if (!comment?.trim() || steps.length === 0 || !steps.every((name) => changeable.includes(name))) return undefined;
  const said = corrections === undefined ? {} : { corrections: [...corrections] };
  return { run: run.base, gate: gate.name, digest, steps, comment, ...said, by, at };
}

/** What a step's input says of changes; undefined: none were asked of it. Of single facts it has those of its own item. */
export function changesOf({ changes }: Run, step: string, item: Item | undefined): StepInput["changes"] {
  const own = changes.filter(({ steps }) => steps.includes(step));
  if (own.length === 0) return undefined;
  const name = itemName(item);
  return own.map(({ gate, comment, corrections = [] }) => {
    const facts = corrections.filter((one) => name === undefined || one.item === undefined || one.item === name);
    return { gate, comment, ...(facts.length === 0 ? {} : { corrections: facts }) };
  });
}

/** Those that what a gate shows may depend on. */
export function changesBefore({ pipeline, changes }: Run, gate: PipelineStep): ChangeRequest[] {
  const before = ancestorsOf(gate.name, pipeline.steps);
  return changes.filter(({ steps }) => steps.some((name) => before.has(name)));
}
