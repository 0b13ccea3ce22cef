import { rejectedBy } from "../../../engine/findings.ts";
import { termsOf } from "../../../engine/run.ts";
import { REJECTED } from "../../../engine/walk.ts";
import type { RunView } from "../run-engine.ts";
import type { Observed } from "./observe.ts";
import type { Progress } from "./progress.ts";
import { isUnderWay, type StepView } from "./step-view.ts";

// Predicates over what was observed. plan.ts decides by them, status.ts tells by them.

/** Nothing new starts: the spec says so, somebody said so in the engine, or a quota does. */
export function isHeld({ spec, runObject, quota }: Observed): boolean {
  const { suspend, stop } = "workload" in spec ? spec.workload.spec : {};
  // What is to end is not held back from ending.
  const held = !stop && (suspend || quota?.wait !== undefined);
  return held || Boolean(runObject?.suspended) || Boolean(runObject?.shutdown);
}

/** A gate waits, and nothing else does. */
export function isAwaitingReview(progress: Progress | undefined): boolean {
  if (!progress || progress.walk.failure) return false;
  const { steps, gates } = progress;
  const waits = gates.some(
    ({ verdict, node, review }) => verdict.state === "waiting" && node.phase === "Running" && review,
  );
  return waits && !steps.some(({ node, outcome }) => node.phase === "Running" && !outcome);
}

/** It waits for a request, and nothing keeps it from being sent. */
export function wantsRequest(view: StepView): boolean {
  return !view.outcome && view.work !== undefined && !isUnderWay(view);
}

/** A rejection ends a run, also one whose results were lost before the status told of its end. */
export function rejectionOf({ runObject, progress }: Observed): string | undefined {
  const end = progress?.walk.end;
  if (end?.phase === "Rejected" && end.reason === REJECTED) return end.message;
  if (!progress || !runObject || !hasLostItsEnd(runObject, progress)) return undefined;
  const rejected = progress.keptReviews.find(({ decision }) => decision === "rejected");
  return rejected && rejectedBy(rejected);
}

/**
 * It is made again, and what succeeded is used again: a failed run under other terms, for a larger budget or a longer deadline may be all
 * that it lacked; one whose gate the engine's own timer settled otherwise than a person had; one whose results were lost before its end.
 */
export function isMadeAgain(observed: Observed): boolean {
  const { spec, runObject, progress } = observed;
  if (!runObject || spec.state !== "accepted" || spec.run.stopped) return false;
  if (isFailed(runObject) && runObject.acceptedTerms !== termsOf(spec.workload.spec)) return true;
  if (!progress) return false;
  if (progress.gates.some(({ verdict }) => verdict.state === "overtaken")) return true;
  return hasLostItsEnd(runObject, progress) && rejectionOf(observed) === undefined;
}

function isFailed({ phase }: RunView): boolean {
  return phase === "Failed" || phase === "Error";
}

/** Each node was settled, and the object store has lost what some were settled with: how the run ended cannot be told from it. */
function hasLostItsEnd({ phase }: RunView, { walk, steps }: Progress): boolean {
  return (
    phase === "Succeeded" && !walk.end && steps.some(({ node, outcome }) => node.phase === "Succeeded" && !outcome)
  );
}
