import { beforeEach, describe, expect, test } from "vitest";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { sha256 } from "../../../engine/canonical.ts";
import { failedResult } from "../../../engine/result.ts";
import { runSpanId, stepSpanId, traceId } from "../../../engine/trace.ts";
import { endedRunOf, evidenceOfRun } from "../../../functions/reconcile/workload/ended-run.ts";
import type { Observed, SpecView } from "../../../functions/reconcile/workload/observe.ts";
import type { Progress } from "../../../functions/reconcile/workload/progress.ts";
import { RetryableError } from "../../../lib/errors.ts";
import { type EndedRun, recordRun } from "../../../lib/telemetry/run-spans.ts";
import { collectSpans } from "../../telemetry/spans.ts";
import { createHarness, done, type Harness, keyOf, pipelineOf, WORKLOAD } from "./harness.ts";

const { spans, reset } = collectSpans();
beforeEach(reset);

const chain = pipelineOf({
  inputs: { schema: { type: "object", properties: { items: { type: "array" } } } },
  steps: [
    { name: "fetch", agent: "fetch", forEach: "inputs.items" },
    { name: "review", after: ["fetch"], gate: {} },
    { name: "write", agent: "write", after: ["review", "fetch"] },
  ],
});
const start = (): Harness =>
  createHarness({
    pipeline: chain,
    spec: { inputs: { items: ["a", "b"] }, tolerate: { failedItems: 1 } },
    answer: ({ step, input }) =>
      input.item === "b" ? failedResult("Blocked", "the site blocks") : done({ artifacts: { [step]: keyOf(step) } }),
  });

describe("the trace of a run", () => {
  test("is told once it has ended: the run, its steps and gates, under ids that others know", async () => {
    const world = start();
    await world.settle({ decision: "approved" });
    const [ended, ...more] = world.recordedRuns;
    if (!ended) throw new Error("no run was recorded");
    expect(more).toEqual([]);
    recordRun(ended);
    const { seed } = ended;
    const all = spans();
    expect(new Set(all.map(({ traceId }) => traceId))).toEqual(new Set([world.status.trace]));
    expect(traceId(seed)).toBe(world.status.trace);
    expect(all.map(({ name, id, parent }) => [name, id, parent])).toEqual([
      ["step fetch", stepSpanId(seed, "fetch", 0), runSpanId(seed)],
      ["step fetch", stepSpanId(seed, "fetch", 1), runSpanId(seed)],
      ["step write", stepSpanId(seed, "write"), runSpanId(seed)],
      ["gate review", stepSpanId(seed, "review"), runSpanId(seed)],
      ["run p", runSpanId(seed), undefined],
    ]);
    expect(all[1]).toMatchObject({
      status: "the site blocks",
      attributes: { "agentic.item": "b", "agentic.outcome": "failed", "error.type": "Blocked" },
    });
    expect(all[3]?.attributes).toMatchObject({ "agentic.outcome": "approved", "agentic.decision.by": "ann" });
    for (const { attributes } of all) expect(attributes).toMatchObject({ "agentic.workload.name": "demo" });
  });

  test("is not told again by a look after its end, though Argo does not say when that was", async () => {
    const world = start();
    await world.settle({ decision: "approved" });
    const { finishedAt, ...running } = world.status;
    const seen = (status: object) => {
      const object = { ...world.objects.workload, status } as Observed["object"];
      const progress = { steps: [], gates: [] } as unknown as Progress;
      const spec = { state: "accepted", run: world.recordedRuns[0]?.run } as SpecView;
      return endedRunOf({ object, spec, others: [], progress }, world.status);
    };
    expect(seen(running)).toMatchObject({ phase: "Succeeded" });
    expect(seen({ ...running, finishedAt })).toBeUndefined();
  });

  test("its evidence is kept before the status says that it ended, and is the same after a death in between", async () => {
    const world = start();
    const signEvidence = async (ended: EndedRun) => JSON.stringify(evidenceOfRun(ended));
    Object.assign(world.deps, { signEvidence });
    await world.settle({ decision: "approved" });
    const { evidence } = world.status;
    expect(world.artifactKeys).toContain(evidence);
    const [ended] = world.recordedRuns;
    const said = await signEvidence(ended as EndedRun);
    expect(evidence).toBe(artifactKey(WORKLOAD, sha256(said), "json"));
    expect(JSON.parse(said)).toMatchObject({
      subject: [{ name: "write", digest: { sha256: sha256("write") } }],
      predicate: { phase: "Succeeded", workload: { name: "demo" } },
    });
    expect(said).toContain('"by":"ann"');
    await world.look();
    expect(world.status.evidence).toBe(evidence);
  });

  test("a run whose evidence cannot be kept has not ended yet", async () => {
    const world = start();
    Object.assign(world.deps, { signEvidence: async () => "evidence" });
    const { put } = world.deps.artifacts;
    let away = true;
    Object.assign(world.deps.artifacts, {
      put: (...given: Parameters<typeof put>) =>
        away && given[1] === "evidence"
          ? Promise.reject(new RetryableError("ArtifactStoreUnavailable", "away"))
          : put(...given),
    });
    await world.settle({ decision: "approved" });
    expect(world.status.finishedAt).toBeUndefined();
    away = false;
    await world.look();
    expect(world.status).toMatchObject({
      phase: "Succeeded",
      evidence: artifactKey(WORKLOAD, sha256("evidence"), "json"),
    });
  });

  test("begins with the requests: what an agent does is below its step", async () => {
    const world = start();
    await world.settle({ decision: "approved" });
    const { seed } = world.recordedRuns[0] ?? {};
    if (seed === undefined) throw new Error("no run was recorded");
    const traceparent = `00-${traceId(seed)}-${stepSpanId(seed, "fetch", 1)}-01`;
    expect(world.traces).toContainEqual(expect.objectContaining({ traceparent, pipeline: "agentic-system/p" }));
  });

  test("is told again, alike, when the process died before the status said that the run ended", async () => {
    const world = start();
    const { putStatus } = world.deps.kube.workloads;
    let deaths = 0;
    world.deps.kube.workloads.putStatus = async (object, status) => {
      if ((status as { finishedAt?: string }).finishedAt && deaths++ === 0) throw new Error("the process dies here");
      return putStatus(object, status);
    };
    await world.settle({ decision: "approved" });
    const [first, second, ...more] = world.recordedRuns;
    expect([deaths, more.length]).toEqual([2, 0]);
    expect(second).toEqual(first);
  });
});
