import { expect, test } from "vitest";
import { onNewSettings } from "../../../functions/reconcile/new-settings.ts";
import { createLog } from "../../../lib/log.ts";

const log = createLog("test", "silent");

function world() {
  const kept = new Map<string, string>();
  let isAway = false;
  const redis = {
    get: async (key: string) => {
      if (isAway) throw new Error("away");
      return kept.get(key) ?? null;
    },
    set: async (key: string, value: string) => {
      if (isAway) throw new Error("away");
      kept.set(key, value);
      return "OK" as const;
    },
  } as unknown as Parameters<typeof onNewSettings>[0];
  let done = 0;
  const start = async (settings: object, work = async () => void done++) => {
    await onNewSettings(redis, settings, work, log, { retries: 2, minTimeout: 1, factor: 1, unref: true });
    return done;
  };
  return { start, kept, away: (is: boolean) => (isAway = is) };
}

test("the first process with its settings sees to it, and those after it do not", async () => {
  const { start } = world();
  expect([await start({ a: 1, b: 2 }), await start({ b: 2, a: 1 }), await start({ a: 2 })]).toEqual([1, 1, 2]);
});

test("who fails, or dies on the way, leaves it to the next", async () => {
  const { start } = world();
  await start({ a: 1 }, () => Promise.reject(new Error("no API server")));
  expect([await start({ a: 1 }), await start({ a: 1 })]).toEqual([1, 1]);
});

test("what fails at first is tried again", async () => {
  const { start } = world();
  let fails = 2;
  await start({ a: 1 }, async () => {
    if (fails-- > 0) throw new Error("the password is not there yet");
  });
  expect([fails, await start({ a: 1 })]).toEqual([-1, 0]);
});

test("without Redis it is done once too often", async () => {
  const { start, away } = world();
  await start({ a: 1 });
  away(true);
  // At each try.
  expect(await start({ a: 1 })).toBe(4);
});

test("what is kept is a hash", async () => {
  const { start, kept } = world();
  await start({ password: "hidden" });
  expect([...kept.values()].join()).not.toContain("hidden");
});
