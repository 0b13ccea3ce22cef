import { type Mutation, mutationsOf } from "./mutation.ts";

const SCHEDULE = ["test/unit/reconcile/schedule.test.ts"];
const APP = ["test/unit/reconcile/app.test.ts"];
const CRD = ["test/unit/crd.test.ts"];

/** What starts when, and what is kept. */
export const SCHEDULE_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("functions/reconcile/schedule/plan.ts", SCHEDULE, [
    {
      why: "a time has one workload",
      find: "  if (!time || time <= from) return nothing;\n",
      replace: "  if (!time) return nothing;\n",
    },
    {
      why: "a workload that is there is of a time that has had its own",
      find: "const known = [...workloads.map(({ time }) => time), ",
      replace: "const known = [",
    },
    {
      why: "a workload that was deleted is not made again",
      find: "...(lastScheduleTime ? [new Date(lastScheduleTime)] : [])];",
      replace: "];",
    },
    {
      why: "what is too late does not start",
      find: "  if (startingDeadlineSeconds !== undefined && late",
      replace: "  if (late > 1e15 && late",
    },
    { why: "suspend starts nothing", find: "schedule.spec.suspend\n    ? nothing", replace: "false\n    ? nothing" },
    {
      why: "Forbid waits for what is active",
      find: '  if (concurrencyPolicy === "Forbid" && active.length > 0)',
      replace: "  if (false)",
    },
    { why: "Replace deletes what is active", find: 'concurrencyPolicy === "Replace" ? active : []', replace: "[]" },
    {
      why: "the run that the next is compared with is kept",
      find: "    lastWithResults(workloads)?.name,\n    ...workloads",
      replace: "    ...workloads",
    },
    {
      why: "the run that a running one is compared with is kept",
      find: "    ...workloads.filter((one) => !hasEnded(one)).map(({ compareWith }) => compareWith),\n",
      replace: "",
    },
    {
      why: "an invalid workload keeps no other from starting",
      find: ' || phase === "Failed" || phase === "Rejected";\n',
      replace: ' || phase === "Rejected";\n',
    },
    {
      why: "many missed times are counted up to a limit",
      find: "count <= MANY_MISSED && at",
      replace: "count < 2 && at",
    },
  ]),
  ...mutationsOf("functions/reconcile/schedule/observe.ts", SCHEDULE, [
    {
      why: "what is not the schedule's own is left alone",
      find: "isOwnedBy(one, object) && one.metadata",
      replace: "one.metadata",
    },
    {
      why: "what is going is not deleted again",
      find: "isOwnedBy(one, object) && one.metadata.deletionTimestamp === undefined",
      replace: "isOwnedBy(one, object)",
    },
    {
      why: "a schedule that is being deleted makes nothing",
      find: "if (!object || object.metadata.deletionTimestamp !== undefined) return undefined;",
      replace: "if (!object) return undefined;",
    },
  ]),
  ...mutationsOf("functions/reconcile/schedule/reconcile.ts", SCHEDULE, [
    {
      why: "nothing starts in place of what could not be deleted",
      find: '    if (action.type === "create" && problem) continue;\n',
      replace: "",
    },
    {
      why: "somebody else's workload is not taken for the schedule's",
      find: "  if (!there || isOwnedBy(there, object)) return undefined;\n",
      replace: "  if (there) return undefined;\n",
    },
    {
      why: "a status is of the schedule that was seen",
      find: '  if (written === "conflict") return now;\n',
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/schedule/status.ts", SCHEDULE, [
    {
      why: "a workload that could not be made is not one that was",
      find: 'action.type === "create" && !problem ? [action.time] : []',
      replace: 'action.type === "create" ? [action.time] : []',
    },
  ]),
  ...mutationsOf(
    "functions/reconcile/resync.ts",
    [...SCHEDULE, ...APP],
    [
      {
        why: "only a time before the next resync keeps an instance awake",
        find: "at && at.getTime() - now.getTime() < AHEAD_MS",
        replace: "at",
      },
      {
        why: "a suspended schedule keeps nobody awake",
        find: '"problem" in spec || spec.schedule.spec.suspend ? undefined : spec.times',
        replace: '"problem" in spec ? undefined : spec.times',
      },
      {
        why: "the resync looks at a schedule that was changed",
        find: "ready?.observedGeneration !== object.metadata.generation || active",
        replace: "!ready || active",
      },
      {
        why: "the resync looks at a schedule whose workload may have ended",
        find: " || active.length > 0) return false;",
        replace: ") return false;",
      },
      {
        why: "the resync looks at a schedule whose time has come",
        find: " && spec.times.after(now)?.toISOString() === nextScheduleTime;",
        replace: ";",
      },
    ],
  ),
  ...mutationsOf("functions/reconcile/index.ts", APP, [
    {
      why: "an instance stays awake until a schedule's time",
      find: "    await pause(Math.max(ms, 0), deps.draining)",
      replace: "    await pause(0, deps.draining)",
    },
    {
      why: "a schedule is looked at when its time comes between two resyncs",
      find: "requeue(scheduleKey(ref), at, deps.now()),",
      replace: "undefined,",
    },
    {
      why: "an instance that drains waits for no schedule",
      find: "pause(Math.max(ms, 0), deps.draining)",
      replace: "pause(Math.max(ms, 0), new AbortController().signal)",
    },
  ]),
  ...mutationsOf("crd/cron.ts", CRD, [
    { why: "a schedule has five fields", find: '{ mode: "5-part", ', replace: "{ " },
    { why: "a time zone is one", find: "  if (!isTimeZone(timeZone))\n", replace: "  if (false)\n" },
    {
      why: "a schedule comes at some time",
      find: "  if (!times.after(new Date(0))) return",
      replace: '  if (timeZone === "") return',
    },
  ]),
];
