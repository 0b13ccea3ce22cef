import { beforeEach, describe, expect, test } from "vitest";
import { droppedKey, threadKeys, workloadKey } from "../../lib/durable/keys.ts";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import {
  claimRequests,
  dropSteps,
  isWorkedOn,
  markUndeliverable,
  readStates,
  recordResult,
  withdrawRequest,
} from "../../lib/durable/requests.ts";
import type { StartedStep, StepEnd } from "../../lib/durable/step-store.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { redisForFile } from "./redis.ts";
import { startRedisRelay } from "./redis-relay.ts";

const UID = "uid-1";
const T0 = new Date("2026-01-01T10:00:00.000Z");
const LATER = new Date("2026-01-01T10:01:00.000Z");
const FAILED: StepEnd = { outcome: "failed", digest: "f".repeat(64), finishedAt: T0 };

const own = redisForFile();
let store: RedisStepStore;
beforeEach(async () => {
  await own.redis.flushall();
  store = new RedisStepStore(own.redis);
});

const asked = (identity: string, attempt = "wf/1", startAnew = false) => ({ identity, attempt, startAnew });
const claim = (requests: ReturnType<typeof asked>[], now = T0, patienceMs = 30_000, redis = own.redis) =>
  claimRequests(redis, store, UID, requests, { patienceMs, now }).then((ones) => ones.map(({ identity }) => identity));
const stateOf = async (identity: string) => (await readStates(own.redis, [identity]))[0];
async function start(identity: string, leaseTtlMs = 20_000): Promise<StartedStep> {
  const begun = await store.start(identity, { holder: "test", leaseTtlMs, now: T0 });
  if (!("started" in begun)) throw new Error("not started");
  return begun.started;
}

describe("claiming requests", () => {
  test("none", async () => expect(await claim([])).toEqual([]));

  test("each is claimed once, however many ask at the same time", async () => {
    const claims = await Promise.all([claim([asked("a"), asked("b")]), claim([asked("b"), asked("c")])]);
    expect(claims.flat().toSorted()).toEqual(["a", "b", "c"]);
    expect(await claim([asked("a"), asked("d")])).toEqual(["d"]);
    expect((await own.redis.smembers(workloadKey(UID))).toSorted()).toEqual(["a", "b", "c", "d"]);
  });

  test("two nodes that share a step get one request", async () => {
    expect(await claim([asked("a"), asked("a")])).toEqual(["a"]);
  });

  test("a workload is worked on from the request of a step until that has ended", async () => {
    const isBusy = () => isWorkedOn(own.redis, UID);
    expect(await isBusy()).toBe(false);
    await claim([asked("a"), asked("b")]);
    expect(await isBusy()).toBe(true);
    await withdrawRequest(own.redis, "b");
    const started = await start("a");
    await own.redis.unlink(threadKeys("a").requested);
    expect(await isBusy()).toBe(true);
    await started.finish(FAILED, 60_000);
    expect(await isBusy()).toBe(false);
  });

  test("a claim says for which attempt, and since when; a repeated one of the same attempt waits since the first", async () => {
    await claim([asked("a")]);
    await withdrawRequest(own.redis, "a");
    expect(await claim([asked("a")], LATER)).toEqual(["a"]);
    expect(await readStates(own.redis, ["a", "x"])).toEqual([
      { requested: true, held: false, attempt: "wf/1", requestedAt: T0 },
      { requested: false, held: false },
    ]);
    await withdrawRequest(own.redis, "a");
    await claim([asked("a", "wf/2")], LATER);
    expect(await stateOf("a")).toMatchObject({ attempt: "wf/2", requestedAt: LATER });
  });

  test("a claim runs out", async () => {
    await claim([asked("a")], T0, 20);
    await expect.poll(() => claim([asked("a")])).toEqual(["a"]);
  });

  test("a claim whose answer was lost is still one's own when it is sent again", async () => {
    await claim([asked("warm")]);
    const relay = await startRedisRelay(own.server.socket);
    const redis = await connectRedis(relay.url);
    // The answer to the set of the workload's steps goes through, that to the claim does not.
    const callBuffer = redis.callBuffer.bind(redis);
    let scripts = 0;
    redis.callBuffer = ((...args: [string, ...string[]]) => {
      if (++scripts === 2) relay.loseNextAnswer();
      return callBuffer(...args);
    }) as typeof redis.callBuffer;
    expect(await claim([asked("a")], T0, 30_000, redis)).toEqual(["a"]);
    redis.disconnect();
    await relay.close();
  });

  test("a new attempt forgets what the last one left, checkpoints too; another claim on the way forgets nothing", async () => {
    const started = await start("a");
    const { checkpointer } = started;
    const config = { configurable: { thread_id: "a", checkpoint_ns: "" } };
    const checkpoint = {
      v: 4,
      id: "1",
      ts: "",
      channel_values: { n: 1 },
      channel_versions: { n: 1 },
      versions_seen: {},
    };
    await checkpointer.put(config, checkpoint, { source: "loop", step: 0, parents: {} }, { n: 1 });
    const keys = threadKeys("a");
    await own.redis.set(keys.requested, "another claim", "PX", 60_000);
    expect(await claim([asked("a", "wf/2", true)])).toEqual([]);
    expect(await checkpointer.getTuple(config)).toBeDefined();
    await withdrawRequest(own.redis, "a");
    expect(await claim([asked("a", "wf/2", true)], LATER)).toEqual(["a"]);
    expect((await own.redis.keys("agentic:{a}:*")).toSorted()).toEqual([keys.record, keys.requested].toSorted());
    expect(await stateOf("a")).toEqual({ requested: true, held: false, attempt: "wf/2", requestedAt: LATER });
    await expect(started.finish(FAILED, 60_000)).rejects.toMatchObject({ reason: "LeaseLost" });
  });

  test("an attempt that starts anew, for its result is lost, has waited since its first request all the same", async () => {
    await claim([asked("a")]);
    await (await start("a")).finish({ ...FAILED, outcome: "succeeded" }, 60_000);
    await withdrawRequest(own.redis, "a");
    await claim([asked("a", "wf/1", true)], LATER);
    expect(await stateOf("a")).toEqual({ requested: true, held: false, attempt: "wf/1", requestedAt: T0 });
    expect(await own.redis.pttl(threadKeys("a").record)).toBe(-1);
  });
});

describe("a dead letter", () => {
  test("is noted, and the step not requested again before the pause is over", async () => {
    await claim([asked("a")]);
    // It comes when the Broker has given up, which is later than a request is waited for.
    await own.redis.del(threadKeys("a").requested);
    expect(await markUndeliverable(own.redis, "a", "HTTP 503", 60_000)).toBe(true);
    expect(await claim([asked("a")])).toEqual([]);
    expect(await stateOf("a")).toMatchObject({ undeliverable: "HTTP 503", requested: true });
  });

  test("of a step that was never requested creates nothing", async () => {
    expect(await markUndeliverable(own.redis, "a", "HTTP 503", 60_000)).toBe(false);
    expect(await own.redis.keys("*")).toEqual([]);
  });
});

describe("the result of an agent that keeps no records", () => {
  const record = (digest: string, now = T0) =>
    recordResult(own.redis, "a", { outcome: "succeeded", digest, now, keepMs: 60_000 });
  const FIRST = { outcome: "succeeded", digest: "1".repeat(64), finishedAt: T0 };

  test("is recorded beside its request, and kept for as long as told; the first one stands", async () => {
    await claim([asked("a")]);
    expect(await record(FIRST.digest)).toEqual(FIRST);
    expect(await record("2".repeat(64), LATER)).toEqual(FIRST);
    expect(await stateOf("a")).toEqual({
      ended: FIRST,
      attempt: "wf/1",
      requestedAt: T0,
      requested: false,
      held: false,
    });
    expect(await own.redis.pttl(threadKeys("a").record)).toBeGreaterThan(0);
    expect(await store.start("a", { holder: "test", leaseTtlMs: 20_000, now: T0 })).toEqual({ ended: FIRST });
  });

  test("does not count while an instance works on the step", async () => {
    const started = await start("a");
    expect(await record(FIRST.digest)).toBe("held");
    expect((await stateOf("a"))?.ended).toBeUndefined();
    expect(await started.finish(FAILED, 60_000)).toEqual(FAILED);
    expect(await record(FIRST.digest)).toEqual(FAILED);
  });
});

describe("dropping a workload's steps", () => {
  const drop = (patienceMs = 10_000) => dropSteps(own.redis, store, UID, { keepMs: 60_000, patienceMs });
  const ttls = async () => {
    const keys = await own.redis.keys("*");
    return Promise.all(keys.map((key) => own.redis.pttl(key)));
  };

  test("leaves marks that expire; nothing can be written to them, started or requested", async () => {
    await claim([asked("a"), asked("b"), asked("c")]);
    const started = await start("b", 1000);
    const config = { configurable: { thread_id: "b", checkpoint_ns: "" } };
    const checkpoint = { v: 4, id: "1", ts: "", channel_values: {}, channel_versions: {}, versions_seen: {} };
    const put = () => started.checkpointer.put(config, checkpoint, { source: "loop", step: 0, parents: {} }, {});
    await put();
    await (await start("c")).finish(FAILED, 60_000);
    await drop();
    const marks = ["a", "b", "c"].map((identity) => threadKeys(identity).record);
    const kept = [...marks, droppedKey(UID)].toSorted();
    expect((await own.redis.keys("*")).toSorted()).toEqual(kept);
    await expect(put()).rejects.toMatchObject({ reason: "LeaseLost" });
    await expect(started.finish(FAILED, 60_000)).rejects.toMatchObject({ reason: "LeaseLost" });
    await expect(started.countFailure(2)).rejects.toMatchObject({ reason: "LeaseLost" });
    await started.release();
    for (const identity of ["a", "b", "c"]) {
      const request = { holder: "test", leaseTtlMs: 20_000, now: T0 };
      expect(await store.start(identity, request)).toEqual({ dropped: true });
      expect(await store.start(identity, { ...request, lostResult: FAILED.digest })).toEqual({ dropped: true });
      expect(await markUndeliverable(own.redis, identity, "HTTP 503", 60_000)).toBe(false);
      const late = { outcome: "succeeded", digest: "1".repeat(64), now: T0, keepMs: 600_000 } as const;
      expect(await recordResult(own.redis, identity, late)).toBe("dropped");
    }
    await store.forget(["a", "b", "c"]);
    // A process that decided before the deletion and wakes up after it.
    expect(await claim([asked("a"), asked("new")])).toEqual([]);
    expect((await own.redis.keys("*")).toSorted()).toEqual(kept);
    for (const ttl of await ttls()) {
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(60_000);
    }
  });

  test("refuses a claim whose process slept between its two round trips", async () => {
    await claim([asked("a")]);
    await withdrawRequest(own.redis, "a");
    const redis = await connectRedis(own.server.url);
    const answers = redis.callBuffer.bind(redis);
    let scripts = 0;
    redis.callBuffer = (async (...args: [string, ...string[]]) => {
      if (++scripts === 2) await drop();
      return answers(...args);
    }) as typeof redis.callBuffer;
    expect(await claim([asked("a")], T0, 30_000, redis)).toEqual([]);
    redis.disconnect();
    expect((await own.redis.keys("*")).toSorted()).toEqual([droppedKey(UID), threadKeys("a").record].toSorted());
  });

  test("waits until whoever works on one has stopped, which is told within a third of its lease", async () => {
    await claim([asked("a")]);
    const started = await start("a", 3000);
    const order: string[] = [];
    started.lost.addEventListener("abort", async () => {
      await own.redis.set("artifact", "written while it held the lease");
      order.push("stopped");
      await started.release();
    });
    await drop();
    expect([...order, "dropped"]).toEqual(["stopped", "dropped"]);
  });

  test("does not wait for ever, and goes on when it is asked again", async () => {
    await claim([asked("a"), asked("b")]);
    await own.redis.set(threadKeys("b").lease, "token somebody");
    await expect(drop(200)).rejects.toMatchObject({
      reason: "StepsHeld",
      message: expect.stringContaining("1 of the workload's steps"),
    });
    expect(await store.start("a", { holder: "test", leaseTtlMs: 20_000, now: T0 })).toEqual({ dropped: true });
    await own.redis.del(threadKeys("b").lease);
    await drop(0);
  });

  test("of a workload that never requested any leaves nothing", async () => {
    await drop();
    expect(await own.redis.keys("*")).toEqual([]);
  });
});

test("any number of states takes two round trips: ended ones are asked about once", async () => {
  await claim([asked("a"), asked("b")]);
  await (await start("a")).finish(FAILED, 60_000);
  await own.redis.config("RESETSTAT");
  await readStates(own.redis, ["a", "b"]);
  const stats = await own.redis.info("commandstats");
  expect(/cmdstat_hmget:calls=(\d+)/.exec(stats)?.[1]).toBe("2");
  expect(/cmdstat_exists:calls=(\d+)/.exec(stats)?.[1]).toBe("2");
});
