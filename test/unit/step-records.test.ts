import { appendFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Journal, openJournal } from "../../cli/local/journal.ts";
import { createStepRecords } from "../../cli/local/step-records.ts";
import { failedResult, NO_USAGE, type StepResult } from "../../engine/result.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";

const W = { namespace: "team", uid: "uid" };
const NOW = new Date("2026-06-01T12:00:00Z");
let folder: string;
let opened: Journal[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-records-"));
  opened = [];
});
afterEach(async () => {
  for (const journal of opened) await journal.close();
  await rm(folder, { recursive: true, force: true });
});

/** The records as another command finds them. */
async function open(reusableSince = new Date(0), failuresStandUntil?: Date) {
  const { journal, unreadable } = await openJournal(join(folder, "steps.jsonl"));
  opened.push(journal);
  const artifacts = createFolderArtifacts(join(folder, "artifacts"));
  const forgotten: string[] = [];
  const records = createStepRecords({
    workload: W,
    journal,
    artifacts,
    results: createResultStore(artifacts),
    store: { forget: async (identities) => void forgotten.push(...identities) },
    reusableSince,
    failuresStandUntil,
    now: () => NOW,
  });
  return { records, artifacts, forgotten, unreadable };
}
const success = (artifacts: Record<string, string> = {}): StepResult => ({
  outcome: "succeeded",
  output: "done",
  artifacts,
  usage: NO_USAGE,
});

test("a success is found by the next command, with the same bytes", async () => {
  const first = await open();
  const result = success({ page: await first.artifacts.put(W, "bytes", "html") });
  await first.records.add("step", result, 12);
  const second = await open();
  expect(await second.records.find("step")).toEqual(result);
  expect(second.forgotten).toEqual([]);
});

test("a step that nobody did is not forgotten, either: it may be in progress", async () => {
  const { records, forgotten } = await open();
  expect([await records.find("step"), forgotten]).toEqual([undefined, []]);
});

test("a failure is forgotten, so that it is done again", async () => {
  const { records, forgotten } = await open();
  await records.add("step", failedResult("Blocked", "why"), 12);
  expect([await records.find("step"), forgotten]).toEqual([undefined, ["step"]]);
});

test.each([
  ["before a review was opened stands: the reviewer saw it", 0, failedResult("Blocked", "why")],
  ["after it is done again", -1, undefined],
])("a failure %s", async (_what, later, expected) => {
  const { records } = await open(new Date(0), new Date(NOW.getTime() + later));
  await records.add("step", failedResult("Blocked", "why"), 12);
  expect(await records.find("step")).toEqual(expected);
});

test("a success from before its step was asked for anew is forgotten, and a later one is not", async () => {
  const { records, forgotten } = await open();
  await records.add("step", success(), 12);
  expect(await records.find("step", NOW)).toEqual(success());
  expect([await records.find("step", new Date(NOW.getTime() + 1)), forgotten]).toEqual([undefined, ["step"]]);
});

test("a success that is too old is forgotten", async () => {
  const { records, forgotten } = await open(new Date(NOW.getTime() + 1));
  await records.add("step", success(), 12);
  expect([await records.find("step"), forgotten]).toEqual([undefined, ["step"]]);
});

test.each<[string, RegExp]>([
  ["an artifact", /\.html$/],
  ["the result itself", /\.json$/],
])("a success is done again when the bytes of %s are gone", async (_what, lost) => {
  const first = await open();
  await first.records.add("step", success({ page: await first.artifacts.put(W, "bytes", "html") }), 12);
  for (const name of await readdir(join(folder, "artifacts", "team/uid")))
    if (lost.test(name)) await rm(join(folder, "artifacts", "team/uid", name));
  const second = await open();
  expect([await second.records.find("step"), second.forgotten]).toEqual([undefined, ["step"]]);
});

test("a line that was half written loses that step and no other", async () => {
  const first = await open();
  await first.records.add("one", success(), 12);
  await appendFile(join(folder, "steps.jsonl"), '{"identity":"tw');
  const second = await open();
  expect(second.unreadable).toBe(1);
  await second.records.add("three", success(), 12);
  const third = await open();
  expect(await third.records.find("one")).toEqual(success());
  expect(await third.records.find("three")).toEqual(success());
});
