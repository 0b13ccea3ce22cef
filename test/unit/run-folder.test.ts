import { existsSync } from "node:fs";
import { mkdtemp, open, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type RunFolder, type RunState, readRunState, runFolder, writeRunState } from "../../cli/run-folder.ts";
import { NO_USAGE } from "../../engine/result.ts";

const STATE: RunState = {
  workload: { namespace: "default", name: "demo", uid: "uid" },
  pipeline: "default/demo",
  command: "agentic run demo.yaml",
  run: "0123456789",
  frozen: "f".repeat(64),
  trace: "0".repeat(32),
  phase: "Running",
  pid: 1,
  startedAt: "2026-01-01T10:00:00.000Z",
  steps: [],
  items: { total: 0, done: 0, failed: 0 },
  usage: NO_USAGE,
  itemCosts: [],
  modelCosts: [],
  reviews: [],
};

let temporary: string;
let folder: RunFolder;
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "agentic-run-folder-"));
  folder = runFolder(join(temporary, "run"));
});
afterEach(() => rm(temporary, { recursive: true, force: true }));

test("a run's state is on disk before it gets its name, and its name before the write is over", async () => {
  const probe = await open(temporary);
  const handle = Object.getPrototypeOf(probe);
  await probe.close();
  const { sync } = handle;
  const named: boolean[] = [];
  const spy = vi.spyOn(handle, "sync").mockImplementation(function (this: unknown) {
    named.push(existsSync(folder.state));
    return sync.call(this);
  });
  await writeRunState(folder, STATE).finally(() => spy.mockRestore());
  expect([named.includes(false), named.at(-1)]).toEqual([true, true]);
  expect(await readRunState(folder)).toEqual({ state: STATE });
  expect(await readdir(folder.path)).toEqual(["run.json"]);
});

test.each([
  ["", "it is empty"],
  ["\n", "it is empty"],
  ['{"phase":', "JSON"],
  ["{}", "Invalid input"],
])("a state that reads %j is told of, and the next write replaces it", async (text, why) => {
  await writeRunState(folder, STATE);
  await writeFile(folder.state, text);
  expect(await readRunState(folder)).toEqual({ problem: expect.stringMatching(`run.json cannot be read \\(.*${why}`) });
  await writeRunState(folder, STATE);
  expect(await readRunState(folder)).toEqual({ state: STATE });
});

test("no run has been in a folder without a state", async () => expect(await readRunState(folder)).toEqual({}));
