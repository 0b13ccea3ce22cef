import { beforeEach, expect, test, vi } from "vitest";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { createCensus } from "../../../functions/reconcile/census.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import { METRIC } from "../../../lib/telemetry/metrics.ts";
import { createHarness, done, pipelineOf, REF } from "./harness.ts";
import { resyncOf } from "./resync-of.ts";

const NOW = new Date("2026-01-01T12:00:00Z");
const active = vi.spyOn(METRIC.activeRuns, "record");
const waiting = vi.spyOn(METRIC.gateWaiting, "record");
beforeEach(() => vi.clearAllMocks());

function workload(namespace: string, status?: Partial<WorkloadStatus>): KubeObject {
  return { metadata: { namespace, name: "x" }, status } as unknown as KubeObject;
}
const review = (openedAt: string, decision?: string) => ({ gate: "review", openedAt, decision }) as never;
const pipeline = "agentic-system/p";

test("the census counts the runs that have not ended, and how long the oldest open gate has waited", () => {
  const census = createCensus(NOW);
  for (const one of [
    workload("a"),
    workload("c", { phase: "Pending" }),
    workload("a", { phase: "Running", pipeline }),
    workload("a", {
      phase: "AwaitingReview",
      pipeline,
      reviews: [review("2026-01-01T09:00:00Z", "approved"), review("2026-01-01T11:00:00Z")],
    }),
    workload("a", { phase: "AwaitingReview", pipeline, reviews: [review("2026-01-01T11:30:00Z")] }),
    workload("a", { phase: "Failed", pipeline, reviews: [review("2026-01-01T01:00:00Z")] }),
    workload("b", { phase: "Succeeded", pipeline }),
  ])
    census.take(one);
  census.record();
  const counted = active.mock.calls.map(([value, about]) => [about?.namespace, about?.phase, value]);
  const none = ["Creating", "Running", "AwaitingReview", "Suspended"];
  expect(counted).toEqual([
    ["c", "Pending", 1],
    ...none.map((phase) => ["c", phase, 0]),
    ["a", "Pending", 0],
    ["a", "Creating", 0],
    ["a", "Running", 1],
    ["a", "AwaitingReview", 2],
    ["a", "Suspended", 0],
    ...["Pending", ...none].map((phase) => ["b", phase, 0]),
  ]);
  expect(waiting.mock.calls).toEqual([
    [0, { namespace: "c", pipeline: "none" }],
    [3600, { namespace: "a", pipeline }],
    [0, { namespace: "b", pipeline }],
  ]);
});

test("the resync takes it: a run at its gate", async () => {
  const steps = [
    { name: "read", agent: "read" },
    { name: "review", gate: {}, after: ["read"] },
  ];
  const world = createHarness({ pipeline: pipelineOf({ steps, output: "read" }), spec: {}, answer: () => done() });
  for (let round = 0; round < 20 && world.status.phase !== "AwaitingReview"; round++) await world.settle({ rounds: 1 });
  await resyncOf(world);
  const counted = active.mock.calls.filter(([value]) => value > 0);
  expect(counted).toEqual([
    [1, { namespace: REF.namespace, pipeline: world.status.pipeline, phase: "AwaitingReview" }],
  ]);
  expect(waiting.mock.calls).toEqual([[expect.any(Number), expect.anything()]]);
});
