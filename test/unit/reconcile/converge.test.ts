import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { reconcile } from "../../../functions/reconcile/reconcile.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import { NO_USAGE, type StepRequest, type StepResult } from "../../../lib/step.ts";
import { type Chance, modelCluster } from "./model.ts";
import { REF, SITES, specOf, T0, UID } from "./world.ts";

const workload: KubeObject = {
  apiVersion: "agentic.dev/v1alpha1",
  kind: "AgentWorkload",
  metadata: {
    ...REF,
    uid: UID,
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: T0,
    finalizers: [],
    labels: {},
    annotations: {},
  },
  spec: specOf({ replicas: 2 }),
};

/** Site 4 never answers; everything else works. */
function resultOf({ step, input }: StepRequest): StepResult {
  if (step === "scrape" && input.item === SITES[4])
    return { outcome: "failed", reason: "Timeout", message: "no answer", artifacts: {}, usage: NO_USAGE };
  return { outcome: "succeeded", output: step, artifacts: { [step]: `${UID}/${step}` }, usage: NO_USAGE };
}

type Cluster = ReturnType<typeof modelCluster>;
const look = (cluster: Cluster) => reconcile(REF, cluster.deps).catch(() => undefined);

/** What may happen, in any order and any number of times. */
const HAPPENINGS: Record<string, (cluster: Cluster) => unknown> = {
  "an event, or the resync": look,
  "two events at once": (cluster) => Promise.all([look(cluster), look(cluster)]),
  "Argo looks": (cluster) => cluster.argo(),
  "a request arrives, is lost, or comes again": (cluster) => cluster.deliver(resultOf),
  "half a minute passes": (cluster) => cluster.forgetRequests(),
};
const happenings = fc.array(fc.constantFrom(...Object.keys(HAPPENINGS)), { minLength: 10, maxLength: 80 });
const chances = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 50, maxLength: 50 });

function chanceFrom(numbers: readonly number[]): Chance {
  let at = 0;
  return { next: () => numbers[at++ % numbers.length] ?? 0 };
}

async function play(cluster: Cluster, names: readonly string[]): Promise<void> {
  for (const name of names) await HAPPENINGS[name]?.(cluster);
}

/** The outside behaves from here on, and every event arrives. */
async function calm(cluster: Cluster, decision: "approved" | "rejected"): Promise<void> {
  for (let round = 0; round < 60; round++) {
    cluster.forgetRequests();
    cluster.argo();
    await look(cluster);
    cluster.deliver(resultOf);
    cluster.deliver(resultOf);
    cluster.decide(decision);
  }
}

describe("whatever is lost, repeated, reordered or half done", () => {
  test.each([
    ["approved", "Succeeded"],
    ["rejected", "Rejected"],
  ] as const)("a run that is %s ends as %s", async (decision, phase) => {
    await fc.assert(
      fc.asyncProperty(happenings, chances, async (names, numbers) => {
        const faults = { rate: 0.15 };
        const cluster = modelCluster(workload, SITES, chanceFrom(numbers), faults);
        await play(cluster, names);
        faults.rate = 0;
        await calm(cluster, decision);
        const status = cluster.object?.status as { phase: string; sites: object; review: object };
        expect(status.phase).toBe(phase);
        expect(status.sites).toEqual({ total: 5, scraped: 4, analyzed: 4, failed: 1, progress: "4/5" });
        expect(status.review).toMatchObject({ decision, by: "ann" });
        expect(cluster.workflow?.status).toMatchObject({ phase: "Succeeded" });
        // What has ended is never asked for again: a step runs once, whatever became of its events.
        expect([...cluster.executed.values()].filter((times) => times > 1)).toEqual([]);
        expect(cluster.executed.size).toBe(5 + 4 + (decision === "approved" ? 1 : 0));
        expect(cluster.asked).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  });

  test("a workload that is deleted at any moment leaves nothing", async () => {
    await fc.assert(
      fc.asyncProperty(happenings, chances, async (names, numbers) => {
        const faults = { rate: 0.15 };
        const cluster = modelCluster(workload, SITES, chanceFrom(numbers), faults);
        await play(cluster, names);
        cluster.remove();
        await play(cluster, ["an event, or the resync", "Argo looks", "an event, or the resync"]);
        faults.rate = 0;
        for (let round = 0; round < 4; round++) await look(cluster);
        expect([cluster.object, cluster.workflow, cluster.left]).toEqual([
          undefined,
          undefined,
          { states: 0, artifacts: 0 },
        ]);
      }),
      { numRuns: 40 },
    );
  });
});
