import { describe, expect, test } from "vitest";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { canonicalJson, sha256 } from "../../../engine/canonical.ts";
import type { RunResults } from "../../../engine/comparison.ts";
import type { StepResult } from "../../../engine/result.ts";
import { COMPARISON_ANNOTATION } from "../../../functions/reconcile/argo/names.ts";
import { RetryableError } from "../../../lib/errors.ts";
import { createHarness, done, type Harness, type HarnessOptions, pipelineOf, REF, WORKLOAD } from "./harness.ts";

// Which run a run is compared with, and what its steps get of it.

const pipeline = pipelineOf({
  inputs: { schema: { type: "object", properties: { sites: { type: "array" } } } },
  steps: [
    { name: "read", agent: "read", forEach: "inputs.sites", previous: true },
    { name: "write", agent: "write", after: ["read"], previous: true },
    { name: "plain", agent: "write", after: ["read"] },
  ],
});
const SITES = ["a", "b"];
const SPEC = { inputs: { sites: SITES } };
const OTHER = { namespace: REF.namespace, name: "last-week", uid: "other-uid" };

const start = (spec: Record<string, unknown> = SPEC, over: Partial<HarnessOptions> = {}): Harness =>
  createHarness({
    pipeline,
    spec,
    answer: ({ step, input }, execution) => done({ output: `${step} ${input.item ?? ""} ${execution}` }),
    ...over,
  });
async function succeeded(spec?: Record<string, unknown>): Promise<Harness> {
  const world = start(spec);
  await ended(world);
  return world;
}
async function ended(world: Harness, phase = "Succeeded"): Promise<void> {
  for (let round = 0; round < 3; round++) await world.settle();
  expect(world.status.phase).toBe(phase);
  world.pass(60_000);
}
const rerunAt = (world: Harness, from?: string) => ({
  rerun: { at: world.deps.now().toISOString(), ...(from === undefined ? {} : { from }) },
});
/** What the steps requested since were told of an earlier run: by step and item. */
const told = (world: Harness, since = 0) =>
  Object.fromEntries(
    world.requests
      .slice(since)
      .map(({ step, input }) => [`${step} ${input.item ?? ""}`.trim(), input.previous?.result.output]),
  );
const compared = ({ status }: Harness) => status.conditions?.find(({ type }) => type === "Compared");

/** Another workload, whose last run left these results. */
async function beside(world: Harness, results: Readonly<Record<string, StepResult>>, status: object = {}) {
  const stored = await Promise.all(
    Object.entries(results).map(async ([key, result]) => {
      const [step = "", item] = key.split(" ");
      return { step, ...(item === undefined ? {} : { item }), result: await world.deps.results.put(OTHER, result) };
    }),
  );
  const record: RunResults = { run: "0123456789", finishedAt: "2026-01-01T00:00:00.000Z", results: stored };
  const key = await world.deps.artifacts.put(OTHER, canonicalJson(record), "json");
  putBeside(world, { phase: "Succeeded", results: key, ...status });
  return key;
}
function putBeside(world: Harness, status: object): void {
  const { workload } = world.objects;
  if (!workload) throw new Error("there is no workload");
  const metadata = { ...workload.metadata, ...OTHER };
  world.objects.otherWorkloads.set(`${OTHER.namespace}/${OTHER.name}`, { ...workload, metadata, status });
}

describe("a rerun", () => {
  test("of everything gets how each step ended on the same item in the last run that succeeded", async () => {
    const world = await succeeded();
    expect(told(world)).toEqual({ "read a": undefined, "read b": undefined, write: undefined, plain: undefined });
    expect([compared(world), world.status.comparedWith]).toEqual([undefined, undefined]);
    const before = world.requests.length;
    const first = world.status.results;
    world.edit({ inputs: { sites: [...SITES, "new"] }, ...rerunAt(world) });
    await ended(world);
    expect(told(world, before)).toEqual({
      "read a": "read a 1",
      "read b": "read b 1",
      "read new": undefined,
      write: "write  1",
      plain: undefined,
    });
    expect(world.requests[before]?.input.previous).toMatchObject({
      workload: WORKLOAD,
      result: { item: "a", outcome: "succeeded" },
    });
    expect(compared(world)).toMatchObject({ status: "True", reason: "Compared" });
    expect(world.status.comparedWith).toMatchObject({ workload: REF.name, results: first });
    expect(world.status.results).not.toBe(first);
  });

  test("skips runs that failed: it is compared with the last that succeeded", async () => {
    let breaks = false;
    const world = start(SPEC, {
      answer: ({ step, input }, execution) =>
        breaks && step === "write"
          ? { ...done(), outcome: "failed", reason: "Broken", message: "it broke" }
          : done({ output: `${step} ${input.item ?? ""} ${execution}` }),
    });
    await ended(world);
    const { results } = world.status;
    breaks = true;
    world.edit({ ...SPEC, ...rerunAt(world) });
    await ended(world, "Failed");
    expect(world.status.results).toBe(results);
    breaks = false;
    world.edit({ ...SPEC, ...rerunAt(world) });
    await ended(world);
    expect(world.status.comparedWith?.results).toBe(results);
  });

  test("from a step on keeps what the run was compared with: the steps before it are not done again", async () => {
    const world = await succeeded();
    world.edit({ ...SPEC, ...rerunAt(world) });
    await ended(world);
    const { comparedWith } = world.status;
    const before = world.requests.length;
    world.edit({ ...SPEC, ...rerunAt(world, "write") });
    await ended(world);
    expect(told(world, before)).toEqual({ write: "write  1" });
    expect(world.status.comparedWith).toEqual(comparedWith);
  });

  test("an edit after it keeps the comparison: what it does not concern is not done again", async () => {
    const world = await succeeded();
    const { rerun } = rerunAt(world);
    world.edit({ ...SPEC, rerun });
    await ended(world);
    const before = world.requests.length;
    world.edit({ inputs: { sites: [...SITES, "new"] }, rerun });
    await ended(world);
    expect(told(world, before)).toEqual({ "read new": undefined, write: "write  1", plain: undefined });
    const again = world.requests.length;
    world.edit({ inputs: { sites: [...SITES, "newer"] } });
    await ended(world);
    expect(told(world, again)).toEqual({ "read newer": undefined, write: "write  1", plain: undefined });
  });

  test("keeps its comparison through the loss of the process after each of its writes", async () => {
    for (let calls = 0; calls < 40; calls++) {
      const faults = { rate: 0, callsLeft: undefined as number | undefined };
      const world = start(SPEC, { faults });
      await ended(world);
      const { results } = world.status;
      world.edit({ ...SPEC, ...rerunAt(world) });
      faults.callsLeft = calls;
      await world.look();
      faults.callsLeft = undefined;
      await ended(world);
      expect([calls, world.status.comparedWith?.results, world.executions.size]).toEqual([calls, results, 7]);
    }
  });
});

describe("compareWith", () => {
  const spec = { ...SPEC, compareWith: OTHER.name };

  test("gives a step the results of the other workload's run, as that workload's", async () => {
    const world = start(spec);
    const key = artifactKey(OTHER, sha256("page"), "txt");
    await beside(world, {
      "read a": done({ output: "before", artifacts: { page: key } }),
      write: done({ output: "w" }),
    });
    await ended(world);
    expect(told(world)).toEqual({ "read a": "before", "read b": undefined, write: "w", plain: undefined });
    expect(world.requests.find(({ input }) => input.item === "a")?.input.previous).toEqual({
      workload: OTHER,
      run: "0123456789",
      result: { item: "a", outcome: "succeeded", output: "before", artifacts: { page: key } },
    });
  });

  test("with a workload that is running again takes its last run that succeeded", async () => {
    const world = start(spec);
    await beside(world, { "read a": done({ output: "before" }) }, { phase: "Running" });
    await ended(world);
    expect(told(world)["read a"]).toBe("before");
  });

  test.each([
    ["not there", undefined, `there is no AgentWorkload ${OTHER.name} in namespace ${REF.namespace}`],
    ["still running", { phase: "Running" }, "has succeeded, or its artifacts have expired (phase Running)"],
  ])("with a workload that is %s: the run does not wait, and says so", async (_what, status, message) => {
    const events: unknown[] = [];
    const world = start(spec);
    world.deps.kube.event = async (event) => void events.push(event);
    if (status) putBeside(world, status);
    await ended(world);
    expect(told(world)["read a"]).toBeUndefined();
    expect(compared(world)).toMatchObject({ status: "False", reason: "NothingToCompare" });
    expect(compared(world)?.message).toContain(message);
    expect(events).toContainEqual(expect.objectContaining({ type: "Warning", reason: "NothingToCompare" }));
  });

  test("with none that succeeded stays so through edits, once a run has begun without", async () => {
    const world = start(spec);
    putBeside(world, { phase: "Running" });
    await ended(world);
    await beside(world, { "read a": done({ output: "before" }) });
    const before = world.requests.length;
    world.edit({ ...spec, inputs: { sites: [...SITES, "new"] } });
    await ended(world);
    expect(told(world, before)).toEqual({ "read new": undefined, write: undefined, plain: undefined });
  });

  test("takes what has succeeded by the time the run starts", async () => {
    const world = start({ ...spec, suspend: true });
    putBeside(world, { phase: "Running" });
    await world.settle({ rounds: 2 });
    await beside(world, { "read a": done({ output: "before" }) });
    world.edit(spec);
    await ended(world);
    expect(told(world)["read a"]).toBe("before");
  });

  test("with itself is no loop: there is no run before its first", async () => {
    const world = await succeeded({ ...SPEC, compareWith: REF.name });
    expect(told(world)["read a"]).toBeUndefined();
    expect(compared(world)?.reason).toBe("NothingToCompare");
  });

  test("another one is another run", async () => {
    const world = start(spec);
    await beside(world, { "read a": done({ output: "before" }) });
    await ended(world);
    const { workflow } = world.status;
    const before = world.requests.length;
    world.edit(SPEC);
    await ended(world);
    expect(world.status.workflow).not.toBe(workflow);
    expect(told(world, before)).toEqual({ "read a": undefined, write: undefined });
    expect(compared(world)).toBeUndefined();
  });

  test("is frozen: what the other workload does meanwhile changes nothing of the run", async () => {
    const world = start(spec);
    const first = await beside(world, { "read a": done({ output: "before" }), write: done({ output: "w1" }) });
    await world.settle({ rounds: 1 });
    await beside(world, { "read a": done({ output: "later" }), write: done({ output: "w2" }) });
    await ended(world);
    expect(told(world)).toMatchObject({ "read a": "before", write: "w1" });
    expect(world.status.comparedWith?.results).toBe(first);
  });

  test.each([
    [
      "all bytes of the other workload",
      (key: string, _results: string) => !key.startsWith(`${OTHER.namespace}/${OTHER.uid}/`),
    ],
    ["the list of its results", (key: string, results: string) => key !== results],
  ])("where %s are gone the run goes on without, and says so for good", async (_what, keep) => {
    const world = start(spec);
    const results = await beside(world, { "read a": done({ output: "before" }) });
    world.loseBytes((key) => keep(key, results));
    await ended(world);
    expect(told(world)["read a"]).toBeUndefined();
    expect(compared(world)).toMatchObject({ status: "False", reason: "PreviousResultsLost" });
  });

  test("where the store is away the run waits for it", async () => {
    const world = start(spec);
    const results = await beside(world, { "read a": done({ output: "before" }) });
    const { get } = world.deps.artifacts;
    let away = true;
    Object.assign(world.deps.artifacts, {
      get: (...given: Parameters<typeof get>) =>
        away && given[1] === results
          ? Promise.reject(new RetryableError("ArtifactStoreUnavailable", "away"))
          : get(...given),
    });
    for (let round = 0; round < 5; round++) await world.settle({ rounds: 1 });
    expect(world.requests).toEqual([]);
    away = false;
    await ended(world);
    expect(told(world)["read a"]).toBe("before");
  });

  test("in a pipeline none of whose steps asks says so", async () => {
    const [, , plain] = pipeline.steps;
    const world = start(spec, {
      pipeline: pipelineOf({
        ...pipeline,
        steps: [pipeline.steps[0], plain].map((step) => ({ ...step, previous: undefined })),
      }),
    });
    await beside(world, { "read a": done() });
    await ended(world);
    expect(compared(world)?.message).toContain("no step of pipeline p says previous: true");
  });
});

describe("a Workflow whose annotation somebody changed", () => {
  const attacks: [string, (world: Harness) => unknown][] = [
    [
      "another workload's bytes",
      () => ({
        workload: "x",
        uid: "victim",
        results: artifactKey({ namespace: "victim", uid: "victim" }, sha256("x"), "json"),
      }),
    ],
    [
      "a uid that leaves the namespace",
      () => ({
        workload: "x",
        uid: "../victim/victim",
        results: artifactKey({ namespace: "victim", uid: "victim" }, sha256("x"), "json"),
      }),
    ],
    ["no comparison", () => "nothing"],
  ];
  test.each(attacks)("to %s gets none of them", async (_what, forged) => {
    const world = start({ ...SPEC, compareWith: OTHER.name });
    await beside(world, { "read a": done({ output: "before" }) });
    await world.look();
    await world.look();
    const stolen: RunResults = {
      run: "r",
      finishedAt: "2026-01-01T00:00:00.000Z",
      results: [
        {
          step: "read",
          item: "a",
          result: await world.deps.results.put({ namespace: "victim", uid: "victim" }, done({ output: "secret" })),
        },
      ],
    };
    await world.deps.artifacts.put({ namespace: "victim", uid: "victim" }, canonicalJson(stolen), "json");
    world.editWorkflow((workflow) => {
      const text = canonicalJson(forged(world)).replaceAll(sha256("x"), sha256(canonicalJson(stolen)));
      const annotations = { ...workflow.metadata.annotations, [COMPARISON_ANNOTATION]: text };
      return { ...workflow, metadata: { ...workflow.metadata, annotations } };
    });
    await ended(world);
    expect(JSON.stringify(world.requests)).not.toContain("secret");
    expect(told(world)["read a"]).toBeUndefined();
  });
});
