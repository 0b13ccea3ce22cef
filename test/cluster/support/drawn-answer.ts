import { type ArtifactOwner, artifactKey } from "../../../engine/artifact-key.ts";
import { canonicalJson, sha256 } from "../../../engine/canonical.ts";
import { failedResult, NO_USAGE, type StepInput, type StepResult } from "../../../engine/result.ts";

/** What the answers of a drawn run depend on, beside the step and its item. */
export interface Draw {
  readonly numbers: readonly number[];
  /** Of a hundred steps, how many fail. */
  readonly failureRate: number;
}

/** How a step of a drawn run ends, and what list it returns: by content alone, so that whoever runs it gets the same answer. */
export function drawnAnswer(
  { numbers, failureRate }: Draw,
  {
    workload,
    step,
    input,
  }: { readonly workload: ArtifactOwner; readonly step: string; readonly input: Pick<StepInput, "item"> },
): StepResult {
  const roll = Number.parseInt(sha256(canonicalJson([step, input.item ?? null, numbers])).slice(0, 6), 16);
  if (roll % 100 < failureRate) return failedResult("Unlucky", "as drawn");
  const items = Array.from({ length: roll % 4 }, (_, index) => ({ of: step, at: index, from: input.item ?? "" }));
  return {
    outcome: "succeeded",
    items,
    artifacts: { made: artifactKey(workload, sha256(`${step}-${roll}`), "txt") },
    usage: NO_USAGE,
  };
}
