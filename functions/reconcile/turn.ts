import type { Action } from "./action.ts";
import type { Settlement, WorkflowView } from "./nodes.ts";

/** Argo takes less for a thousand nodes; times in a Workflow are whole seconds. */
const ARGOS_TURN_MS = 3000;
const STOP_TURN_MS = 10_000;

/**
 * We and Argo's controller write the same object, and take turns. It drops all it has worked out when the Workflow changed meanwhile
 * ("must never update completed node"): a write for each result would keep it from ever going on. So what ends in Argo's turn is
 * settled after its write, which is an event.
 *
 * When that does not come, Argo may have missed ours: with INFORMER_WRITE_BACK it puts its own write over whatever its cache got
 * meanwhile, and then waits for the next change. That is made for it: the next settlement, or a nudge; each later than the last.
 */
export function planTurn(workflow: WorkflowView, settlements: readonly Settlement[], now: Date): Action[] {
  const end = argosTurnEndsAt(workflow);
  if (end && now < end) return [];
  if (settlements.length > 0) return [{ type: "settle", workflow, settlements }];
  return end ? [{ type: "nudge", workflow }] : [];
}

/** For one that is to stop, and has not: Argo may have missed that as well. When it was said is not known, so it is said again. */
export function planStop(workflow: WorkflowView, now: Date): Action[] {
  const { nudgedAt } = workflow;
  const lately = nudgedAt && now.getTime() - nudgedAt.getTime() < STOP_TURN_MS;
  return lately ? [] : [{ type: "nudge", workflow }];
}

/** Undefined while Argo has nothing to do. */
export function argosTurnEndsAt({ settledUnseenAt, nudgedAt }: WorkflowView): Date | undefined {
  if (!settledUnseenAt) return undefined;
  if (!nudgedAt || nudgedAt < settledUnseenAt) return new Date(settledUnseenAt.getTime() + ARGOS_TURN_MS);
  return new Date(nudgedAt.getTime() + Math.max(ARGOS_TURN_MS, nudgedAt.getTime() - settledUnseenAt.getTime()));
}
