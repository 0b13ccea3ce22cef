import { beforeEach, describe, expect, test } from "vitest";
import { threadKeys, workloadKey } from "../../lib/durable/keys.ts";
import { acceptStep, finishStep, readRecord } from "../../lib/durable/record.ts";
import {
  claimRequests,
  dropSteps,
  markUndeliverable,
  readStates,
  withdrawRequest,
} from "../../lib/durable/requests.ts";
import { NO_USAGE } from "../../lib/step.ts";
import { redisForFile } from "./redis.ts";

const UID = "uid-1";
const T0 = new Date("2026-01-01T10:00:00.000Z");
const LATER = new Date("2026-01-01T10:01:00.000Z");
const FAILED = { outcome: "failed", reason: "Timeout", message: "", artifacts: {}, usage: NO_USAGE } as const;

const own = redisForFile();
beforeEach(() => own.redis.flushall());

const asked = (identity: string, attempt = "wf/1", startAnew = false) => ({ identity, attempt, startAnew });
const claim = (requests: ReturnType<typeof asked>[], now = T0, patienceMs = 30_000) =>
  claimRequests(own.redis, UID, requests, { patienceMs, now }).then((ones) => ones.map(({ identity }) => identity));

describe("claiming requests", () => {
  test("none", async () => expect(await claim([])).toEqual([]));

  test("each is claimed once, however many ask at the same time", async () => {
    const claims = await Promise.all([claim([asked("a"), asked("b")]), claim([asked("b"), asked("c")])]);
    expect(claims.flat().toSorted()).toEqual(["a", "b", "c"]);
    expect(await claim([asked("a"), asked("d")])).toEqual(["d"]);
    expect((await own.redis.smembers(workloadKey(UID))).toSorted()).toEqual(["a", "b", "c", "d"]);
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
    expect(await readStates(own.redis, ["a"])).toMatchObject([{ attempt: "wf/2", requestedAt: LATER }]);
  });

  test("a claim runs out", async () => {
    await claim([asked("a")], T0, 20);
    await expect.poll(() => claim([asked("a")])).toEqual(["a"]);
  });

  test("a new attempt forgets what the last one left, checkpoints too; another claim on the way forgets nothing", async () => {
    await acceptStep(own.redis, "a", T0);
    await finishStep(own.redis, "a", { result: FAILED, now: T0, token: 1, keepMs: 60_000 });
    const keys = threadKeys("a");
    await own.redis.zadd(keys.index, 0, "one");
    await own.redis.hset(keys.checkpoint("one"), "checkpoint", "bytes");
    await own.redis.hset(keys.values, "digest", "bytes");
    await own.redis.set(keys.requested, "wf/1", "PX", 60_000);
    expect(await claim([asked("a", "wf/2", true)])).toEqual([]);
    expect((await readRecord(own.redis, "a"))?.result).toEqual(FAILED);
    await withdrawRequest(own.redis, "a");
    expect(await claim([asked("a", "wf/2", true)], LATER)).toEqual(["a"]);
    expect(await readRecord(own.redis, "a")).toBeUndefined();
    expect(await own.redis.exists(keys.index, keys.checkpoint("one"), keys.values)).toBe(0);
    expect(await readStates(own.redis, ["a"])).toEqual([
      { requested: true, held: false, attempt: "wf/2", requestedAt: LATER },
    ]);
  });

  test("a dead letter is said, and not requested again before its pause is over", async () => {
    await claim([asked("a")]);
    await markUndeliverable(own.redis, "a", "HTTP 503", 60_000);
    expect(await claim([asked("a")])).toEqual([]);
    expect(await readStates(own.redis, ["a"])).toMatchObject([{ undeliverable: "HTTP 503", requested: true }]);
  });
});

test("what is dropped leaves nothing", async () => {
  await claim([asked("a"), asked("b")]);
  await acceptStep(own.redis, "b", T0);
  await dropSteps(own.redis, UID);
  expect(await own.redis.keys("*")).toEqual([]);
});
