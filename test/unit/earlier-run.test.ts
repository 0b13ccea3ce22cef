import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { beginRun } from "../../cli/local/earlier-run.ts";
import type { ResolvedWorkload } from "../../cli/resolve.ts";
import { type RunFolder, type RunState, runFolder, writeRunState } from "../../cli/run-folder.ts";
import { agentWorkloadSchema } from "../../crd/agentworkload.ts";
import { NO_USAGE } from "../../engine/result.ts";
import { runOf } from "../../engine/run.ts";

const NOW = new Date("2026-06-30T12:00:00Z");
const ago = (hours: number): Date => new Date(NOW.getTime() - hours * 3_600_000);

let folder: RunFolder;
let said: string[] = [];
beforeEach(async () => {
  folder = runFolder(await mkdtemp(join(tmpdir(), "agentic-earlier-")));
  said = [];
});
afterEach(() => rm(folder.path, { recursive: true, force: true }));

function resolved(spec: object = {}): ResolvedWorkload {
  const workload = agentWorkloadSchema.parse({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentWorkload",
    metadata: { name: "demo" },
    spec: { freshness: "24h", ttlAfterFinished: "30d", ...spec },
  });
  const pipeline = { namespace: "default", name: "demo", steps: [], output: "", agents: {} };
  const ref = { namespace: "default", name: "demo", uid: "uid" };
  return { workload, run: runOf(ref, workload.spec, pipeline), served: new Map() };
}

async function left(over: Partial<RunState>): Promise<void> {
  await writeRunState(folder, {
    workload: { namespace: "default", name: "demo", uid: "uid" },
    pipeline: "default/demo",
    command: "agentic run x",
    run: resolved().run.run,
    frozen: "frozen",
    trace: "0".repeat(32),
    phase: "Succeeded",
    pid: 1,
    startedAt: ago(2).toISOString(),
    finishedAt: ago(1).toISOString(),
    steps: [],
    items: { total: 0, done: 0, failed: 0 },
    usage: NO_USAGE,
    itemCosts: [],
    modelCosts: [],
    reviews: [],
    ...over,
  });
  await mkdir(folder.reviews);
  await mkdir(folder.artifacts);
}
const begin = (spec: object = {}, frozen = "frozen") =>
  beginRun(resolved(spec), frozen, folder, { now: NOW, say: (line) => said.push(line) });

test("a folder without a run starts one", async () => {
  expect(await begin()).toEqual({ startedAt: NOW, reusableSince: ago(24), isContinued: false });
});

test.each([
  ["as it was", {}],
  ["under other terms", { replicas: 3 }],
])("the same run, just done, is not repeated: %s", async (_what, spec) => {
  await left({});
  expect(await begin(spec)).toMatchObject({ done: { phase: "Succeeded" } });
  expect(said.join()).toMatch(/Already done at .*Remove .* to do all of it again/);
});

test.each<[string, Partial<RunState>, object, string]>([
  ["another model", {}, { model: { name: "gpt-4o-mini" } }, "frozen"],
  ["another pipeline or agent", {}, {}, "changed"],
  ["a run that failed", { phase: "Failed" }, {}, "frozen"],
])("%s runs", async (_what, state, spec, frozen) => {
  await left(state);
  expect(await begin(spec, frozen)).toHaveProperty("startedAt");
});

test("a run that is older than its freshness is done again, and decided on again", async () => {
  await left({ startedAt: ago(30).toISOString(), finishedAt: ago(25).toISOString() });
  expect(await begin()).toEqual({ startedAt: NOW, reusableSince: ago(24), isContinued: false });
  expect(existsSync(folder.reviews)).toBe(false);
  expect((await readdir(folder.path)).filter((name) => name.startsWith("reviews-"))).toHaveLength(1);
});

test("a run that was interrupted reuses all it did, however long ago; its reviews stand", async () => {
  await left({ phase: "Interrupted", startedAt: ago(100).toISOString() });
  expect(await begin()).toEqual({ startedAt: ago(100), reusableSince: ago(100), isContinued: true });
  expect(existsSync(folder.reviews)).toBe(true);
});

test("a run that is older than its ttl is removed, outputs included", async () => {
  const output = join(folder.path, "report.html");
  await left({ finishedAt: ago(31 * 24).toISOString(), outputs: { html: output } });
  await writeFile(output, "x");
  expect(await begin()).toEqual({ startedAt: NOW, reusableSince: ago(24), isContinued: false });
  expect(await readdir(folder.path)).toEqual([]);
  expect(said.join()).toContain("older than spec.ttlAfterFinished (30d): removed");
});

test("a state that cannot be read is told of, and the run continues", async () => {
  await writeFile(folder.state, '{"workload"');
  expect(await begin()).toEqual({ startedAt: NOW, reusableSince: ago(24), isContinued: false });
  expect(said.join()).toMatch(/run\.json cannot be read .*; the run continues/);
});
