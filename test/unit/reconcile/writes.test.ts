import { describe, expect, test } from "vitest";
import { argoEngine } from "../../../functions/reconcile/argo/engine.ts";
import { type ReconcileDeps, reconcileWorkload } from "../../../functions/reconcile/workload/reconcile.ts";
import { RetryableError } from "../../../lib/errors.ts";
import { createHarness, done, type Harness, pipelineOf, REF } from "./harness.ts";

// What a look writes, in which order, and what keeps it from writing.

const gated = pipelineOf({
  steps: [
    { name: "first", agent: "read" },
    { name: "beside", agent: "fetch" },
    { name: "review", gate: {}, after: ["first", "beside"] },
    { name: "last", agent: "write", after: ["review"] },
  ],
});

const start = (): Harness => createHarness({ pipeline: gated, spec: {}, answer: () => done() });

async function atGate(): Promise<Harness> {
  const world = start();
  for (let round = 0; round < 20 && world.status.phase !== "AwaitingReview"; round++) await world.settle({ rounds: 1 });
  expect(world.status.phase).toBe("AwaitingReview");
  return world;
}

/** A look, and what it wrote of the workload: Events by their reason, statuses by their phase. */
async function lookAt(world: Harness): Promise<string[]> {
  const { kube } = world.deps;
  const written: string[] = [];
  const deps: ReconcileDeps = {
    ...world.deps,
    kube: {
      ...kube,
      event: async (event) => {
        written.push(`Event ${event.reason}`);
        return kube.event(event);
      },
      workloads: {
        ...kube.workloads,
        putStatus: (object, status) => {
          written.push(`status ${(status as { phase?: string }).phase}`);
          return kube.workloads.putStatus(object, status);
        },
      },
    },
  };
  await reconcileWorkload(REF, deps);
  return written;
}

describe("a look", () => {
  test("tells a new phase by an Event, and then in the status", async () => {
    const world = start();
    expect((await lookAt(world)).slice(0, 2)).toEqual(["Event Creating", "status Creating"]);
  });

  test("that finds nothing new writes nothing", async () => {
    const world = await atGate();
    await world.look();
    expect(await lookAt(world)).toEqual([]);
  });

  test("at a workload that is being deleted writes no status, which a namespace that goes would refuse", async () => {
    const world = await atGate();
    world.remove();
    expect(await lookAt(world)).toEqual([]);
    expect(world.workload).toBeUndefined();
  });

  test("settles what has ended also where a request cannot be sent", async () => {
    const world = start();
    await world.look();
    world.argo();
    await world.look();
    await world.deliverOnly("first");
    world.pass(30_000);
    const send = async (): Promise<never> => {
      throw new RetryableError("BrokerUnavailable", "the Broker is away");
    };
    await expect(reconcileWorkload(REF, { ...world.deps, send })).rejects.toThrow("the Broker is away");
    const nodes = world.workflow ? argoEngine.view(world.workflow).nodes : [];
    expect(nodes.map(({ step, phase }) => `${step} ${phase}`)).toEqual(["first Succeeded", "beside Running"]);
  });

  test("at an open gate asks to be called at its timeout", async () => {
    const world = await atGate();
    const [review] = world.status.reviews ?? [];
    expect((await world.look())?.toISOString()).toBe(review?.timeoutAt);
  });

  test("adds its finalizer beside one that somebody else added meanwhile", async () => {
    const world = start();
    const { kube } = world.deps;
    let writes = 0;
    const merge: typeof kube.workloads.merge = (ref, body) => {
      const { workload } = world.objects;
      if (writes++ === 0 && workload)
        world.objects.workload = {
          ...workload,
          metadata: { ...workload.metadata, finalizers: ["example.com/keep"], resourceVersion: "changed" },
        };
      return kube.workloads.merge(ref, body);
    };
    await reconcileWorkload(REF, { ...world.deps, kube: { ...kube, workloads: { ...kube.workloads, merge } } });
    expect(world.workload?.metadata.finalizers).toEqual(["example.com/keep", "agentic.dev/cleanup"]);
  });
});
