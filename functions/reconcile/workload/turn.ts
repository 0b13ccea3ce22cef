import type { RunView } from "../run-engine.ts";
import type { Action, PlannedSettlement } from "./action.ts";

/** The engine takes less for a thousand nodes; times in a run object are whole seconds. */
const ENGINES_TURN_MS = 3000;
const STOP_TURN_MS = 10_000;

/**
 * Reconcile and the engine's controller write the same object, and take turns. The controller drops all it has worked out when the
 * object changed meanwhile ("must never update completed node"): a write for each result would keep it from ever going on. So what
 * ends in its turn is settled after its write, which is an event.
 *
 * When that does not come, the controller may have missed ours: with INFORMER_WRITE_BACK it puts its own write over whatever its
 * cache got meanwhile, and then waits for the next change. That is made for it: the next settlement, or a nudge; each later than the last.
 */
export function planTurn(view: RunView, settlements: readonly PlannedSettlement[], now: Date): Action[] {
  const end = enginesTurnEndsAt(view);
  if (end && now < end) return [];
  if (settlements.length > 0) return [{ type: "settle", view, settlements }];
  return end ? [{ type: "nudge", view }] : [];
}

/** For one that was stopped, and goes on: the engine may have missed that as well. When it was stopped is not known, so it is nudged again. */
export function planStop(view: RunView, now: Date): Action[] {
  const { nudgedAt } = view;
  const lately = nudgedAt && now.getTime() - nudgedAt.getTime() < STOP_TURN_MS;
  return lately ? [] : [{ type: "nudge", view }];
}

/** Undefined while the engine has nothing to do. */
export function enginesTurnEndsAt({ settledUnseenAt, nudgedAt }: RunView): Date | undefined {
  if (!settledUnseenAt) return undefined;
  if (!nudgedAt || nudgedAt < settledUnseenAt) return new Date(settledUnseenAt.getTime() + ENGINES_TURN_MS);
  return new Date(nudgedAt.getTime() + Math.max(ENGINES_TURN_MS, nudgedAt.getTime() - settledUnseenAt.getTime()));
}
