import { canonicalJson } from "../../lib/canonical.ts";
import type { ObjectRef } from "../../lib/edges/kube.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { type ApplyDeps, apply } from "./apply.ts";
import { eventOf } from "./event.ts";
import { type ObserveDeps, type Observed, observe } from "./observe.ts";
import { plan } from "./plan.ts";
import { type Status, statusOf, type Trouble, troubledStatus } from "./status.ts";

export interface ReconcileDeps extends ObserveDeps, ApplyDeps {
  /** What the report costs at most, in US dollars. */
  readonly costOfApproving: number;
  /** Runs work on a workload while no other process does. @throws RetryableError Busy, StoreUnavailable */
  readonly exclusively: (ref: ObjectRef, work: () => Promise<void>) => Promise<void>;
  readonly log: Logger;
}

/** What one pass changes calls for the next; beyond this many something undoes what we do. */
const MAX_PASSES = 20;

/**
 * Brings one workload a step on: looks at all of it, decides, writes, and looks again until there is nothing to do. What keeps
 * it from going on is said in the status, and thrown: the event that brought us here is then delivered again.
 */
export async function reconcile(ref: ObjectRef, deps: ReconcileDeps): Promise<void> {
  try {
    await deps.exclusively(ref, () => passes(ref, deps));
  } catch (error) {
    await sayTrouble(ref, error, deps);
    throw error;
  }
}

async function passes(ref: ObjectRef, deps: ReconcileDeps): Promise<void> {
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const outcome = await passOnce(ref, deps);
    if (outcome === "settled") return;
  }
  throw new RetryableError("NotSettled", `${ref.namespace}/${ref.name} was still changing after ${MAX_PASSES} looks`);
}

async function passOnce(ref: ObjectRef, deps: ReconcileDeps): Promise<"settled" | "again"> {
  const observed = await observe(ref, deps);
  if (!observed) return "settled";
  const actions = plan(observed, deps.now());
  let trouble: unknown;
  let conflict = false;
  for (const action of actions) {
    try {
      const written = await apply(action, observed, deps);
      deps.log.debug({ workload: `${ref.namespace}/${ref.name}`, action: action.type, written }, "applied");
      if (written === "conflict") conflict = true;
    } catch (error) {
      // What else can be done is done: a Broker that is away keeps no finished node from being settled.
      trouble ??= error;
    }
  }
  // Nothing is said on the ground of what has just proved to be otherwise.
  if (conflict && trouble === undefined) return "again";
  if (trouble === undefined && actions.some(({ type }) => type === "cleanUp")) return "settled";
  // The object is another one by now: a status for it is the next look's.
  if (trouble === undefined && actions.some(({ type }) => type === "addFinalizer")) return "again";
  // In a namespace that is going away nothing new may be said, and nobody would read it.
  const going = observed.object.metadata.deletionTimestamp !== undefined;
  const wrote = going ? "same" : await writeStatus(observed, trouble, deps);
  if (trouble !== undefined) throw trouble;
  return actions.length === 0 && wrote !== "changed" ? "settled" : "again";
}

async function writeStatus(observed: Observed, trouble: unknown, deps: ReconcileDeps): Promise<"same" | "changed"> {
  const now = deps.now();
  const { costOfApproving } = deps;
  const status = statusOf(observed, { costOfApproving, trouble: troubleOf(trouble), now });
  return putStatus(observed.object, status, deps);
}

async function putStatus(object: Observed["object"], status: Status, deps: ReconcileDeps): Promise<"same" | "changed"> {
  if (canonicalJson(status) === canonicalJson(object.status ?? {})) return "same";
  const event = eventOf(object, status, deps.now());
  // Before the status that it tells of: written afterwards, it would be lost with a process that dies in between.
  if (event) await deps.kube.event(event);
  await deps.kube.workloads.putStatus(object, status);
  return "changed";
}

/** No trouble of the workload's: the next look is all it takes. */
const PASSING = new Set(["ApiUnavailable", "NotSettled", "Busy"]);

/** What keeps a run from being looked at, or from going on. */
async function sayTrouble(ref: ObjectRef, error: unknown, deps: ReconcileDeps): Promise<void> {
  const trouble = troubleOf(error);
  deps.log.warn({ err: error, workload: `${ref.namespace}/${ref.name}` }, "the workload does not go on");
  if (!trouble || PASSING.has(trouble.reason)) return;
  const object = await deps.kube.workloads.get(ref).catch(() => undefined);
  if (!object) return;
  const status = troubledStatus({ object }, trouble, deps.now());
  await putStatus(object, status, deps).catch((cause: unknown) =>
    deps.log.warn({ err: cause }, "the trouble could not be written into the status"),
  );
}

function troubleOf(error: unknown): Trouble | undefined {
  if (error === undefined) return undefined;
  if (error instanceof RetryableError || error instanceof TerminalError)
    return { reason: error.reason, message: error.message };
  return { reason: "Internal", message: error instanceof Error ? error.message : String(error) };
}
