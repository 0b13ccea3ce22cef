import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ledgerName } from "../../engine/identity.ts";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import { claimRequests, readStates } from "../../lib/durable/requests.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { createRedisLogins } from "../../lib/edges/tenant-login/redis.ts";
import type { TenantLogins } from "../../lib/edges/tenant-login.ts";
import { RetryableError } from "../../lib/errors.ts";
import { openLedger } from "../../lib/model/ledger.ts";
import { attacked } from "../attempts.ts";
import { graphOf, runnerOf, SUCCEEDED, stepOf } from "./durable-step.ts";
import { redisForFile } from "./redis.ts";

const KEY = "k".repeat(64);
const own = redisForFile();
let folder: string;
let logins: TenantLogins;
const open: Redis[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-tenant-"));
  logins = createRedisLogins(own.redis, KEY);
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  for (const redis of open.splice(0)) redis.disconnect();
  await own.redis.flushall();
  await logins.ensure("team-a");
  await logins.ensure("team-b");
});

const urlFor = (of: TenantLogins, namespace: string, shared: string): string =>
  of.settingsFor(namespace, { REDIS_URL: shared })["REDIS_URL"] ?? "";

/** Logs in as the URL of a namespace says, on the socket of this file's server. */
function loggedIn(namespace: string, of = logins): Redis {
  const { username, password } = new URL(urlFor(of, namespace, "redis://agents:shared@redis.example:6379"));
  const redis = new Redis(own.server.socket, { username, password, lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => {});
  open.push(redis);
  return redis;
}

function runnerOn(redis: Redis) {
  return runnerOf({
    store: new RedisStepStore(redis),
    results: createResultStore(createFolderArtifacts(folder)),
    leaseTtlMs: 5000,
  });
}

describe("a tenant's login", () => {
  test("is all that an agent needs: a step of several nodes, tried twice, and its budget", async () => {
    const redis = loggedIn("team-a");
    const identity = "team-a.step";
    const ask = { identity, attempt: "wf/1", startAnew: false };
    await claimRequests(own.redis, new RedisStepStore(own.redis), "uid", [ask], { patienceMs: 1000, now: new Date() });
    let failures = 0;
    const ledger = openLedger(redis, { name: ledgerName({ namespace: "team-a", uid: "uid" }), spentUsd: 0 });
    const graph = graphOf({
      first: async () => undefined,
      second: async () => {
        if (failures++ === 0) throw new RetryableError("Away", "not now");
        const call = { id: "call", worstUsd: 0.5, callMs: 1000 };
        expect(await ledger.reserve(call, 1)).toMatchObject({ verdict: "reserved" });
        const usage = { input: 1, cachedInput: 0, output: 1 };
        await ledger.pay("call", "request", { text: "{}", usage, costUsd: 0.1, model: "m" } as never);
        return SUCCEEDED;
      },
    });
    const step = () => stepOf(graph, { identity });
    await expect(runnerOn(redis)(step())).rejects.toThrow("not now");
    expect(await runnerOn(redis)(step())).toEqual(SUCCEEDED);
    const [state] = await readStates(own.redis, [identity]);
    expect(state?.ended).toMatchObject({ outcome: "succeeded" });
  });

  test("another key makes other passwords, and another namespace has another one", async () => {
    const other = createRedisLogins(own.redis, "x".repeat(64));
    await expect(loggedIn("team-a", other).ping()).rejects.toThrow();
    const password = (namespace: string) => new URL(urlFor(logins, namespace, "redis://r.example/")).password;
    expect(password("team-a")).toMatch(/^[0-9a-f]{64}$/);
    expect(password("team-a")).not.toBe(password("team-b"));
    expect(logins.settingsFor("team-a", { LOG_LEVEL: "info" })).toEqual({ LOG_LEVEL: "info" });
    expect(urlFor(logins, "team-a", "redis://agents:shared@r.example:6379")).toMatch(
      /^redis:\/\/agentic-tenant-team-a:[0-9a-f]{64}@r\.example:6379$/,
    );
  });

  test("is made again as it was, and closed when it is removed", async () => {
    const redis = loggedIn("team-a");
    await redis.ping();
    await own.redis.call("ACL", "SETUSER", "agentic-tenant-team-a", "allkeys", "+keys", ">other");
    await logins.ensure("team-a");
    expect(await redis.ping()).toBe("PONG");
    await expect(redis.get("agentic:{team-b.step}:record")).rejects.toThrow("NOPERM");
    await logins.remove("team-a");
    await expect(redis.ping()).rejects.toThrow();
    await expect(loggedIn("team-a").ping()).rejects.toThrow();
    expect(await loggedIn("team-b").ping()).toBe("PONG");
    await logins.remove("team-a");
  });
});

describe("team-a against team-b, whose keys are there", () => {
  const theirs = [
    "agentic:{team-b.step}:record",
    "agentic:{team-b.step}:lease",
    "agentic:spent:{team-b.uid}",
    "agentic:answer:{team-b.uid}:request",
    // Names made to look like team-a's.
    "agentic:{team-b.x}:checkpoint:agentic:{team-a.y}",
    "agentic:answer:{team-b.uid}:{team-a.uid}",
    "agentic:{team-aa.step}:record",
  ];
  /** Reconcile's own. */
  const shared = ["agentic:exclusive:{workload/team-a/demo}", "agentic:{uid}:steps", "elsewhere"];
  beforeEach(async () => {
    for (const key of [...theirs, ...shared]) await own.redis.set(key, "theirs");
  });

  const attacks = [...theirs, ...shared].flatMap((key): [string, string[]][] => [
    [`GET ${key}`, ["GET", key]],
    [`SET ${key}`, ["SET", key, "mine"]],
    [`DEL ${key}`, ["DEL", key]],
    [`UNLINK ${key}`, ["UNLINK", key]],
    [`PEXPIRE ${key}`, ["PEXPIRE", key, "1"]],
    [`COPY from ${key}`, ["COPY", key, "agentic:{team-a.x}:record"]],
    [`RENAME ${key}`, ["RENAME", key, "agentic:{team-a.x}:record"]],
    [`SUNIONSTORE of ${key}`, ["SUNIONSTORE", "agentic:{team-a.x}:record", key]],
    [`EVAL with ${key}`, ["EVAL", "return redis.call('GET', KEYS[1])", "1", key]],
    [`EVAL that hides ${key}`, ["EVAL", `return redis.call('GET', '${key}')`, "0"]],
    [`EVAL that writes ${key}`, ["EVAL", `return redis.call('SET', '${key}', 'mine')`, "0"]],
  ]);
  const beyond: [string, string[]][] = [
    ["FLUSHALL"],
    ["FLUSHDB"],
    ["KEYS", "*"],
    ["SCAN", "0"],
    ["RANDOMKEY"],
    ["DBSIZE"],
    ["SWAPDB", "0", "1"],
    ["SORT", "elsewhere"],
    ["MIGRATE", "127.0.0.1", "6379", "elsewhere", "0", "10"],
    ["RESTORE", "agentic:{team-a.x}:record", "0", "x"],
    ["CONFIG", "GET", "*"],
    ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"],
    ["CONFIG", "RESETSTAT"],
    ["ACL", "LIST"],
    ["ACL", "WHOAMI"],
    ["ACL", "SETUSER", "agentic-tenant-team-a", "allkeys"],
    ["ACL", "GETUSER", "default"],
    ["CLIENT", "LIST"],
    ["CLIENT", "KILL", "TYPE", "normal"],
    ["CLIENT", "PAUSE", "1000"],
    ["CLIENT", "TRACKING", "ON", "BCAST"],
    ["MONITOR"],
    ["SHUTDOWN", "NOSAVE"],
    ["SAVE"],
    ["BGREWRITEAOF"],
    ["REPLICAOF", "NO", "ONE"],
    ["SLOWLOG", "GET"],
    ["LATENCY", "RESET"],
    ["MODULE", "LIST"],
    ["SCRIPT", "FLUSH"],
    ["SCRIPT", "KILL"],
    ["FUNCTION", "FLUSH"],
    ["FUNCTION", "LIST"],
    ["FCALL", "f", "0"],
    ["SUBSCRIBE", "c"],
    ["PUBLISH", "c", "x"],
    ["XADD", "elsewhere", "*", "a", "b"],
    ["LPUSH", "elsewhere", "x"],
    ["EVAL", "return redis.call('KEYS', '*')", "0"],
    ["EVAL", "return redis.call('FLUSHALL')", "0"],
    ["EVAL", "return redis.call('SCAN', '0')", "0"],
    ["EVAL", "return redis.call('CONFIG', 'GET', '*')", "0"],
  ].map((command): [string, string[]] => [command.join(" "), command]);

  test.each([...attacks, ...beyond])("%s", async (_what, [command = "", ...args]) => {
    const redis = loggedIn("team-a");
    attacked();
    await expect(redis.call(command, ...args)).rejects.toThrow(
      /NOPERM|WRONGPASS|can't (access|run)|not allowed from script/,
    );
    for (const key of [...theirs, ...shared]) expect(await own.redis.get(key)).toBe("theirs");
    expect(await own.redis.exists("agentic:{team-a.x}:record")).toBe(0);
  });

  test("the names of keys are in no answer of INFO", async () => {
    attacked();
    expect(await loggedIn("team-a").info("everything")).not.toContain("team-b");
  });
});

test("a Redis that lets nobody make logins says what to do", async () => {
  await own.redis.call("ACL", "SETUSER", "limited", "reset", "on", ">pw", "~*", "+@all", "-acl");
  const limited = new Redis(own.server.socket, { username: "limited", password: "pw" });
  open.push(limited);
  await expect(createRedisLogins(limited, KEY).ensure("team-a")).rejects.toMatchObject({ reason: "LoginRefused" });
});
