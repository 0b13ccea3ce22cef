import { beforeEach, expect, test } from "vitest";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import type { StepEnd } from "../../lib/durable/step-store.ts";
import { redisForFile } from "./redis.ts";

const own = redisForFile();
let store: RedisStepStore;
beforeEach(async () => {
  await own.redis.flushall();
  store = new RedisStepStore(own.redis);
});

const NOW = new Date("2026-01-01T10:00:00.000Z");
const END: StepEnd = { outcome: "succeeded", digest: "a".repeat(64), finishedAt: NOW };
const request = { holder: "test", leaseTtlMs: 60_000, now: NOW };

test("only the result that was found lost is made again", async () => {
  const begun = await store.start("id", request);
  if (!("started" in begun)) throw new Error("not started");
  await begun.started.finish(END, 60_000);
  expect(await store.start("id", { ...request, lostResult: "b".repeat(64) })).toEqual({ ended: END });
  expect(await store.start("id", { ...request, lostResult: END.digest })).toHaveProperty("started");
});

test("a step that is forgotten can be started at once: whoever works on it has lost its lease", async () => {
  await store.start("id", request);
  expect(await store.start("id", request)).toEqual({ heldBy: "test" });
  await store.forget(["id"]);
  expect(await store.start("id", request)).toHaveProperty("started");
});
