import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import { createHostTurns, type HostTurn } from "../../lib/durable/host-turns.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { createRedisLogins } from "../../lib/edges/tenant-login/redis.ts";
import { redisForFile } from "./redis.ts";

const own = redisForFile();
const FAST = { turn: 600, poll: 20, patience: 400 };
const forever = new AbortController().signal;
const workers: ChildProcess[] = [];
const connections: Redis[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) worker.kill("SIGKILL");
  for (const redis of connections.splice(0)) redis.disconnect();
});

/** As another instance: on a connection of its own. */
async function instance(times = FAST) {
  const redis = await connectRedis(own.server.url);
  connections.push(redis);
  return createHostTurns(redis, own.server.url, times);
}
const worker = async (host: string, until: "asks" | "has it") => {
  const script = fileURLToPath(new URL("./host-turns-worker.ts", import.meta.url));
  const child = spawn(process.execPath, [script, own.server.url, host], { stdio: ["ignore", "pipe", "inherit"] });
  workers.push(child);
  for (let said = ""; !said.includes(until); ) said += String((await once(child.stdout, "data"))[0]);
  return child;
};
/** Milliseconds until the turn is there. */
const waited = async (turn: Promise<HostTurn>): Promise<number> => {
  const from = performance.now();
  await (await turn).release(0);
  return performance.now() - from;
};

describe("turns at a host", () => {
  test("are one at a time over all instances, with the pause between them, in the order in which they were asked for", async () => {
    const instances = await Promise.all([instance(), instance(), instance()]);
    const visits: { at: number; from: number; to: number }[] = [];
    const all = Array.from({ length: 9 }, async (_, at) => {
      await sleep(at * 30);
      const turn = await instances[at % 3]?.acquire("busy.test", forever);
      const from = performance.now();
      await sleep(20);
      visits.push({ at, from, to: performance.now() });
      await turn?.release(100);
    });
    await Promise.all(all);
    expect(visits.map(({ at }) => at)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const [index, { from }] of visits.entries()) {
      const before = visits[index - 1];
      if (before) expect(from - before.to).toBeGreaterThanOrEqual(95);
    }
  });

  test("at two hosts are two, and a port of its own is a host of its own", async () => {
    const turns = await instance();
    const [a, b, c] = await Promise.all(
      ["a.test", "b.test", "a.test:8080"].map((host) => turns.acquire(host, forever)),
    );
    for (const turn of [a, b, c]) await turn?.release(0);
  });

  test("last as long as they are renewed, and are lost to whoever takes the key", async () => {
    const turns = await instance();
    const turn = await turns.acquire("long.test", forever);
    await sleep(3 * FAST.turn);
    expect(turn.lost.aborted).toBe(false);
    const next = waited(turns.acquire("long.test", forever));
    await own.redis.set("agentic:host:{long.test}:turn", "another", "PX", 200);
    await expect.poll(() => turn.lost.aborted).toBe(true);
    // What is another's is not ended.
    await own.redis.set("agentic:host:{long.test}:turn", "another", "PX", 200);
    await turn.release(0);
    expect(await own.redis.get("agentic:host:{long.test}:turn")).toBe("another");
    await next;
  });

  test("of an instance that is killed end in seconds", async () => {
    const killed = await worker("killed.test", "has it");
    killed.kill("SIGKILL");
    const ms = await waited((await instance()).acquire("killed.test", forever));
    expect(ms).toBeGreaterThan(1_000);
    expect(ms).toBeLessThan(8_000);
  });

  test("pass over whoever waited and was killed, or waits no longer", async () => {
    const turns = await instance();
    const first = await turns.acquire("queue.test", forever);
    const killed = await worker("queue.test", "asks");
    await expect.poll(() => own.redis.zcard("agentic:host:{queue.test}:waiting")).toBe(1);
    killed.kill("SIGKILL");
    const stop = new AbortController();
    const stopped = turns.acquire("queue.test", stop.signal);
    await expect.poll(() => own.redis.zcard("agentic:host:{queue.test}:waiting")).toBe(2);
    stop.abort(new Error("enough"));
    await expect(stopped).rejects.toThrow("enough");
    await first.release(0);
    expect(await waited(turns.acquire("queue.test", forever))).toBeLessThan(2_000);
  });

  test("leave nothing behind in Redis", async () => {
    const turns = await instance();
    await (await turns.acquire("clean.test", forever)).release(50);
    await expect.poll(() => own.redis.keys("agentic:host:{clean.test}*")).toEqual([]);
  });

  test("are refused while Redis is away, without a word of it at their end", async () => {
    const turns = await instance();
    const turn = await turns.acquire("away.test", forever);
    await own.server.kill();
    await turn.release(0);
    await expect(turns.acquire("away.test", forever)).rejects.toMatchObject({ reason: "StoreUnavailable" });
    await own.server.restart();
  });

  test("of a namespace's own agents are the namespace's: its login reaches no others", async () => {
    const logins = createRedisLogins(own.redis, "k".repeat(64));
    await logins.ensure("team-a");
    const { REDIS_URL: url = "" } = logins.settingsFor("team-a", { REDIS_URL: "redis://agents:x@redis.example:6379" });
    const { username, password } = new URL(url);
    const redis = new Redis(own.server.socket, { username, password });
    connections.push(redis);
    const all = await (await instance()).acquire("shop.test", forever);
    const turn = await createHostTurns(redis, url, FAST).acquire("shop.test", forever);
    expect(await own.redis.keys("agentic:*shop.test*")).toEqual(
      expect.arrayContaining(["agentic:{team-a.host.shop.test}:turn", "agentic:host:{shop.test}:turn"]),
    );
    await expect(createHostTurns(redis, "", FAST).acquire("shop.test", forever)).rejects.toThrow(/permission/i);
    await Promise.all([turn.release(0), all.release(0)]);
  });
});
