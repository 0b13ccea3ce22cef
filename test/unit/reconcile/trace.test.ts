import { beforeEach, describe, expect, test } from "vitest";
import { failedResult } from "../../../engine/result.ts";
import { runSpanId, stepSpanId, traceId } from "../../../engine/trace.ts";
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
    const { run } = ended;
    const all = spans();
    expect(new Set(all.map(({ traceId }) => traceId))).toEqual(new Set([world.status.trace]));
    expect(traceId(run)).toBe(world.status.trace);
    expect(all.map(({ name, id, parent }) => [name, id, parent])).toEqual([
      ["step fetch", stepSpanId(run, "fetch", 0), runSpanId(run)],
      ["step fetch", stepSpanId(run, "fetch", 1), runSpanId(run)],
      ["step write", stepSpanId(run, "write"), runSpanId(run)],
      ["gate review", stepSpanId(run, "review"), runSpanId(run)],
      ["run p", runSpanId(run), undefined],
    ]);
    expect(all[1]).toMatchObject({
      status: "the site blocks",
      attributes: { "agentic.item": "b", "agentic.outcome": "failed", "error.type": "Blocked" },
    });
    expect(all[3]?.attributes).toMatchObject({ "agentic.outcome": "approved", "agentic.decision.by": "ann" });
    for (const { attributes } of all) expect(attributes).toMatchObject({ "agentic.workload.name": "demo" });
  });

  test("begins with the requests: what an agent does is below its step", async () => {
    const world = start();
    await world.settle({ decision: "approved" });
    const { run } = world.recordedRuns[0] ?? {};
    if (!run) throw new Error("no run was recorded");
    expect(world.traceparents).toContain(`00-${traceId(run)}-${stepSpanId(run, "fetch", 1)}-01`);
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
