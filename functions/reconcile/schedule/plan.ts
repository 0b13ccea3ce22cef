import type { AgentSchedule, ScheduleStatus } from "../../../crd/agentschedule.ts";
import type { Times } from "../../../crd/cron.ts";
import type { Observed, ScheduledWorkload } from "./observe.ts";

/** Times that have passed are counted up to this; then there are just too many. */
const MANY_MISSED = 100;

export type Action =
  | { readonly type: "delete"; readonly name: string; readonly why: "History" | "Replaced" }
  | { readonly type: "create"; readonly time: Date; readonly compareWith?: string };

export interface Plan {
  readonly actions: readonly Action[];
  /** Of these ends the time that has come waits (Forbid). */
  readonly waitsFor: readonly string[];
  /** For this time it is too late (startingDeadlineSeconds). */
  readonly tooLateFor?: Date;
  /** More times have passed than are counted, since this one. */
  readonly manyMissedSince?: Date;
}

/** What must happen next, as with a CronJob. Pure. */
export function plan({ object, spec, workloads }: Observed, now: Date): Plan {
  const nothing: Plan = { actions: [], waitsFor: [] };
  if ("problem" in spec) return nothing;
  const { schedule, times } = spec;
  const started = schedule.spec.suspend
    ? nothing
    : planStart(schedule, times, workloads, startedUntil(object, workloads), now);
  const going = new Set(started.actions.flatMap((action) => (action.type === "delete" ? [action.name] : [])));
  const left = workloads.filter(({ name }) => !going.has(name));
  return { ...started, actions: [...started.actions, ...planHistory(schedule, left)] };
}

/** The last time that has had its workload, whether the status says so yet; before the first, the schedule's own beginning. */
export function startedUntil({ metadata, status }: Observed["object"], workloads: readonly ScheduledWorkload[]): Date {
  const { lastScheduleTime } = (status ?? {}) as ScheduleStatus;
  const known = [...workloads.map(({ time }) => time), ...(lastScheduleTime ? [new Date(lastScheduleTime)] : [])];
  const last = Math.max(...known.map((time) => time.getTime()));
  return known.length > 0 ? new Date(last) : new Date(metadata.creationTimestamp);
}

function planStart(
  { spec }: AgentSchedule,
  times: Times,
  workloads: readonly ScheduledWorkload[],
  from: Date,
  now: Date,
): Plan {
  const time = times.lastUntil(now);
  const nothing: Plan = { actions: [], waitsFor: [] };
  if (!time || time <= from) return nothing;
  const { startingDeadlineSeconds, concurrencyPolicy, workloadTemplate } = spec;
  const late = now.getTime() - time.getTime();
  if (startingDeadlineSeconds !== undefined && late > startingDeadlineSeconds * 1000)
    return { ...nothing, tooLateFor: time };
  const active = workloads.filter((one) => !hasEnded(one)).map(({ name }) => name);
  if (concurrencyPolicy === "Forbid" && active.length > 0) return { ...nothing, waitsFor: active };
  const replaced = concurrencyPolicy === "Replace" ? active : [];
  const compareWith = workloadTemplate.spec.compareWith ?? lastWithResults(workloads)?.name;
  return {
    actions: [
      ...replaced.map((name) => ({ type: "delete" as const, name, why: "Replaced" as const })),
      { type: "create", time, ...(compareWith === undefined ? {} : { compareWith }) },
    ],
    waitsFor: [],
    ...(isMany(times, from, time) ? { manyMissedSince: from } : {}),
  };
}

function isMany(times: Times, from: Date, until: Date): boolean {
  let at: Date | undefined = from;
  for (let count = 0; count <= MANY_MISSED && at; count++) {
    at = times.after(at);
    if (!at || at >= until) return false;
  }
  return true;
}

/** The oldest that ended go, but for those that others are compared with, or will be. */
function planHistory(
  { spec: { successfulHistoryLimit, failedHistoryLimit } }: AgentSchedule,
  workloads: readonly ScheduledWorkload[],
): Action[] {
  const needed = new Set([
    lastWithResults(workloads)?.name,
    ...workloads.filter((one) => !hasEnded(one)).map(({ compareWith }) => compareWith),
  ]);
  const beyond = (ended: readonly ScheduledWorkload[], limit: number): readonly ScheduledWorkload[] =>
    ended.slice(0, Math.max(ended.length - limit, 0));
  return [
    ...beyond(
      workloads.filter(({ phase }) => phase === "Succeeded"),
      successfulHistoryLimit,
    ),
    ...beyond(
      workloads.filter(({ phase }) => phase === "Failed" || phase === "Rejected"),
      failedHistoryLimit,
    ),
  ].flatMap(({ name }) => (needed.has(name) ? [] : [{ type: "delete", name, why: "History" } as const]));
}

function lastWithResults(workloads: readonly ScheduledWorkload[]): ScheduledWorkload | undefined {
  return workloads.findLast(({ hasResults }) => hasResults);
}

/** One that is invalid, too: it would keep the next from starting for good. */
export function hasEnded({ phase }: ScheduledWorkload): boolean {
  return phase === "Succeeded" || phase === "Failed" || phase === "Rejected";
}
