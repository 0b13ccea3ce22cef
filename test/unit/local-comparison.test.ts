import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chooseComparison, copyArtifacts } from "../../cli/local/comparison.ts";
import { type RunFolder, type RunState, runFolder, writeRunState } from "../../cli/run-folder.ts";
import type { Comparison } from "../../crd/agentworkload.ts";
import { artifactKey } from "../../engine/artifact-key.ts";
import { sha256 } from "../../engine/canonical.ts";
import { NO_USAGE } from "../../engine/result.ts";
import { runOf } from "../../engine/run.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { workloadOf } from "./engine/build.ts";

const NOW = new Date("2026-06-30T12:00:00Z");
const ago = (hours: number): Date => new Date(NOW.getTime() - hours * 3_600_000);
const OWN = { namespace: "default", name: "demo", uid: "uid" };
const OTHER = { namespace: "default", name: "other", uid: "uid-2" };
const keyFor = (owner: typeof OWN, text = "results"): string => artifactKey(owner, sha256(text), "json");
const last = (hours: number) => ({ results: keyFor(OWN), finishedAt: ago(hours).toISOString() });
const AT = "2026-06-30T11:00:00.000Z";
const KNOWN: Comparison = { workload: "demo", uid: "uid", rerun: AT, results: keyFor(OWN, "older") };

let root: string;
let folder: RunFolder;
let other: RunFolder;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "agentic-comparison-"));
  folder = runFolder(join(root, "demo"));
  other = runFolder(join(root, "other"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const STATE: RunState = {
  workload: OWN,
  pipeline: "default/demo",
  command: "agentic run x",
  run: "0123456789",
  frozen: "frozen",
  trace: "0".repeat(32),
  phase: "Succeeded",
  pid: 1,
  startedAt: ago(2).toISOString(),
  steps: [],
  items: { total: 0, done: 0, failed: 0 },
  usage: NO_USAGE,
  itemCosts: [],
  modelCosts: [],
  reviews: [],
};
const choose = (spec: object, state: Partial<RunState> | undefined, isContinued = false) => {
  const workload = workloadOf({ freshness: "24h" });
  const resolved = { ...workload, spec: { ...workload.spec, ...spec } };
  const run = runOf(OWN, resolved.spec, { namespace: "default", name: "p", steps: [], output: "", agents: {} });
  const beginning = { startedAt: NOW, reusableSince: ago(24), isContinued };
  return chooseComparison(
    { workload: resolved, run, served: new Map() },
    folder,
    state && { ...STATE, ...state },
    beginning,
  );
};
const own = (more: object) => ({ comparison: { workload: "demo", uid: "uid", ...more } });

describe("without --compare-with", () => {
  test.each<[string, object, Partial<RunState> | undefined, object]>([
    ["a first run is compared with none", {}, undefined, {}],
    ["an edit while what was done is fresh is no new look", {}, { lastSucceeded: last(1) }, {}],
    [
      "what was done is no longer fresh: all is done again, and compared",
      {},
      { lastSucceeded: last(25) },
      own({ results: keyFor(OWN) }),
    ],
    [
      "a rerun is compared",
      { rerun: { at: AT } },
      { lastSucceeded: last(1) },
      own({ rerun: AT, results: keyFor(OWN) }),
    ],
    [
      "a rerun from a step on keeps it",
      { rerun: { at: AT, from: "x" } },
      { comparedWith: KNOWN, lastSucceeded: last(1) },
      { comparison: KNOWN },
    ],
    ["an edit keeps it", {}, { comparedWith: KNOWN, lastSucceeded: last(1) }, { comparison: KNOWN }],
    [
      "an edit of what is no longer fresh does not",
      {},
      { comparedWith: KNOWN, lastSucceeded: last(25) },
      own({ results: keyFor(OWN) }),
    ],
    [
      "the same rerun again keeps it",
      { rerun: { at: AT } },
      { comparedWith: KNOWN, lastSucceeded: last(1) },
      { comparison: KNOWN },
    ],
    [
      "a rerun without a run before it says so",
      { rerun: { at: AT } },
      {},
      own({ rerun: AT, problem: "no run of this folder has succeeded" }),
    ],
  ])("%s", async (_what, spec, state, chosen) => expect(await choose(spec, state)).toEqual(chosen));

  test.each([[KNOWN], [undefined]])("a run that continues is compared as it began: %j", async (known) => {
    const state = { ...(known ? { comparedWith: known } : {}), lastSucceeded: last(30) };
    expect(await choose({ compareWith: "another" }, state, true)).toEqual(known ? { comparison: known } : {});
  });
});

describe("--compare-with FOLDER", () => {
  const left = (over: Partial<RunState>) => writeRunState(other, { ...STATE, workload: OTHER, ...over });
  const succeeded = { lastSucceeded: { results: keyFor(OTHER), finishedAt: ago(1).toISOString() } };

  test("is compared with its last run that succeeded", async () => {
    await left(succeeded);
    expect(await choose({ compareWith: other.path }, { comparedWith: KNOWN, lastSucceeded: last(1) })).toEqual({
      comparison: { workload: "other", uid: "uid-2", compareWith: other.path, results: keyFor(OTHER) },
      from: other,
    });
  });

  test.each<[string, Partial<RunState> | undefined, string]>([
    ["no run", undefined, "there is no run in"],
    ["no run that succeeded", { phase: "Failed" }, "has succeeded"],
    [
      "a run of another namespace",
      { ...succeeded, workload: { ...OTHER, namespace: "victim" } },
      "is of namespace victim",
    ],
  ])("with %s: with none, and says so", async (_what, state, problem) => {
    if (state) await left(state);
    const { comparison, from } = await choose({ compareWith: other.path }, {});
    expect([comparison?.results, comparison?.problem, from]).toEqual([
      undefined,
      expect.stringContaining(problem),
      undefined,
    ]);
  });

  test("a state that cannot be read is named", async () => {
    await left(succeeded);
    await writeFile(other.state, "{");
    expect((await choose({ compareWith: other.path }, {})).comparison?.problem).toContain("cannot be read");
  });

  test("its artifacts are read where the run's own are; again, and where some are being written or all are gone, it copies what is there", async () => {
    const [there, here] = [createFolderArtifacts(other.artifacts), createFolderArtifacts(folder.artifacts)];
    const key = await there.put(OTHER, "results", "json");
    await writeFile(join(other.artifacts, "default", "uid-2", "half.tmp"), "x");
    await left(succeeded);
    const chosen = await choose({ compareWith: other.path }, {});
    for (let time = 0; time < 2; time++) await copyArtifacts(chosen, folder, "default");
    expect(new TextDecoder().decode(await here.get(OTHER, key))).toBe("results");
    expect(await readdir(join(folder.artifacts, "default", "uid-2"))).toHaveLength(1);
    await rm(other.artifacts, { recursive: true });
    await copyArtifacts(chosen, folder, "default");
    await mkdir(folder.path, { recursive: true });
    await copyArtifacts({}, folder, "default");
  });
});
