import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { canonicalJson } from "../../../engine/canonical.ts";
import { runResultsOf } from "../../../engine/comparison.ts";
import type { Outcomes } from "../../../engine/outcomes.ts";
import type { PipelineStep } from "../../../engine/pipeline.ts";
import { type Run, stepDeadlineMs } from "../../../engine/run.ts";
import type { KubeObject, ObjectRef, WriteResult } from "../../../lib/edges/kube.ts";
import { levelOf, RetryableError, TerminalError } from "../../../lib/errors.ts";
import type { Logger } from "../../../lib/log.ts";
import type { EndedRun } from "../../../lib/telemetry/run-spans.ts";
import { exclusivelyOrDeleted } from "../exclusively-or-deleted.ts";
import { REASON } from "../reasons.ts";
import { isOver } from "../resync.ts";
import type { Action } from "./action.ts";
import { type ApplyDeps, apply } from "./apply.ts";
import { auditStatus } from "./audit.ts";
import { endedRunOf } from "./ended-run.ts";
import { kubernetesEvents } from "./kubernetes-event.ts";
import { type ObserveDeps, type Observed, observe } from "./observe.ts";
import { plan } from "./plan.ts";
import { lateAt } from "./progress.ts";
import { observeQuota } from "./quota.ts";
import { isHeld } from "./run-state.ts";
import type { Stall } from "./stall.ts";
import { stalledStatus, statusOf } from "./status.ts";
import type { StepView } from "./step-view.ts";
import { enginesTurnEndsAt } from "./turn.ts";

export interface ReconcileDeps extends ObserveDeps, ApplyDeps {
  /** US dollars that the steps after a gate cost at most; undefined: not known. */
  readonly costOfApproving: (run: Run, gate: PipelineStep, outcomes: Outcomes) => number | undefined;
  /** Runs work on an object while no other process does. @throws RetryableError Busy, StoreUnavailable */
  readonly exclusively: <T>(key: string, work: () => Promise<T>) => Promise<T>;
  /** Where a trace is looked at, with `{trace}` in place of its id. */
  readonly traceUrl?: string | undefined;
  /** Tells the trace of a run that has ended. */
  readonly recordRun: (ended: EndedRun) => void;
  /** Signs what the run did. Absent: runs leave no evidence. */
  readonly signEvidence?: (ended: EndedRun) => Promise<string>;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Looks at one workload in a row; beyond this many, something undoes what reconcile does. */
const MAX_PASSES = 20;

/**
 * Brings one workload a step on: looks at all of it, decides, writes; again where what it saw has changed meanwhile. What keeps it
 * from going on is said in the status, and thrown: the event that brought us here is then delivered again.
 * @returns when to look again should no event come; undefined: nothing is awaited
 */
export async function reconcileWorkload(ref: ObjectRef, deps: ReconcileDeps): Promise<Date | undefined> {
  const workload = `${ref.namespace}/${ref.name}`;
  let outcome: Outcome;
  try {
    outcome = await exclusivelyOrDeleted(workload, deps.kube.workloads, ref, deps, () => passes(ref, deps));
  } catch (error) {
    deps.log[loudnessOf(error)]({ err: error, workload }, "workload not observed");
    await writeStall(ref, error, deps);
    throw error;
  }
  if ("requeueAt" in outcome) return outcome.requeueAt;
  deps.log[loudnessOf(outcome.failed)]({ err: outcome.failed, workload }, "reconcile blocked");
  throw outcome.failed;
}

/** The run stands still meanwhile: also what passes by itself is worth a look. */
function loudnessOf(error: unknown): "warn" | "error" {
  return levelOf(error) === "error" ? "error" : "warn";
}

/** "failed": something could not be done; the status says so. */
type Outcome = { readonly requeueAt: Date | undefined } | { readonly failed: unknown };
const DONE: Outcome = { requeueAt: undefined };

async function passes(ref: ObjectRef, deps: ReconcileDeps): Promise<Outcome> {
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const outcome = await passOnce(ref, deps);
    if (outcome !== "again") return outcome;
  }
  throw new RetryableError("NotSettled", `${ref.namespace}/${ref.name} was still changing after ${MAX_PASSES} looks`);
}

async function passOnce(ref: ObjectRef, deps: ReconcileDeps): Promise<Outcome | "again"> {
  const observed = await observeAll(ref, deps);
  if (!observed) return DONE;
  const actions = plan(observed, deps.engine, deps.now());
  let failed: unknown;
  let conflict = false;
  for (const action of actions) {
    try {
      const result = await apply(action, observed, deps);
      deps.log.debug({ workload: `${ref.namespace}/${ref.name}`, action: action.type, result }, "applied");
      if (result === "conflict") conflict = true;
    } catch (error) {
      // What else can be done is done: a Broker that is away keeps no finished node from being settled.
      failed ??= error;
    }
  }
  const did = (type: Action["type"]): boolean => failed === undefined && actions.some((action) => action.type === type);
  // Never write status from a stale snapshot.
  if (conflict && failed === undefined) return "again";
  if (did("cleanUp")) return DONE;
  // The object is another one by now: a status for it is the next look's.
  if (did("addFinalizer")) return "again";
  // What the workload may do now follows from the accounts as they are.
  if (did("claim")) return "again";
  // In a namespace that is going away nothing new may be written, and nobody would read it.
  const going = observed.object.metadata.deletionTimestamp !== undefined;
  const written = going ? "same" : await writeStatus(observed, failed, deps);
  if (failed !== undefined) return { failed };
  // What else was done is for others to go on from, and comes back as an event.
  if (written === "conflict" || did("deleteRun") || hasNewDecision(observed)) return "again";
  return { requeueAt: earliest(requeueTimes(observed, deps)) };
}

async function observeAll(ref: ObjectRef, deps: ReconcileDeps): Promise<Observed | undefined> {
  const observed = await observe(ref, deps);
  const quota = observed && (await observeQuota(observed, deps));
  return observed && { ...observed, ...(quota ? { quota } : {}) };
}

/** A decision that nobody wrote before is in the status now: its node is settled next, or its changes begin. */
function hasNewDecision(observed: Observed): boolean {
  const { progress } = observed;
  if (progress?.gates.some(({ verdict }) => verdict.state === "changes")) return true;
  if (!progress || progress.walk.failure || isHeld(observed)) return false;
  return progress.gates.some(
    ({ verdict, review, node }) =>
      verdict.state === "decided" && review?.decision === undefined && node.phase === "Running",
  );
}

function requeueTimes({ spec, runObject, progress }: Observed, { now }: ReconcileDeps): Date[] {
  const turn = runObject && enginesTurnEndsAt(runObject);
  const run = spec.state === "accepted" ? spec.run : undefined;
  const timeouts = (progress?.gates ?? []).flatMap(({ verdict, timeoutAt, node }) =>
    verdict.state === "waiting" && node.phase === "Running" && timeoutAt > now() ? [timeoutAt] : [],
  );
  const late = run ? (progress?.steps ?? []).flatMap((step) => lateTimes(run, step)) : [];
  return [...(turn ? [turn] : []), ...timeouts, ...late.filter((at) => at > now())];
}

/** When a step that nobody works on is late, and when its deadline is over: no event says so. */
function lateTimes(run: Run, { step, outcome, work }: StepView): Date[] {
  const { requestedAt, held } = work?.state ?? {};
  if (outcome || held || !requestedAt) return [];
  return [new Date(lateAt(requestedAt) + 1), new Date(lateAt(requestedAt, stepDeadlineMs(run, step)))];
}

function earliest(times: readonly Date[]): Date | undefined {
  return times.toSorted((a, b) => a.getTime() - b.getTime())[0];
}

async function writeStatus(observed: Observed, failed: unknown, deps: ReconcileDeps): Promise<WriteResult | "same"> {
  const { costOfApproving, engine, traceUrl, now } = deps;
  const status = statusOf(observed, { costOfApproving, engine, traceUrl, stall: stallFrom(failed), now: now() });
  const ended = endedRunOf(observed, status);
  if (!ended) return putStatus(observed.object, status, deps);
  // Before the status says that it ended: of a process that dies in between, the next one writes the same spans and the same evidence.
  deps.recordRun(ended);
  return putStatus(observed.object, { ...status, ...(await keepEnd(ended, observed, deps)) }, deps);
}

/** What is kept of a run that ended: the evidence, and of one that succeeded the results that later runs are compared with. */
async function keepEnd(
  ended: EndedRun,
  { object }: Observed,
  { artifacts, signEvidence }: ReconcileDeps,
): Promise<Pick<WorkloadStatus, "evidence" | "results">> {
  const evidence = await signEvidence?.(ended);
  const results =
    ended.phase === "Succeeded" ? canonicalJson(runResultsOf(ended.run, ended.outcomes, ended.finishedAt)) : undefined;
  return {
    ...(evidence === undefined ? {} : { evidence: await artifacts.put(object.metadata, evidence, "json") }),
    ...(results === undefined ? {} : { results: await artifacts.put(object.metadata, results, "json") }),
  };
}

async function putStatus(
  object: KubeObject,
  status: WorkloadStatus,
  deps: ReconcileDeps,
): Promise<WriteResult | "same"> {
  if (canonicalJson(status) === canonicalJson(object.status ?? {})) return "same";
  // Before the status that it tells of: written afterwards, it would be lost with a process that dies in between. Best effort: a
  // namespace whose quota takes no more Events still gets its status.
  for (const event of kubernetesEvents(object, status, deps.now()))
    await deps.kube.event(event).catch((error: unknown) => {
      const { namespace, name } = object.metadata;
      deps.log.warn({ err: error, workload: `${namespace}/${name}`, reason: event.reason }, "Event not written");
    });
  const written = await deps.kube.workloads.putStatus(object, status);
  // Afterwards: a decision that another came before does not count.
  if (written === "written") auditStatus(object, status, deps.log);
  return written;
}

/** Nothing to tell the workload's owner: the next look is all it takes. */
const PASSING = new Set(["ApiUnavailable", "NotSettled", "Busy"]);

/** What keeps a run from being looked at. One that has ended loses nothing by it, and keeps its end. */
async function writeStall(ref: ObjectRef, error: unknown, deps: ReconcileDeps): Promise<void> {
  const stall = stallFrom(error);
  if (!stall || PASSING.has(stall.reason)) return;
  try {
    const object = await deps.kube.workloads.get(ref);
    if (!object || isOver(object, deps.now())) return;
    await putStatus(object, stalledStatus({ object }, stall, deps.now()), deps);
  } catch (cause) {
    deps.log.warn({ err: cause, workload: `${ref.namespace}/${ref.name}` }, "stall not written into the status");
  }
}

function stallFrom(error: unknown): Stall | undefined {
  if (error === undefined) return undefined;
  if (error instanceof RetryableError || error instanceof TerminalError)
    return { reason: error.reason, message: error.message };
  return { reason: REASON.internal, message: error instanceof Error ? error.message : String(error) };
}
