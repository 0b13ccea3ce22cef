import { beforeEach, expect, test } from "vitest";
import { exclusively } from "../../lib/durable/exclusively.ts";
import { redisForFile } from "./redis.ts";

const own = redisForFile();
beforeEach(() => own.redis.flushall());

function run<T>(
  work: () => Promise<T>,
  over: { name?: string; holder?: string; patienceMs?: number } = {},
): Promise<T> {
  const { name = "default/demo", holder = "test", patienceMs = 60_000 } = over;
  return exclusively(own.redis, name, { holder, ttlMs: 20_000, patienceMs }, work);
}

test("work of one name runs one after the other, of other names beside it", async () => {
  const ran: string[] = [];
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const first = run(async () => {
    ran.push("first begins");
    begun.resolve();
    await go.promise;
    ran.push("first ends");
  });
  await begun.promise;
  const second = run(async () => ran.push("second"));
  await run(async () => ran.push("other"), { name: "default/other" });
  go.resolve();
  await Promise.all([first, second]);
  expect(ran).toEqual(["first begins", "other", "first ends", "second"]);
});

test("whoever waits too long is told who is at work, and work that failed gives its turn away", async () => {
  const work = run(
    async () => {
      await expect(run(async () => "never", { patienceMs: 0 })).rejects.toMatchObject({
        reason: "Busy",
        message: "reconcile 1 works on default/demo",
        countsAsAttempt: false,
      });
      throw new Error("broken");
    },
    { holder: "reconcile 1" },
  );
  await expect(work).rejects.toThrow("broken");
  expect(await run(async () => "next", { patienceMs: 0 })).toBe("next");
});
