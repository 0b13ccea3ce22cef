import type { ScheduleStatus } from "../../crd/agentschedule.ts";
import type { WorkloadStatus } from "../../crd/agentworkload.ts";
import { workloadSpecSchema } from "../../crd/agentworkload.ts";
import { parseDuration } from "../../crd/duration.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/edges/kube.ts";
import { granted, withClock } from "../../lib/quota/accounts.ts";
import { INSTALLATION, type Scope } from "../../lib/quota/scope.ts";
import { METRIC } from "../../lib/telemetry/metrics.ts";
import { createCensus } from "./census.ts";
import { REASON } from "./reasons.ts";
import { specOf } from "./schedule/observe.ts";
import { isUnrecorded } from "./workload/decision-outcome.ts";
import { closeGone, monthOf } from "./workload/quota.ts";

type Enqueue = (ref: ObjectRef) => Promise<void>;

/** Times of schedules that come sooner are kept by whoever resyncs: the next resync is in two minutes, and all times are whole minutes. */
const AHEAD_MS = 90_000;

/**
 * Repairs what was lost: looks at every object that may have something to do. `scheduleAt`: a schedule that is to be looked at when its time
 * comes, which is before the next resync. @returns the last of these times. @throws what the first that failed threw
 */
export async function resync(
  deps: ResyncDeps,
  enqueue: { agent: Enqueue; workload: Enqueue; decision: Enqueue; schedule: Enqueue },
  scheduleAt: (ref: ObjectRef, at: Date) => void,
): Promise<Date | undefined> {
  const { kube } = deps;
  const now = deps.now();
  // Before the workloads are listed: whose account is here, and that is not there then, is gone.
  const accounts = await listAccounts(deps);
  const gone = new Map(accounts);
  const census = createCensus(now);
  const isWanted = (object: KubeObject): boolean => {
    census.take(object);
    gone.delete(object.metadata.uid);
    const all = accounts.get(object.metadata.uid) ?? [];
    if (!all.some(({ isOpen }) => isOpen)) return !isOver(object, now);
    return !(all.some(({ waits }) => waits) && isSeen(object));
  };
  const lookAtWorkloads = async (): Promise<unknown[]> => {
    const failed = await enqueueEach(kube.workloads.listAll(), isWanted, enqueue.workload);
    census.record();
    const failedDecisions = await enqueueEach(kube.decisions.listAll(), isUnrecorded, enqueue.decision);
    for (const account of [...gone.values()].flat())
      await closeGone(account, deps).catch((error: unknown) => failed.push(error));
    return [...failed, ...failedDecisions];
  };
  const soon: { readonly ref: ObjectRef; readonly at: Date }[] = [];
  const isScheduleWanted = (object: KubeObject): boolean => {
    const at = timeAfter(object, now);
    if (at && at.getTime() - now.getTime() < AHEAD_MS) soon.push({ ref: object.metadata, at });
    return !isWaitingForItsTime(object, now);
  };
  const failed = await Promise.all([
    // Settled Agents too: settings change, and people delete what was made for an Agent. Beside the workloads: where the object store is
    // away, each Agent's look takes as long as its login is tried.
    enqueueEach(kube.agents.listAll(), () => true, enqueue.agent),
    lookAtWorkloads(),
    enqueueEach(kube.schedules.listAll(), isScheduleWanted, enqueue.schedule),
    noteClock(deps),
  ]);
  // After the looks, for each says anew when the next is.
  for (const { ref, at } of soon) scheduleAt(ref, at);
  throwFirst(failed.flat());
  return soon
    .map(({ at }) => at)
    .toSorted((a, b) => a.getTime() - b.getTime())
    .at(-1);
}

/** The next time of a schedule; undefined: it is invalid, suspended, or comes no more. */
function timeAfter(object: KubeObject, now: Date): Date | undefined {
  const spec = specOf(object);
  return "problem" in spec || spec.schedule.spec.suspend ? undefined : spec.times.after(now);
}

export type ResyncDeps = Parameters<typeof closeGone>[1] & { readonly kube: Kube };

/** Notes the time, and says how clock and licence stand. @returns why it failed */
async function noteClock({ quotas, now }: ResyncDeps): Promise<unknown[]> {
  try {
    await quotas.change(INSTALLATION, (before) => withClock(before, now()));
    const { closes, setBackMs = 0 } = (await quotas.read(INSTALLATION))?.standing ?? {};
    METRIC.clockSetBack.record(setBackMs / 1000);
    if (closes) METRIC.licenceRemaining.record((closes.getTime() - now().getTime() - setBackMs) / 1000);
    return [];
  } catch (error) {
    return [error];
  }
}

interface SeenAccount {
  readonly scope: Scope;
  readonly uid: string;
  readonly isOpen: boolean;
  /** It is in the queue, and it is not its turn. */
  readonly waits: boolean;
}

/** Nothing of it is active, and its status names the time that comes next: none has passed since. */
export function isWaitingForItsTime(object: KubeObject, now: Date): boolean {
  const { active = [], nextScheduleTime, conditions = [] } = (object.status ?? {}) as ScheduleStatus;
  const ready = conditions.find(({ type }) => type === "Ready");
  if (ready?.observedGeneration !== object.metadata.generation || active.length > 0) return false;
  const spec = specOf(object);
  if ("problem" in spec || spec.schedule.spec.suspend) return ready?.status === "False";
  return ready?.reason === REASON.scheduled && spec.times.after(now)?.toISOString() === nextScheduleTime;
}

/** In the accounts of all quotas, by the workload's uid. */
async function listAccounts({ quotas, now }: ResyncDeps): Promise<Map<string, SeenAccount[]>> {
  const seen = (await quotas.readAll()).flatMap(({ scope, quota, accounts }) => {
    const isValid = !("problem" in quota);
    const next = new Set(isValid ? granted(accounts, quota, monthOf(now())).map(({ uid }) => uid) : []);
    return Object.entries(accounts.workloads).map(([uid, { open }]) => {
      const waits = isValid && open?.wants !== undefined && !next.has(uid);
      return { scope, uid, isOpen: open !== undefined, waits };
    });
  });
  return Map.groupBy(seen, ({ uid }) => uid);
}

/** Its status is about the spec that it has. */
function isSeen({ metadata, status }: KubeObject): boolean {
  const { conditions = [] } = (status ?? {}) as WorkloadStatus;
  const seen = conditions.find(({ type }) => type === "Ready")?.observedGeneration;
  return metadata.deletionTimestamp === undefined && seen === metadata.generation;
}

/** One after the other, not to be a flood of its own. One that fails keeps none from its turn. @returns why those that failed did */
async function enqueueEach(
  objects: AsyncIterable<KubeObject>,
  isWanted: (object: KubeObject) => boolean,
  enqueue: Enqueue,
): Promise<unknown[]> {
  const failures: unknown[] = [];
  for await (const object of objects)
    if (isWanted(object)) await enqueue(object.metadata).catch((error: unknown) => failures.push(error));
  return failures;
}

function throwFirst(failures: readonly unknown[]): void {
  if (failures.length > 0) throw failures[0];
}

const STALLS: readonly string[] = [
  REASON.agentNotFound,
  REASON.agentNotReady,
  REASON.stepNotTakenUp,
  REASON.stepUndeliverable,
];

/** Every Agent: what is made for it may be due to change. */
export async function enqueueAgents(kube: Kube, enqueue: Enqueue): Promise<void> {
  throwFirst(await enqueueEach(kube.agents.listAll(), () => true, enqueue));
}

/** Workloads that wait for a pipeline or an agent, before their run or in it: looked at when one of these changes. */
export async function enqueueWaiting(kube: Kube, enqueue: Enqueue): Promise<void> {
  throwFirst(await enqueueEach(kube.workloads.listAll(), isWaiting, enqueue));
}

function isWaiting({ status }: KubeObject): boolean {
  const { conditions = [] } = (status ?? {}) as WorkloadStatus;
  return conditions.some(
    ({ type, status: is, reason }) =>
      is === "False" && (type === "Accepted" || (type === "Ready" && STALLS.includes(reason))),
  );
}

/**
 * Nothing can follow: what the spec asks for is done, its status says so, and its artifacts have not expired. Not so a failed run, which
 * is started again when its Workflow is deleted.
 */
export function isOver({ metadata, spec, status }: KubeObject, now: Date): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const { phase, finishedAt, conditions = [] } = (status ?? {}) as WorkloadStatus;
  if (conditions.some(({ type, status: is }) => type === "Accepted" && is === "False")) return false;
  const seen = conditions.find(({ type }) => type === "Ready")?.observedGeneration;
  if ((phase !== "Succeeded" && phase !== "Rejected") || finishedAt === undefined || seen !== metadata.generation)
    return false;
  const parsed = workloadSpecSchema.safeParse(spec).data;
  const keptUntil = new Date(finishedAt).getTime() + parseDuration(parsed?.ttlAfterFinished ?? "30d");
  return now.getTime() < keptUntil || conditions.some(({ reason }) => reason === REASON.expired);
}
