import { REJECTED } from "../../../engine/walk.ts";
import type { Observed } from "./observe.ts";
import type { StepView } from "./step-view.ts";

// Predicates over what was observed. plan.ts decides by them, status.ts tells by them.

/** Nothing new starts: the spec says so, or somebody said so in the engine. */
export function isHeld({ spec, runObject }: Observed): boolean {
  const held = "workload" in spec && spec.workload.spec.suspend;
  return held || Boolean(runObject?.suspended) || Boolean(runObject?.shutdown);
}

/** A request is on its way, or an instance works on it. */
export function isUnderWay({ work }: StepView): boolean {
  return work !== undefined && (work.state.requested || work.state.held);
}

/** It waits for a request, and nothing keeps it from being sent. */
export function wantsRequest(view: StepView): boolean {
  return !view.outcome && view.work !== undefined && !isUnderWay(view);
}

export function isRejected({ progress }: Observed): boolean {
  const end = progress?.walk.end;
  return end?.phase === "Rejected" && end.reason === REJECTED;
}
