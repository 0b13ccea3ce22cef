import type { FinalDecision } from "../../../engine/findings.ts";

/** What the output of a settled step's node says: how it ended, and where its result is in the object store. */
export type StepOutput =
  | { readonly outcome: "succeeded" | "failed"; readonly digest: string }
  /** Its `when` was false. */
  | { readonly outcome: "skipped" }
  /** The run failed before its turn came. */
  | { readonly outcome: "notRun" };

const RESULT = /^(succeeded|failed) ([0-9a-f]{64})$/;
const SKIPPED = "skipped";
/** Also of a gate. */
export const NOT_RUN = "not-run";

export function formatStepOutput(output: StepOutput): string {
  if (output.outcome === "skipped") return SKIPPED;
  return output.outcome === "notRun" ? NOT_RUN : `${output.outcome} ${output.digest}`;
}

/** @returns undefined for what reconcile did not write: somebody settled the node by hand */
export function parseStepOutput(text: string | undefined): StepOutput | undefined {
  if (text === SKIPPED) return { outcome: "skipped" };
  if (text === NOT_RUN) return { outcome: "notRun" };
  const [, outcome, digest] = RESULT.exec(text ?? "") ?? [];
  return digest === undefined ? undefined : { outcome: outcome as "succeeded" | "failed", digest };
}

/** A gate's output is the decision itself; a skipped gate lets everything pass. */
export function formatGateOutput(gate: FinalDecision | "skipped"): string {
  return gate === "skipped" ? SKIPPED : gate.decision;
}
