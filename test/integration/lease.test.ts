import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { acquireLease, type Lease } from "../../lib/durable/lease.ts";
import { redisForFile } from "./redis.ts";

const own = redisForFile();

async function acquired(lease: string, ttlMs: number): Promise<Lease> {
  const got = await acquireLease(own.redis, { lease, holder: "first", ttlMs });
  if ("heldBy" in got) throw new Error(`held by ${got.heldBy}`);
  return got;
}
const untilLost = async ({ lost }: Lease): Promise<unknown> => {
  if (!lost.aborted) await once(lost, "abort");
  return lost.reason;
};

test("whose lease another has taken loses it, and makes the other's no longer", async () => {
  const lease = await acquired("taken", 900);
  await own.redis.set("taken", "token second", "PX", 60_000);
  expect(await untilLost(lease)).toMatchObject({ reason: "LeaseLost" });
  // A renewal would have set it to 900 ms.
  expect(await own.redis.pttl("taken")).toBeGreaterThan(30_000);
  await lease.release();
  expect(await own.redis.get("taken")).toBe("token second");
});

test("whose lease has ended loses it, although nobody has taken it yet", async () => {
  const lease = await acquired("ended", 900);
  await own.redis.del("ended");
  expect(await untilLost(lease)).toMatchObject({ reason: "LeaseLost" });
});

test("is held for as long as it is renewed", async () => {
  const lease = await acquired("held", 3000);
  await sleep(4000);
  expect(lease.lost.aborted).toBe(false);
  expect(await acquireLease(own.redis, { lease: "held", holder: "second", ttlMs: 3000 })).toEqual({ heldBy: "first" });
  await lease.release();
  expect(await own.redis.exists("held")).toBe(0);
});
