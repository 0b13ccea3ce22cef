import { beforeEach, describe, expect, test } from "vitest";
import { failedResult } from "../../../engine/result.ts";
import { runSpanId, stepSpanId, traceId } from "../../../engine/trace.ts";
import { endedRunOf } from "../../../functions/reconcile/workload/ended-run.ts";
import type { Observed, SpecView } from "../../../functions/reconcile/workload/observe.ts";
import type { Progress } from "../../../functions/reconcile/workload/progress.ts";
import { recordRun } from "../../../lib/telemetry/run-spans.ts";
import { collectSpans } from "../../telemetry/spans.ts";
import { createHarness, done, type Harness, keyOf, pipelineOf } from "./harness.ts";

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
