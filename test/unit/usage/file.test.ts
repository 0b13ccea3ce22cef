import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { isSignedUsage, readUsageFile, usageFile } from "../../../lib/usage/file.ts";
import type { UsageRecord } from "../../../lib/usage/record.ts";

const RECORD: UsageRecord = {
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
};
const [ours, old, theirs] = [0, 1, 2].map(() => generateKeyPairSync("ed25519")) as [Keys, Keys, Keys];
type Keys = ReturnType<typeof generateKeyPairSync>;
const publics = [ours, old].map(({ privateKey }) => createPublicKey(privateKey));

test("a record is read back, signed or not, and equal ones are equal files", async () => {
  for (const key of [ours.privateKey, undefined]) {
    const file = await usageFile(RECORD, key);
    expect(readUsageFile(file)).toEqual(RECORD);
    expect(await usageFile({ ...RECORD }, key)).toBe(file);
  }
  for (const file of [
    "",
    "{}",
    "no JSON",
    JSON.stringify({ ...RECORD, items: -1 }),
    JSON.stringify({ ...RECORD, more: 1 }),
  ])
    expect(readUsageFile(file)).toBeUndefined();
});

test("is signed by one of the keys, also by that before a rotation; not by others', unsigned, or edited", async () => {
  const file = await usageFile(RECORD, ours.privateKey);
  expect(await isSignedUsage(file, publics)).toBe(true);
  expect(await isSignedUsage(await usageFile(RECORD, old.privateKey), publics)).toBe(true);
  expect(await isSignedUsage(await usageFile(RECORD, theirs.privateKey), publics)).toBe(false);
  expect(await isSignedUsage(await usageFile(RECORD), publics)).toBe(false);
  const { payload, ...rest } = JSON.parse(file);
  const edited = Buffer.from(JSON.stringify({ ...RECORD, items: 1 })).toString("base64url");
  expect(readUsageFile(JSON.stringify({ payload: edited, ...rest }))?.items).toBe(1);
  expect(await isSignedUsage(JSON.stringify({ payload: edited, ...rest }), publics)).toBe(false);
  expect(payload).not.toBe(edited);
});
