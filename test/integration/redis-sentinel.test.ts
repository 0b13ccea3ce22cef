import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { createRedisLogins } from "../../lib/edges/tenant-login/redis.ts";
import { freePort } from "../free-port.ts";
import { startSentinel } from "../redis-sentinel.ts";
import { startRedis, type TestRedis } from "../redis-server.ts";
import { graphOf, runnerOf, SUCCEEDED, stepOf } from "./durable-step.ts";
import { startRedisRelay } from "./redis-relay.ts";

// ADR 57: a proxy follows Sentinel, and functions know one address.

async function server(...options: string[]): Promise<TestRedis & { readonly port: number }> {
  const port = await freePort();
  const started = await startRedis(["--port", String(port), "--bind", "127.0.0.1", ...options]);
  onTestFinished(() => started.stop());
  return { ...started, port };
}

function client(url: string): Redis {
  const redis = new Redis(url.replace("unix://", ""));
  redis.on("error", () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** Leads a relay to whom Sentinel takes for the primary, as HAProxy does. */
function follow(
  sentinel: Redis,
  servers: readonly { port: number; socket: string }[],
  lead: (to: string) => void,
): void {
  const look = async (): Promise<void> => {
    const [, port] = ((await sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")) ?? []) as string[];
    const primary = servers.find((one) => String(one.port) === port);
    if (primary) lead(primary.socket);
  };
  const timer = setInterval(() => void look().catch(() => undefined), 100);
  onTestFinished(() => clearInterval(timer));
}

test("a primary that dies is replaced by Sentinel: a step goes on where it was, no attempt is spent, and logins are made anew", async () => {
  const folder = await mkdtemp(join(tmpdir(), "agentic-failover-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const primary = await server("--repl-diskless-sync-delay", "0");
  const replica = await server("--replicaof", "127.0.0.1", String(primary.port));
  const admin = client(primary.url);
  const standby = client(replica.url);
  await expect.poll(() => standby.info("replication"), { timeout: 15_000 }).toContain("master_link_status:up");
  const sentinel = await startSentinel(primary.port);
  onTestFinished(() => sentinel.stop());
  const watcher = client(sentinel.url);
  await expect
    .poll(() => watcher.call("SENTINEL", "REPLICAS", "main").catch(() => []), { timeout: 10_000 })
    .toHaveLength(1);
  const relay = await startRedisRelay(primary.socket);
  onTestFinished(() => relay.close());
  follow(watcher, [primary, replica], (to) => relay.redirect(to));

  const redis = await connectRedis(relay.url);
  onTestFinished(() => redis.disconnect());
  const logins = createRedisLogins(redis, "key");
  const asTenant = async (): Promise<unknown> => {
    const { REDIS_URL = "" } = logins.settingsFor("team-a", { REDIS_URL: `redis://127.0.0.1:${replica.port}` });
    const tenant = await connectRedis(REDIS_URL);
    return tenant.get("agentic:{team-a.x}:record").finally(() => tenant.disconnect());
  };
  await logins.ensure("team-a");

  const ran: string[] = [];
  const step = stepOf(
    graphOf({
      one: async () => void ran.push("one"),
      two: async () => {
        ran.push("two");
        if (ran.length === 2) {
          // It waits for what its own connection wrote, and so for what came before.
          await admin.set("last", 1);
          expect(await admin.wait(1, 5000)).toBe(1);
          await primary.kill();
        }
        return undefined;
      },
      three: async () => SUCCEEDED,
    }),
    { retryLimit: 0 },
  );
  const run = runnerOf({
    store: new RedisStepStore(redis),
    results: createResultStore(createFolderArtifacts(folder)),
    leaseTtlMs: 2000,
  });
  // As the Broker delivers it: again, until it ends.
  const troubles: unknown[] = [];
  const again = (): Promise<unknown> => run(step).catch((error: unknown) => void troubles.push(error));
  await expect.poll(again, { timeout: 30_000, interval: 200 }).toEqual(SUCCEEDED);
  for (const trouble of troubles) expect(trouble).toMatchObject({ countsAsAttempt: false });
  expect(ran.filter((node) => node === "one")).toHaveLength(1);

  // Redis replicates no logins: reconcile makes them with each request, and an agent waits until then.
  await expect(asTenant()).rejects.toMatchObject({
    message: expect.stringContaining("WRONGPASS"),
    countsAsAttempt: false,
  });
  await logins.ensure("team-a");
  expect(await asTenant()).toBeNull();
}, 60_000);
