import { copyFile, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readBuckets } from "../../lib/edges/artifacts/bucket.ts";
import { openArtifacts, openObjectStore } from "../../lib/edges/artifacts.ts";
import { createStoreLogins } from "../../lib/edges/tenant-login/versitygw.ts";
import { createUsageStore, type UsageStore } from "../../lib/edges/usage-store.ts";
import { usageFile } from "../../lib/usage/file.ts";
import type { UsageRecord } from "../../lib/usage/record.ts";
import { BUILD_MS } from "../cluster/built.ts";
import { startStore, type TestStore } from "../store-server.ts";

// Usage records in a folder, and in the object store of the product with its buckets and logins.

const URL_OF_ALL = "s3://agentic-{namespace}";
let store: TestStore;
let temporary: string;
beforeAll(async () => {
  store = await startStore();
  temporary = await mkdtemp(join(tmpdir(), "agentic-usage-"));
}, BUILD_MS);
afterAll(async () => {
  await store?.stop();
  await rm(temporary, { recursive: true, force: true });
});

const record = (over: Partial<UsageRecord> = {}): UsageRecord => ({
  version: 1,
  namespace: "team-a",
  workload: "demo",
  uid: "uid-1",
  part: "run-r1-1",
  run: "r1",
  pipeline: "agentic-system/p",
  ended: "ended",
  month: "2026-11",
  recordedAt: "2026-11-30T23:00:00.000Z",
  items: 3,
  browserMs: 10,
  models: [],
  unsettledNanoUsd: 0,
  reported: { inputTokens: 0, outputTokens: 0, nanoUsd: 0 },
  lacks: [],
  results: { counted: [], models: [] },
  ...over,
});
const add = async (usage: UsageStore, over: Partial<UsageRecord> = {}): Promise<boolean> => {
  const one = record(over);
  return usage.add(one, one.part, await usageFile(one));
};

/** In the order of their uids. */
async function monthOf(usage: UsageStore, ...asked: Parameters<UsageStore["inMonth"]>) {
  const [uids, broken]: [string[], string[]] = [[], []];
  for await (const all of usage.inMonth(...asked))
    for (const one of all)
      if ("broken" in one) broken.push(one.broken);
      else uids.push(one.record.uid);
  return { uids: uids.toSorted(), broken: broken.toSorted() };
}

describe.each([
  ["a folder", async () => ({ settings: { url: `file://${temporary}` }, root: temporary })],
  [
    "an S3 server with a bucket for each namespace",
    async () => ({ settings: { url: URL_OF_ALL, s3: store.s3 }, root: join(store.folder, "agentic-agentic-system") }),
  ],
])("usage records in %s", (_name, open) => {
  test("are added, never changed, and read by workload, month and namespace; the workload's artifacts go without them", async () => {
    const { settings } = await open();
    const usage = createUsageStore(await openObjectStore(settings));
    expect(await monthOf(usage, "2026-11")).toEqual({ uids: [], broken: [] });
    expect(await add(usage)).toBe(true);
    expect(await add(usage, { items: 99 })).toBe(false);
    await add(usage, { part: "rest", recordedAt: "2026-12-01T00:00:00.000Z", month: "2026-12" });
    await add(usage, { namespace: "team-b", uid: "uid-2" });
    await add(usage, { uid: "uid-10" });
    const own = await usage.of(record());
    expect(own.map(({ part, items }) => `${part} ${items}`).toSorted()).toEqual(["rest 3", "run-r1-1 3"]);
    const uids = async (...asked: Parameters<UsageStore["inMonth"]>) => (await monthOf(usage, ...asked)).uids;
    expect(await uids("2026-11")).toEqual(["uid-1", "uid-10", "uid-2"]);
    expect(await uids("2026-11", "team-b")).toEqual(["uid-2"]);
    expect(await uids("2026-12")).toEqual(["uid-1"]);
    expect(await uids("2026-11", "team")).toEqual([]);
    const artifacts = await openArtifacts(settings);
    await artifacts.put(record(), "x", "txt");
    await artifacts.drop(record());
    expect(await uids("2026-11")).toHaveLength(3);
  });

  test("of two that write at once, one is there", async () => {
    const usage = createUsageStore(await openObjectStore((await open()).settings));
    const writes = Array.from({ length: 8 }, (_, items) => add(usage, { uid: "race", items }));
    expect((await Promise.all(writes)).filter(Boolean)).toHaveLength(1);
    expect(await usage.of(record({ uid: "race" }))).toHaveLength(1);
  });

  test("that are broken or copied are named, and count nothing; files that are older than the month are not read", async () => {
    const { settings, root } = await open();
    const usage = createUsageStore(await openObjectStore(settings));
    await add(usage, { uid: "copied" });
    const at = (uid: string, file: string): string => join(root, `agentic-system/usage/team-a/${uid}/${file}.json`);
    for (const [uid, file] of [
      ["copied", "run-r1-2"],
      ["elsewhere", "run-r1-1"],
      ["cut-short", "run-r1-1"],
    ] as const) {
      await mkdir(dirname(at(uid, file)), { recursive: true });
      await copyFile(at("copied", "run-r1-1"), at(uid, file));
    }
    await writeFile(at("cut-short", "run-r1-1"), '{"version":1,"names');
    const { uids, broken } = await monthOf(usage, "2026-11", "team-a");
    expect(uids.filter((uid) => ["copied", "elsewhere"].includes(uid))).toHaveLength(1);
    expect(broken).toEqual([
      "agentic-system/usage/team-a/copied/run-r1-2.json",
      "agentic-system/usage/team-a/cut-short/run-r1-1.json",
      "agentic-system/usage/team-a/elsewhere/run-r1-1.json",
    ]);
    await utimes(at("cut-short", "run-r1-1"), new Date("2026-10-01"), new Date("2026-10-01"));
    expect((await monthOf(usage, "2026-11", "team-a")).broken).toHaveLength(2);
  });
});

test("a tenant's login neither reads nor writes nor lists them", async () => {
  const logins = createStoreLogins({
    key: "k".repeat(64),
    buckets: readBuckets(URL_OF_ALL),
    s3: store.s3,
    adminEndpoint: store.adminEndpoint,
  });
  await logins.ensure("team-a");
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = logins.settingsFor(
    "team-a",
    { AWS_ACCESS_KEY_ID: "shared", AWS_SECRET_ACCESS_KEY: "shared" },
  );
  const tenants = await openObjectStore({ url: URL_OF_ALL, s3: { ...store.s3, accessKeyId, secretAccessKey } });
  const all = createUsageStore(await openObjectStore({ url: URL_OF_ALL, s3: store.s3 }));
  await add(all, { uid: "mine" });
  const key = "agentic-system/usage/team-a/mine/run-r1-1.json";
  const bytes = new TextEncoder().encode("forged");
  const first = async (): Promise<unknown> => {
    for await (const keys of tenants.list("agentic-system/usage/team-a/")) return keys;
    return undefined;
  };
  for (const attack of [
    () => tenants.read(key),
    () => tenants.write(key, bytes),
    () => tenants.create(key.replace("mine", "other"), bytes),
    () => tenants.remove("agentic-system/usage"),
    first,
    // Its own bucket is open to it; the key is not its own.
    () => tenants.read(`team-a/../../agentic-agentic-system/${key}`),
  ])
    await expect(attack()).rejects.toMatchObject({ reason: "StoreRefused" });
  expect(await all.of(record({ uid: "mine" }))).toEqual([record({ uid: "mine" })]);
});
