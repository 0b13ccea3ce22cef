import { describe, expect, test } from "vitest";
import { SCHEDULE_LABEL, type ScheduleStatus, workloadNameAt } from "../../../crd/agentschedule.ts";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { isWaitingForItsTime } from "../../../functions/reconcile/resync.ts";
import { reconcileSchedule } from "../../../functions/reconcile/schedule/reconcile.ts";
import type { KindClient, Kube, KubeObject, ObjectRef } from "../../../lib/edges/kube.ts";
import { RetryableError, TerminalError } from "../../../lib/errors.ts";
import { createLog } from "../../../lib/log.ts";

const REF = { namespace: "team-a", name: "weekly" };
const at = (time: string): Date => new Date(`2026-11-30T${time}Z`);
/** As a workload of the schedule is named. */
const named = (time: string): string => workloadNameAt(REF.name, at(`${time}:00`));

interface World {
  now: Date;
  readonly objects: Map<string, KubeObject>;
  readonly events: { reason?: string; message?: string; name?: string }[];
  readonly log: string[];
  look(): Promise<Date | undefined>;
  readonly status: ScheduleStatus;
  readonly ready: string | undefined;
  /** Names of its workloads. */
  readonly workloads: string[];
  workload(name: string): KubeObject | undefined;
  edit(spec: object): void;
  /** A workload of the schedule ends, or changes otherwise. */
  set(name: string, status: WorkloadStatus, over?: object): void;
}

/** A schedule of every ten minutes, made at 10:00, with an API server in memory. */
function createWorld(spec: object = {}, over: Partial<KindClient> = {}): World {
  let version = 1;
  const objects = new Map<string, KubeObject>();
  const events: World["events"] = [];
  const log: string[] = [];
  const put = (key: string, object: object): void => {
    const fresh = { finalizers: [], labels: {}, annotations: {}, uid: `uid-${key}`, generation: 1 };
    const creationTimestamp = at("10:00:00").toISOString();
    const { metadata, ...rest } = object as { metadata: object };
    const all = { ...fresh, creationTimestamp, ...metadata, resourceVersion: String(++version) };
    objects.set(key, { ...rest, metadata: all } as unknown as KubeObject);
  };
  const template = { schedule: "*/10 * * * *", workloadTemplate: { spec: { pipeline: "p" } } };
  put("schedule", { kind: "AgentSchedule", metadata: REF, spec: { ...template, ...spec } });
  const never = (): never => {
    throw new Error("reconcile does not do this");
  };
  const client = (own: Partial<KindClient>): KindClient => ({
    get: never,
    list: never,
    listAll: never,
    create: never,
    patch: never,
    merge: never,
    putStatus: never,
    apply: never,
    remove: never,
    ...own,
  });
  const workloads = client({
    get: async ({ name }) => objects.get(name),
    list: async ({ labelSelector }) =>
      [...objects.values()].filter(
        ({ metadata }) => labelSelector === `${SCHEDULE_LABEL}=${metadata.labels[SCHEDULE_LABEL]}`,
      ),
    async create(_namespace, body) {
      const { name } = (body as KubeObject).metadata;
      if (objects.has(name)) return "exists";
      put(name, body);
      return "created";
    },
    async remove({ name }) {
      log.push(`delete ${name}`);
      return objects.delete(name) ? "written" : "gone";
    },
    ...over,
  });
  const schedules = client({
    get: async () => objects.get("schedule"),
    async putStatus(object, status) {
      const now = objects.get("schedule");
      if (now?.metadata.resourceVersion !== object.metadata.resourceVersion) return "conflict";
      put("schedule", { ...now, status });
      return "written";
    },
  });
  const kube = {
    workloads,
    schedules,
    event: async (event: object) => void events.push({ ...event, ...(event as KubeObject).metadata }),
  };
  const world: World = {
    now: at("10:00:00"),
    objects,
    events,
    log,
    look: () =>
      reconcileSchedule(REF, {
        kube: kube as unknown as Kube,
        exclusively: (_key, work) => work(),
        now: () => world.now,
        log: createLog("test", "silent"),
      }),
    get status() {
      return (objects.get("schedule")?.status ?? {}) as ScheduleStatus;
    },
    get ready() {
      return world.status.conditions?.[0]?.reason;
    },
    get workloads() {
      return [...objects.keys()].filter((key) => key !== "schedule");
    },
    workload: (name) => objects.get(name),
    edit(changed) {
      const object = objects.get("schedule");
      if (object)
        put("schedule", {
          ...object,
          spec: { ...template, ...spec, ...changed },
          metadata: { ...object.metadata, generation: (object.metadata.generation ?? 1) + 1 },
        });
    },
    set(name, status, changed = {}) {
      const object = objects.get(name);
      if (object) put(name, { ...object, status, ...changed });
    },
  };
  return world;
}
const succeeded = (time: string, more: WorkloadStatus = {}): WorkloadStatus => ({
  phase: "Succeeded",
  finishedAt: at(time).toISOString(),
  results: "key",
  ...more,
});
/** Looks at these times, "10:05"; the workloads that were there then run until somebody says otherwise. */
async function lookAt(world: World, ...times: string[]): Promise<void> {
  for (const time of times) {
    world.now = at(time.length > 5 ? time : `${time}:00`);
    await world.look();
  }
}

describe("a schedule's time", () => {
  test("makes one workload, however often it is looked at", async () => {
    const world = createWorld();
    await lookAt(world, "10:00:30", "10:09:59", "10:10", "10:10:01", "10:19:59");
    expect(world.workloads).toEqual([named("10:10")]);
    expect(world.workload(named("10:10"))).toMatchObject({
      kind: "AgentWorkload",
      metadata: {
        namespace: "team-a",
        labels: { [SCHEDULE_LABEL]: "weekly" },
        annotations: { "agentic.dev/scheduled-at": "2026-11-30T10:10:00.000Z" },
        ownerReferences: [{ kind: "AgentSchedule", name: "weekly", uid: "uid-schedule", controller: true }],
      },
      spec: { pipeline: "p" },
    });
    expect(world.status).toMatchObject({
      active: [named("10:10")],
      lastScheduleTime: "2026-11-30T10:10:00.000Z",
      nextScheduleTime: "2026-11-30T10:20:00.000Z",
      conditions: [{ type: "Ready", status: "True", reason: "Scheduled", observedGeneration: 1 }],
    });
  });

  test("says when the next comes", async () => {
    const world = createWorld();
    world.now = at("10:03:00");
    expect(await world.look()).toEqual(at("10:10:00"));
  });

  test("gives workloads the template's labels and annotations, and its own above them", async () => {
    const metadata = { labels: { team: "a", [SCHEDULE_LABEL]: "other" }, annotations: { note: "n" } };
    const world = createWorld({ workloadTemplate: { metadata, spec: { budget: { maxUsd: "1" } } } });
    await lookAt(world, "10:10");
    expect(world.workload(named("10:10"))).toMatchObject({
      metadata: { labels: { team: "a", [SCHEDULE_LABEL]: "weekly" }, annotations: { note: "n" } },
      spec: { budget: { maxUsd: "1" } },
    });
  });

  test("a workload that somebody deletes is not made again", async () => {
    const world = createWorld();
    await lookAt(world, "10:10");
    world.objects.delete(named("10:10"));
    await lookAt(world, "10:11");
    expect([world.workloads, world.status.active]).toEqual([[], []]);
  });

  test.each(["Allow", "Replace"])(
    "a process that dies before the status is written does nothing twice: %s",
    async (concurrencyPolicy) => {
      const world = createWorld({ concurrencyPolicy });
      await lookAt(world, "10:10");
      const before = world.objects.get("schedule");
      if (before) world.objects.set("schedule", { ...before, status: {} });
      await lookAt(world, "10:11");
      expect([world.workloads, world.log, world.status.lastScheduleTime]).toEqual([
        [named("10:10")],
        [],
        "2026-11-30T10:10:00.000Z",
      ]);
    },
  );

  test("whose answer was lost is no other's", async () => {
    let lost = true;
    const world: World = createWorld(
      {},
      {
        async create(_namespace, body) {
          const { metadata } = body as KubeObject;
          if (world.objects.has(metadata.name)) return "exists";
          world.objects.set(metadata.name, {
            ...(body as KubeObject),
            metadata: { ...metadata, uid: "u", finalizers: [], resourceVersion: "1" },
          });
          if (lost) throw new RetryableError("ApiUnavailable", "the answer was lost");
          return "created";
        },
      },
    );
    await expect(lookAt(world, "10:10")).rejects.toThrow("the answer was lost");
    expect([world.ready, world.status.lastScheduleTime]).toEqual(["ApiUnavailable", undefined]);
    lost = false;
    await lookAt(world, "10:11");
    expect([world.workloads, world.ready]).toEqual([[named("10:10")], "Scheduled"]);
  });

  test("of several that have passed counts the last", async () => {
    const world = createWorld();
    await lookAt(world, "10:10", "11:47");
    expect(world.workloads).toEqual([named("10:10"), named("11:40")]);
    expect(world.events).toEqual([]);
  });

  test("of more than a hundred is said, once", async () => {
    const world = createWorld({ schedule: "* * * * *" });
    await lookAt(world, "10:01");
    await lookAt(world, "11:42");
    expect(world.events).toEqual([]);
    await lookAt(world, "13:24");
    expect(world.workloads).toEqual([named("10:01"), named("11:42"), named("13:24")]);
    expect(world.events).toEqual([
      expect.objectContaining({ reason: "ManyMissed", message: expect.stringContaining("more than 100 times") }),
    ]);
    expect(JSON.stringify(world.events)).toContain('"kind":"AgentSchedule"');
  });

  test("that is too late is left out, and said", async () => {
    const world = createWorld({ startingDeadlineSeconds: 120 });
    await lookAt(world, "10:12", "10:22:01", "10:23");
    expect([world.workloads, world.ready]).toEqual([[named("10:10")], "TooLate"]);
    const names = world.events.map(({ name }) => name);
    expect([names.length, new Set(names).size]).toEqual([2, 1]);
    await lookAt(world, "10:30");
    expect([world.workloads.length, world.ready]).toEqual([2, "Scheduled"]);
  });

  test("by a clock that is set back makes nothing, until it is later than it was", async () => {
    const world = createWorld();
    await lookAt(world, "12:10", "10:30", "12:09");
    expect(world.workloads).toEqual([named("12:10")]);
    await lookAt(world, "12:20");
    expect(world.workloads).toEqual([named("12:10"), named("12:20")]);
  });

  test.each<[string, object, string, string]>([
    ["no schedule", { schedule: "61 * * * *" }, "InvalidSchedule", "Invalid value for minute"],
    ["no time zone", { timeZone: "Mars/Olympus" }, "InvalidSchedule", "IANA"],
    [
      "no template",
      { workloadTemplate: { spec: { image: "a", pipeline: "b" } } },
      "InvalidSchedule",
      "cannot be combined with pipeline",
    ],
    ["a rest", { suspend: true }, "Suspended", "spec.suspend false"],
  ])("with %s never comes", async (_what, spec, reason, message) => {
    const world = createWorld(spec);
    world.now = at("12:00:00");
    expect(await world.look()).toBeUndefined();
    expect([world.workloads, world.ready, world.status.nextScheduleTime]).toEqual([[], reason, undefined]);
    expect(world.status.conditions?.[0]?.message).toContain(message);
  });

  test("after a rest comes as it would have, the last one", async () => {
    const world = createWorld({ suspend: true });
    await lookAt(world, "12:05");
    world.edit({ suspend: false });
    await lookAt(world, "12:06");
    expect(world.workloads).toEqual([named("12:00")]);
  });

  test("whose workload's name somebody else has is said, and the next is not kept from coming", async () => {
    const world = createWorld();
    await lookAt(world, "10:00");
    world.objects.set(named("10:10"), {
      metadata: { ...REF, name: named("10:10"), uid: "x", labels: {} },
    } as KubeObject);
    await lookAt(world, "10:10");
    expect([world.ready, world.status.active]).toEqual(["NameTaken", []]);
    await lookAt(world, "10:20");
    expect([world.ready, world.status.active]).toEqual(["Scheduled", [named("10:20")]]);
  });

  test("whose workload the API server refuses says why, and is tried again", async () => {
    const world: World = createWorld(
      {},
      { create: async () => Promise.reject(new TerminalError("Forbidden", "exceeded quota")) },
    );
    await expect(lookAt(world, "10:10")).rejects.toThrow("exceeded quota");
    expect([world.ready, world.status.lastScheduleTime]).toEqual(["Forbidden", undefined]);
    expect(world.status.conditions?.[0]?.message).toContain("exceeded quota");
  });

  test("one that is being deleted makes nothing", async () => {
    const world = createWorld();
    const object = world.objects.get("schedule");
    if (object) world.objects.set("schedule", { ...object, metadata: { ...object.metadata, deletionTimestamp: "x" } });
    await lookAt(world, "10:10");
    expect(world.workloads).toEqual([]);
  });

  test("one that was changed meanwhile is looked at again", async () => {
    const world: World = createWorld(
      {},
      {
        async list() {
          world.edit({});
          return [];
        },
      },
    );
    world.now = at("10:05:00");
    expect(await world.look()).toEqual(at("10:05:00"));
  });
});

describe("while the workload before has not ended", () => {
  test("Allow starts another", async () => {
    const world = createWorld();
    await lookAt(world, "10:10", "10:20");
    expect(world.status.active).toEqual([named("10:10"), named("10:20")]);
  });

  test("Forbid waits for it, and starts the last time that has passed then", async () => {
    const world = createWorld({ concurrencyPolicy: "Forbid" });
    await lookAt(world, "10:10", "10:20", "10:30");
    expect([world.workloads, world.ready]).toEqual([[named("10:10")], "WaitsForActive"]);
    expect(world.status.conditions?.[0]?.message).toContain(named("10:10"));
    world.set(named("10:10"), { phase: "AwaitingReview" });
    await lookAt(world, "10:31");
    expect(world.workloads.length).toBe(1);
    world.set(named("10:10"), succeeded("10:32:00"));
    await lookAt(world, "10:33");
    expect([world.workloads, world.ready]).toEqual([[named("10:10"), named("10:30")], "Scheduled"]);
  });

  test("Forbid does not wait for one that is invalid", async () => {
    const world = createWorld({ concurrencyPolicy: "Forbid" });
    await lookAt(world, "10:10");
    world.set(named("10:10"), { phase: "Failed" });
    await lookAt(world, "10:20");
    expect(world.status.active).toEqual([named("10:20")]);
  });

  test("Replace deletes it first", async () => {
    const world = createWorld({ concurrencyPolicy: "Replace" });
    await lookAt(world, "10:10", "10:20");
    expect([world.log, world.workloads, world.status.active]).toEqual([
      [`delete ${named("10:10")}`],
      [named("10:20")],
      [named("10:20")],
    ]);
  });

  test("Replace starts none where it cannot be deleted", async () => {
    const world = createWorld(
      { concurrencyPolicy: "Replace" },
      { remove: async () => Promise.reject(new RetryableError("ApiUnavailable", "away")) },
    );
    await lookAt(world, "10:10");
    await expect(lookAt(world, "10:20")).rejects.toThrow("away");
    expect([world.workloads, world.ready]).toEqual([[named("10:10")], "ApiUnavailable"]);
  });
});

describe("a workload of a schedule", () => {
  const compareWith = (world: World, time: string) =>
    (world.workload(named(time))?.spec as { compareWith?: string })?.compareWith;

  test("is compared with the one before that succeeded", async () => {
    const world = createWorld();
    await lookAt(world, "10:10");
    world.set(named("10:10"), succeeded("10:11:00"));
    await lookAt(world, "10:20");
    world.set(named("10:20"), { phase: "Failed", finishedAt: at("10:21:00").toISOString() });
    await lookAt(world, "10:30");
    expect(["10:10", "10:20", "10:30"].map((time) => compareWith(world, time))).toEqual([
      undefined,
      named("10:10"),
      named("10:10"),
    ]);
    expect(world.status.lastSuccessfulTime).toBe("2026-11-30T10:11:00.000Z");
  });

  test("is not compared with one whose results have expired", async () => {
    const world = createWorld();
    await lookAt(world, "10:10");
    world.set(named("10:10"), { phase: "Succeeded", finishedAt: at("10:11:00").toISOString() });
    await lookAt(world, "10:20");
    expect(compareWith(world, "10:20")).toBeUndefined();
  });

  test("is compared with what its template names", async () => {
    const world = createWorld({ workloadTemplate: { spec: { compareWith: "baseline" } } });
    await lookAt(world, "10:10");
    world.set(named("10:10"), succeeded("10:11:00"));
    await lookAt(world, "10:20");
    expect(compareWith(world, "10:20")).toBe("baseline");
  });
});

describe("history", () => {
  const failed = (time: string, phase: "Failed" | "Rejected" = "Failed"): WorkloadStatus => ({
    phase,
    finishedAt: at(time).toISOString(),
  });
  const TIMES = ["10:10", "10:20", "10:30", "10:40", "10:50"];

  test("keeps the last of those that succeeded, and of those that did not", async () => {
    const world = createWorld({ successfulHistoryLimit: 2, failedHistoryLimit: 1 });
    for (const [index, time] of TIMES.entries()) {
      await lookAt(world, time);
      world.set(
        named(time),
        index % 2 === 0 ? succeeded(`${time}:30`) : failed(`${time}:30`, index === 1 ? "Rejected" : "Failed"),
      );
    }
    await lookAt(world, "10:51");
    expect(world.workloads).toEqual([named("10:30"), named("10:40"), named("10:50")]);
  });

  test("never deletes the one that the next is compared with, nor one that a running one is", async () => {
    const world = createWorld({ successfulHistoryLimit: 0, failedHistoryLimit: 0 });
    await lookAt(world, "10:10");
    world.set(named("10:10"), succeeded("10:10:30"));
    await lookAt(world, "10:20");
    world.set(named("10:20"), failed("10:20:30"));
    await lookAt(world, "10:30");
    expect(world.workloads).toEqual([named("10:10"), named("10:30")]);
    // Both run, each compared with 10:10; then the second succeeds.
    await lookAt(world, "10:40");
    world.set(named("10:40"), succeeded("10:40:30"));
    await lookAt(world, "10:41");
    expect(world.workloads).toEqual([named("10:10"), named("10:30"), named("10:40")]);
    world.set(named("10:30"), succeeded("10:42:00"));
    await lookAt(world, "10:43");
    expect(world.workloads).toEqual([named("10:40")]);
  });

  test("leaves alone what is not its own, and what is going already", async () => {
    const world = createWorld({ successfulHistoryLimit: 0 });
    await lookAt(world, "10:10", "10:20", "10:30");
    // The one that the next is compared with.
    world.set(named("10:30"), succeeded("10:30:30"));
    world.set(named("10:10"), succeeded("10:10:30"), {
      metadata: { ...world.workload(named("10:10"))?.metadata, ownerReferences: [{ uid: "somebody" }] },
    });
    world.set(named("10:20"), succeeded("10:20:30"), {
      metadata: { ...world.workload(named("10:20"))?.metadata, deletionTimestamp: "x" },
    });
    await lookAt(world, "10:31");
    expect(world.log).toEqual([]);
  });

  test("goes on while the schedule rests", async () => {
    const world = createWorld({ successfulHistoryLimit: 1 });
    for (const time of TIMES.slice(0, 2)) {
      await lookAt(world, time);
      world.set(named(time), succeeded(`${time}:30`));
    }
    world.edit({ suspend: true, successfulHistoryLimit: 1 });
    await lookAt(world, "10:31");
    expect(world.workloads).toEqual([named("10:20")]);
  });
});

describe("the resync", () => {
  const isSkipped = (world: World, now: Date): boolean =>
    isWaitingForItsTime(world.objects.get("schedule") as KubeObject, now);

  test.each<[string, (world: World) => unknown, string, boolean]>([
    ["that waits for its time", () => undefined, "10:05:00", true],
    ["whose time has come", () => undefined, "10:10:00", false],
    ["that was changed", (world) => world.edit({}), "10:05:00", false],
    ["by a clock that was set back", () => undefined, "09:05:00", false],
  ])("a schedule %s: skipped is %s", async (_what, change, now, skipped) => {
    const world = createWorld();
    await lookAt(world, "10:01");
    change(world);
    expect(isSkipped(world, at(now))).toBe(skipped);
  });

  test("looks at one that was never looked at, that has a workload, or could not make one", async () => {
    const world = createWorld();
    expect(isSkipped(world, at("10:01:00"))).toBe(false);
    await lookAt(world, "10:10");
    expect(isSkipped(world, at("10:11:00"))).toBe(false);
    const refused = createWorld({}, { create: async () => Promise.reject(new TerminalError("Forbidden", "no")) });
    await lookAt(refused, "10:10").catch(() => undefined);
    expect(isSkipped(refused, at("10:11:00"))).toBe(false);
  });

  test.each([[{ suspend: true }], [{ schedule: "x" }]])("skips one that cannot come: %j", async (spec) => {
    const world = createWorld(spec);
    await lookAt(world, "10:10");
    expect(isSkipped(world, at("12:00:00"))).toBe(true);
  });
});

test("a schedule that is not there is no work", async () => {
  const world = createWorld();
  world.objects.clear();
  expect(await world.look()).toBeUndefined();
  const ref: ObjectRef = REF;
  expect(ref.name).toBe("weekly");
});
