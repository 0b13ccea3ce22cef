import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { threadKeys } from "../../lib/durable/keys.ts";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import { claimRequests, dropSteps } from "../../lib/durable/requests.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import type { StartedStep } from "../../lib/durable/step-store.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { connectRedis, connectRedisWhenever } from "../../lib/edges/redis.ts";
import { createLog } from "../../lib/log.ts";
import { freePort } from "../free-port.ts";
import { startSentinel } from "../redis-sentinel.ts";
import { startRedis, type TestRedis } from "../redis-server.ts";
import { graphOf, runnerOf, SUCCEEDED, stepOf } from "./durable-step.ts";
import { startRedisRelay } from "./redis-relay.ts";

const NOW = new Date("2026-01-01T10:00:00.000Z");
const END = { outcome: "succeeded", digest: "d".repeat(64), finishedAt: NOW } as const;

async function serverWith(...options: string[]): Promise<TestRedis> {
  const server = await startRedis(options);
  onTestFinished(() => server.stop());
  return server;
}
async function connectTo(url: string): Promise<Redis> {
  const redis = await connectRedis(url);
  onTestFinished(() => redis.disconnect());
  return redis;
}
async function start(redis: Redis, identity = "id"): Promise<StartedStep> {
  const begun = await new RedisStepStore(redis).start(identity, { holder: "test", leaseTtlMs: 20_000, now: NOW });
  if (!("started" in begun)) throw new Error("not started");
  onTestFinished(() => begun.started.release());
  return begun.started;
}

describe("a server that cannot be used is refused", () => {
  test.each([
    ["evicts keys", ["--maxmemory-policy", "allkeys-lru"], "set its maxmemory-policy to noeviction"],
    ["evicts keys that expire, leases among them", ["--maxmemory-policy", "volatile-ttl"], "is volatile-ttl"],
    ["is a cluster", ["--cluster-enabled", "yes"], "without cluster mode"],
  ])("one that %s", async (_what, options, message) => {
    const port = options.includes("--cluster-enabled") ? ["--port", String(await freePort())] : [];
    const { url } = await serverWith(...options, ...port);
    const refused = { reason: "UnsupportedRedis", message: expect.stringContaining(message) };
    await expect(connectRedis(url)).rejects.toMatchObject(refused);
    await expect(connectRedisWhenever(url, createLog("test", "silent"))).rejects.toMatchObject(refused);
  });

  test("one that is a Sentinel", async () => {
    const { url, stop } = await startSentinel();
    onTestFinished(stop);
    const refused = { reason: "UnsupportedRedis", message: expect.stringContaining("the address of the primary") };
    await expect.poll(() => connectRedis(url).catch((error: unknown) => error)).toMatchObject(refused);
    await expect(connectRedisWhenever(url, createLog("test", "silent"))).rejects.toMatchObject(refused);
  });
});

describe("a full Redis", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "agentic-full-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("is said as such, is not the step's fault, and the step goes on where it was when there is room", async () => {
    const { url } = await serverWith();
    const [redis, admin] = [await connectTo(url), await connectTo(url)];
    const ran: string[] = [];
    let room = "1";
    const step = stepOf(
      graphOf({
        one: async () => void ran.push("one"),
        two: async () => {
          ran.push("two");
          await admin.config("SET", "maxmemory", room);
          return undefined;
        },
        three: async () => SUCCEEDED,
      }),
      { retryLimit: 0 },
    );
    const run = runnerOf({
      store: new RedisStepStore(redis),
      results: createResultStore(createFolderArtifacts(folder)),
    });
    const full = {
      reason: "StoreFull",
      countsAsAttempt: false,
      message: expect.stringMatching(/raise its maxmemory, or delete workloads/),
    };
    await expect(run(step)).rejects.toMatchObject(full);
    await expect(run(step)).rejects.toMatchObject(full);
    room = "0";
    await admin.config("SET", "maxmemory", room);
    expect(await run(step)).toEqual(SUCCEEDED);
    expect(ran).toEqual(["one", "two", "two"]);
  });

  test("takes the end of a step, and the deletion of a workload: both free memory", async () => {
    const { url } = await serverWith();
    const redis = await connectTo(url);
    const store = new RedisStepStore(redis);
    const asked = ["id", "other"].map((identity) => ({ identity, attempt: "wf/1", startAnew: false }));
    await claimRequests(redis, store, "uid", asked, { patienceMs: 60_000, now: NOW });
    const started = await start(redis);
    await redis.config("SET", "maxmemory", "1");
    await expect(start(redis, "other")).rejects.toMatchObject({ reason: "StoreFull" });
    expect(await started.finish(END, 60_000)).toEqual(END);
    await dropSteps(redis, store, "uid", { keepMs: 60_000, patienceMs: 0 });
    expect(await store.start("other", { holder: "test", leaseTtlMs: 20_000, now: NOW })).toEqual({ dropped: true });
  });
});

describe("a failover", () => {
  test("behind one address: the replica that was the primary is left for the new one, where earlier starts write nothing", async () => {
    const [primary, next] = [await serverWith(), await serverWith()];
    const relay = await startRedisRelay(primary.socket);
    onTestFinished(() => relay.close());
    const redis = await connectTo(relay.url);
    const before = await start(redis);
    await (await connectTo(primary.url)).replicaof("127.0.0.1", 1);
    relay.redirect(next.socket);
    await expect(start(redis, "other")).rejects.toMatchObject({
      reason: "StoreUnavailable",
      countsAsAttempt: false,
      message: expect.stringContaining("read-only replica"),
    });
    const again = () => start(redis, "other").catch((error: unknown) => error);
    await expect.poll(again, { timeout: 10_000 }).toHaveProperty("lost");
    await expect(before.finish(END, 60_000)).rejects.toMatchObject({ reason: "LeaseLost" });
  });

  test("that lost a step's last checkpoint: the next one is refused, for it would lack what it has in common with the lost one", async () => {
    const redis = await connectTo((await serverWith()).url);
    const { checkpointer } = await start(redis);
    const put = (id: string, parent: string, channels: Record<string, string>, changed: readonly string[]) =>
      checkpointer.put(
        { configurable: { thread_id: "id", checkpoint_ns: "", checkpoint_id: parent } },
        {
          ...{ v: 4, id, ts: "", versions_seen: {} },
          channel_values: channels,
          channel_versions: Object.fromEntries(Object.keys(channels).map((channel) => [channel, 1])),
        },
        { source: "loop", step: 0, parents: {} },
        Object.fromEntries(changed.map((channel) => [channel, 1])),
      );
    const latest = async () => {
      const tuple = await checkpointer.getTuple({ configurable: { thread_id: "id", checkpoint_ns: "" } });
      return [tuple?.checkpoint.id, tuple?.checkpoint.channel_values];
    };
    await put("1", "", { a: "A" }, ["a"]);
    await put("2", "1", { a: "A", b: "B" }, ["b"]);
    const { checkpoint, index } = threadKeys("id");
    await redis.multi().del(checkpoint("\x002")).zrem(index, "\x002").exec();
    await expect(put("3", "2", { a: "A", b: "B", c: "C" }, ["c"])).rejects.toMatchObject({
      reason: "StoreUnavailable",
      countsAsAttempt: false,
      message: expect.stringContaining("lost the checkpoint"),
    });
    expect(await latest()).toEqual(["1", { a: "A" }]);
    await put("4", "2", { d: "D" }, ["d"]);
    expect(await latest()).toEqual(["4", { d: "D" }]);
  });
});
