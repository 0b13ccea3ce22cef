import { type ScheduleStatus, workloadNameAt } from "../../../crd/agentschedule.ts";
import { REASON } from "../reasons.ts";
import type { Observed } from "./observe.ts";
import { hasEnded, type Plan, startedUntil } from "./plan.ts";

/** What kept a workload from being made. */
export interface StartProblem {
  readonly reason: string;
  readonly message: string;
}

/** What the status says, once the plan is done. Pure. */
export function statusOf(
  { object, spec, workloads }: Observed,
  { actions, waitsFor, tooLateFor }: Plan,
  problem: StartProblem | undefined,
  now: Date,
): ScheduleStatus {
  const { metadata } = object;
  const before = (object.status ?? {}) as ScheduleStatus;
  const created = actions.flatMap((action) => (action.type === "create" && !problem ? [action.time] : []));
  const deleted = new Set(actions.flatMap((action) => (action.type === "delete" ? [action.name] : [])));
  const active = workloads.filter((one) => !hasEnded(one) && !deleted.has(one.name)).map(({ name }) => name);
  const started = created[0] ?? startedUntil(object, workloads);
  const hasStarted = created.length > 0 || workloads.length > 0 || before.lastScheduleTime !== undefined;
  const succeeded = [
    ...workloads.flatMap(({ phase, finishedAt }) => (phase === "Succeeded" && finishedAt ? [finishedAt] : [])),
    ...(before.lastSuccessfulTime ? [new Date(before.lastSuccessfulTime)] : []),
  ].toSorted((a, b) => a.getTime() - b.getTime());
  const suspended = "schedule" in spec && spec.schedule.spec.suspend;
  const next = "times" in spec && !suspended ? spec.times.after(now) : undefined;
  const say = (status: "True" | "False", reason: string, message: string): ScheduleStatus["conditions"] => {
    const known = before.conditions?.find(({ type }) => type === "Ready");
    const since = known?.status === status ? known.lastTransitionTime : `${now.toISOString().slice(0, 19)}Z`;
    const { generation } = metadata;
    const observed = generation === undefined ? {} : { observedGeneration: generation };
    return [
      { type: "Ready", status, reason, message: message.slice(0, 32_000), lastTransitionTime: since, ...observed },
    ];
  };
  const conditions = (): ScheduleStatus["conditions"] => {
    if ("problem" in spec) return say("False", REASON.invalidSchedule, spec.problem);
    if (problem) return say("False", problem.reason, problem.message);
    if (suspended)
      return say(
        "False",
        REASON.suspended,
        "spec.suspend is true: no workload starts. Resume with: spec.suspend false",
      );
    if (waitsFor.length > 0)
      return say(
        "True",
        REASON.waitsForActive,
        `the next workload waits until these have ended (Forbid): ${waitsFor.join(", ")}`,
      );
    if (tooLateFor)
      return say(
        "True",
        REASON.tooLate,
        `${tooLateFor.toISOString()} passed without a workload: startingDeadlineSeconds are over`,
      );
    return say("True", REASON.scheduled, "a workload starts at each time of the schedule");
  };
  return {
    active: [...active, ...created.map((time) => workloadNameAt(metadata.name, time))],
    ...(hasStarted ? { lastScheduleTime: started.toISOString() } : {}),
    ...(succeeded.length > 0 ? { lastSuccessfulTime: succeeded.at(-1)?.toISOString() } : {}),
    ...(next ? { nextScheduleTime: next.toISOString() } : {}),
    ...(conditions() ? { conditions: conditions() } : {}),
  };
}
