import { canonicalJson } from "../../lib/canonical.ts";
import type { KubeObject, ObjectRef, Written } from "../../lib/edges/kube.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { Action } from "./action.ts";
import { type ApplyDeps, apply } from "./apply.ts";
import { eventOf } from "./event.ts";
import { type ObserveDeps, type Observed, observe } from "./observe.ts";
import { plan } from "./plan.ts";
import { isOver } from "./resync.ts";
import { type Status, statusOf, troubledStatus } from "./status.ts";
import type { Trouble } from "./trouble.ts";
import { argosTurnEndsAt } from "./turn.ts";

export interface ReconcileDeps extends ObserveDeps, ApplyDeps {
  /** What the report costs at most, in US dollars. */
  readonly costOfApproving: number;
  /** Runs work on a workload while no other process does. @throws RetryableError Busy, StoreUnavailable */
  readonly exclusively: <T>(ref: ObjectRef, work: () => Promise<T>) => Promise<T>;
  readonly log: Logger;
}

/** A look that finds the last one's ground gone is made again; beyond this many something undoes what we do. */
const MAX_PASSES = 20;

/**
 * Brings one workload a step on: looks at all of it, decides, writes; again where what it saw proved to be otherwise. What keeps it
 * from going on is said in the status, and thrown: the event that brought us here is then delivered again.
 * @returns when to look again should no event come; undefined: nothing is waited for that long
 */
export async function reconcile(ref: ObjectRef, deps: ReconcileDeps): Promise<Date | undefined> {
  const workload = `${ref.namespace}/${ref.name}`;
  let outcome: Outcome;
  try {
    outcome = await deps.exclusively(ref, () => passes(ref, deps));
  } catch (error) {
    deps.log.warn({ err: error, workload }, "the workload could not be looked at");
    await sayUnseen(ref, error, deps);
    throw error;
  }
  if ("lookAgainAt" in outcome) return outcome.lookAgainAt;
  deps.log.warn({ err: outcome.failed, workload }, "the workload does not go on");
  throw outcome.failed;
}

/** "failed": something could not be done; the status says so. */
type Outcome = { readonly lookAgainAt: Date | undefined } | { readonly failed: unknown };
const SETTLED: Outcome = { lookAgainAt: undefined };

async function passes(ref: ObjectRef, deps: ReconcileDeps): Promise<Outcome> {
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const outcome = await passOnce(ref, deps);
    if (outcome !== "again") return outcome;
  }
  throw new RetryableError("NotSettled", `${ref.namespace}/${ref.name} was still changing after ${MAX_PASSES} looks`);
}

async function passOnce(ref: ObjectRef, deps: ReconcileDeps): Promise<Outcome | "again"> {
  const observed = await observe(ref, deps);
  if (!observed) return SETTLED;
  const actions = plan(observed, deps.now());
  let failed: unknown;
  let conflict = false;
  for (const action of actions) {
    try {
      const written = await apply(action, observed, deps);
      deps.log.debug({ workload: `${ref.namespace}/${ref.name}`, action: action.type, written }, "applied");
      if (written === "conflict") conflict = true;
    } catch (error) {
      // What else can be done is done: a Broker that is away keeps no finished node from being settled.
      failed ??= error;
    }
  }
  const did = (type: Action["type"]): boolean => failed === undefined && actions.some((action) => action.type === type);
  // Nothing is said on the ground of what has just proved to be otherwise.
  if (conflict && failed === undefined) return "again";
  if (did("cleanUp")) return SETTLED;
  // The object is another one by now: a status for it is the next look's.
  if (did("addFinalizer")) return "again";
  // In a namespace that is going away nothing new may be said, and nobody would read it.
  const going = observed.object.metadata.deletionTimestamp !== undefined;
  const said = going ? "same" : await writeStatus(observed, failed, deps);
  if (failed !== undefined) return { failed };
  // What else was done is for others to go on from, and comes back as an event.
  if (said === "conflict" || did("deleteWorkflow")) return "again";
  return { lookAgainAt: observed.workflow && argosTurnEndsAt(observed.workflow) };
}

async function writeStatus(observed: Observed, trouble: unknown, deps: ReconcileDeps): Promise<Written | "same"> {
  const now = deps.now();
  const { costOfApproving } = deps;
  const status = statusOf(observed, { costOfApproving, trouble: troubleOf(trouble), now });
  return putStatus(observed.object, status, deps);
}

async function putStatus(object: KubeObject, status: Status, deps: ReconcileDeps): Promise<Written | "same"> {
  if (canonicalJson(status) === canonicalJson(object.status ?? {})) return "same";
  const event = eventOf(object, status, deps.now());
  // Before the status that it tells of: written afterwards, it would be lost with a process that dies in between.
  if (event) await deps.kube.event(event);
  return deps.kube.workloads.putStatus(object, status);
}

/** No trouble of the workload's: the next look is all it takes. */
const PASSING = new Set(["ApiUnavailable", "NotSettled", "Busy"]);

/** What keeps a run from being looked at. One that has ended loses nothing by it, and keeps its end. */
async function sayUnseen(ref: ObjectRef, error: unknown, deps: ReconcileDeps): Promise<void> {
  const trouble = troubleOf(error);
  if (!trouble || PASSING.has(trouble.reason)) return;
  try {
    const object = await deps.kube.workloads.get(ref);
    if (!object || isOver(object)) return;
    await putStatus(object, troubledStatus({ object }, trouble, deps.now()), deps);
  } catch (cause) {
    deps.log.warn({ err: cause }, "the trouble could not be written into the status");
  }
}

function troubleOf(error: unknown): Trouble | undefined {
  if (error === undefined) return undefined;
  if (error instanceof RetryableError || error instanceof TerminalError)
    return { reason: error.reason, message: error.message };
  return { reason: "Internal", message: error instanceof Error ? error.message : String(error) };
}
