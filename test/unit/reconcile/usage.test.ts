import { describe, expect, test } from "vitest";
import { NO_USAGE } from "../../../engine/result.ts";
import type { ModelUse } from "../../../lib/model/ledger.ts";
import { type Accounts, type Claim, NO_ACCOUNTS, parseAccounts, settle } from "../../../lib/quota/accounts.ts";
import type { UsageRecord } from "../../../lib/usage/record.ts";
import { createHarness, done, type Harness, type HarnessOptions, pipelineOf, REF, UID } from "./harness.ts";
import { resyncOf } from "./resync-of.ts";

// What runs used, as reconcile records it: however they end, once, whenever it dies.

const PIPELINE = pipelineOf({
  inputs: { schema: { type: "object", properties: { items: { type: "array" }, tone: { type: "string" } } } },
  steps: [
    { name: "read", agent: "read", forEach: "inputs.items" },
    { name: "write", agent: "write", after: ["read"], with: ["tone"] },
  ],
});
const SPEC = { inputs: { items: ["a", "b", "c"] } };

function start(over: Partial<HarnessOptions> = {}): Harness {
  const answer = () => done({ usage: { ...NO_USAGE, browserSeconds: 2 } });
  return createHarness({ pipeline: PIPELINE, spec: SPEC, answer, ...over });
}
function bill({ ledger }: Harness, nanoUsd: number, unsettledNanoUsd = 0): void {
  const one: ModelUse = { model: "gpt", calls: 1, inputTokens: 10, cachedInputTokens: 4, outputTokens: 2, nanoUsd };
  ledger.use = { models: [one], unsettledNanoUsd };
}
function accountsIn({ objects }: Harness): Accounts {
  const text = objects.configMaps.get("agentic-usage")?.data["accounts"];
  return text === undefined ? NO_ACCOUNTS : parseAccounts(text, "agentic-usage");
}
const nano = (records: readonly UsageRecord[]): number =>
  records.flatMap(({ models }) => models).reduce((sum, { nanoUsd }) => sum + nanoUsd, 0);
const endings = (world: Harness) => world.usage.map(({ part, ended }) => [part.slice(0, 4), ended]);
/** What the licence counted is what the records say, and there is one for each run. */
function expectCounted(world: Harness): void {
  const runs = world.usage.filter(({ part }) => part !== "rest");
  const { spent, recorded = {} } = accountsIn(world);
  expect(runs.reduce((sum, { items }) => sum + items, 0)).toBe(spent);
  expect(recorded).toEqual(runs.length === 0 ? {} : { "2026-01": runs.length });
}
/** Until an end is told that was not told before. */
async function untilEnd(world: Harness, before?: string): Promise<void> {
  for (let round = 0; round < 20 && (!world.status.finishedAt || world.status.finishedAt === before); round++) {
    await world.look();
    world.argo();
    await world.deliverAll();
    world.pass(31_000);
  }
}
/** Until it is under way. */
async function begin(world: Harness): Promise<void> {
  await world.look();
  world.argo();
  await world.look();
}
async function deleted(world: Harness, rounds = 4): Promise<void> {
  world.remove();
  for (let round = 0; round < rounds; round++) await world.look();
}

describe("a run is recorded once", () => {
  test("when it has succeeded, with what the licence counts, and is announced", async () => {
    const world = start();
    bill(world, 500, 30);
    await world.settle();
    expect(world.status.phase).toBe("Succeeded");
    expect(world.usage).toMatchObject([
      {
        namespace: REF.namespace,
        workload: REF.name,
        uid: UID,
        pipeline: "agentic-system/p",
        ended: "ended",
        month: "2026-01",
        items: 3,
        browserMs: 8000,
        models: [{ model: "gpt", nanoUsd: 500, cachedInputTokens: 4 }],
        unsettledNanoUsd: 30,
        lacks: [],
      },
    ]);
    expectCounted(world);
    expect(world.usageEvents).toMatchObject([{ id: `${UID}-${world.usage[0]?.part}`, subject: REF.namespace }]);
    await resyncOf(world);
    await world.look();
    expect(world.usage).toHaveLength(1);
  });

  test("when it has failed, and when it was stopped", async () => {
    const failed = start({ answer: () => ({ ...done(), outcome: "failed", reason: "Bad", message: "bad" }) });
    bill(failed, 7);
    await failed.settle();
    expect([failed.status.phase, endings(failed), nano(failed.usage)]).toEqual(["Failed", [["run-", "ended"]], 7]);
    expectCounted(failed);
    const stopped = start();
    await begin(stopped);
    bill(stopped, 9);
    stopped.edit({ ...SPEC, stop: true });
    await stopped.settle();
    expect([stopped.status.phase, endings(stopped), nano(stopped.usage)]).toEqual(["Failed", [["run-", "ended"]], 9]);
    expectCounted(stopped);
  });

  test("when another spec takes its place; what it used is not the other's, and shared steps are paid once", async () => {
    const world = start();
    await begin(world);
    await world.deliverOnly("read");
    await world.look();
    bill(world, 100);
    world.edit({ inputs: { ...SPEC.inputs, tone: "short" } });
    await world.look();
    expect(endings(world)).toEqual([["run-", "superseded"]]);
    bill(world, 150);
    await untilEnd(world);
    expect(endings(world)).toEqual([
      ["run-", "superseded"],
      ["run-", "ended"],
    ]);
    expect(world.usage.map((one) => [nano([one]), one.items, one.browserMs])).toEqual([
      [100, 3, 6000],
      [50, 3, 2000],
    ]);
    expectCounted(world);
  });

  test("when it is tried again with other terms: its items count once, and what the second try cost", async () => {
    let fails = true;
    const answer = () => (fails ? { ...done(), outcome: "failed" as const, reason: "Bad", message: "bad" } : done());
    const world = start({ answer });
    bill(world, 10);
    await world.settle();
    fails = false;
    bill(world, 15);
    const { finishedAt } = world.status;
    world.edit({ ...SPEC, tolerate: { failedItems: 1 } });
    await untilEnd(world, finishedAt);
    expect(world.status.phase).toBe("Succeeded");
    expect(world.usage.map((one) => [one.items, nano([one])])).toEqual([
      [3, 10],
      [0, 5],
    ]);
    expectCounted(world);
  });

  test("not where it never began: suspended, or in the queue", async () => {
    const world = start();
    world.edit({ ...SPEC, suspend: true });
    await world.look();
    await deleted(world);
    expect([world.workload, world.usage]).toEqual([undefined, []]);
    expectCounted(world);
    const queued = start();
    const limits = { workloadsAtOnce: 1 };
    queued.licence.reading = { iss: "i", sub: "s", plan: "p", iat: 0, nbf: 0, exp: 253_402_300_799, grace: 0, limits };
    const first = { namespace: "team-b", uid: "first", name: "first", created: "2025-01-01T00:00:00Z" };
    const claim: Claim = { ...first, need: "work", spent: 0, month: "2026-01", run: { id: "r", hasBegun: false } };
    await queued.deps.quotas.change("*", (before) => settle(before, {}, claim).accounts);
    await queued.look();
    expect(accountsIn(queued).workloads[UID]?.open?.wants).toBe(3);
    await deleted(queued);
    expect([queued.workload, Object.keys(accountsIn(queued).workloads), queued.usage]).toEqual([
      undefined,
      ["first"],
      [],
    ]);
  });
});

describe("a workload that is deleted", () => {
  test("while it runs: what it used until then, and what its last calls cost, before it goes", async () => {
    const world = start();
    await begin(world);
    await world.deliverOnly("read");
    await world.look();
    bill(world, 100, 20);
    // Calls that are in flight end while their steps are stopped.
    Object.assign(world.deps, { dropSteps: async () => bill(world, 130) });
    await deleted(world);
    expect(world.workload).toBeUndefined();
    expect(endings(world)).toEqual([
      ["run-", "deleted"],
      ["rest", "deleted"],
    ]);
    expect(world.usage.map((one) => [nano([one]), one.browserMs, one.unsettledNanoUsd])).toEqual([
      [100, 6000, 20],
      [30, 0, -20],
    ]);
    expectCounted(world);
    expect(world.left).toMatchObject({ artifacts: 0, decisions: 0 });
  });

  test("after its end leaves its records as they are", async () => {
    const world = start();
    bill(world, 5);
    await world.settle();
    const before = world.usage;
    await deleted(world);
    expect([world.workload, world.usage]).toEqual([undefined, before]);
  });

  test("does not wait for ever for a store that is gone, nor for Redis: the results of its steps say what it cost", async () => {
    const world = start();
    await begin(world);
    Object.assign(world.deps, { readUse: async () => Promise.reject(new Error("Redis is gone")) });
    await deleted(world, 1);
    expect(world.usage).toMatchObject([{ lacks: ["ledger"] }]);
    const storeless = start();
    await begin(storeless);
    const gone = async () => Promise.reject(new Error("the store is gone"));
    Object.assign(storeless.deps, { usage: { of: gone, add: gone, inMonth: gone } });
    await deleted(storeless);
    expect(storeless.workload).toBeDefined();
    storeless.pass(3 * 60_000);
    await storeless.look();
    expect([storeless.workload, accountsIn(storeless).workloads]).toEqual([undefined, {}]);
    expect(accountsIn(storeless).recorded).toBeUndefined();
  });

  test("with its finalizer taken away is recorded by the resync", async () => {
    const world = start();
    await begin(world);
    bill(world, 11);
    world.objects.workload = undefined;
    await resyncOf(world);
    expect(world.usage).toMatchObject([{ ended: "gone", workload: REF.name, items: 3, lacks: ["results"] }]);
    expect(nano(world.usage)).toBe(11);
    expectCounted(world);
  });
});

describe("reconcile", () => {
  test("may die after any call: one record a run, and the licence counts what it says", async () => {
    for (let calls = 0; calls < 40; calls++) {
      const faults = { rate: 0, callsLeft: undefined as number | undefined };
      const world = start({ faults });
      bill(world, 100);
      for (let round = 0; round < 12; round++) {
        await world.look();
        world.argo();
        await world.deliverAll();
        faults.callsLeft = calls;
        await world.look();
        faults.callsLeft = undefined;
        world.pass(31_000);
      }
      await world.settle();
      expect([calls, nano(world.usage), world.usage.length]).toEqual([calls, 100, 1]);
      expectCounted(world);
    }
  });

  test("of two processes at once one record is kept, and the account of the next run is not closed for that of the one before", async () => {
    const world = start();
    await begin(world);
    bill(world, 100);
    world.edit({ inputs: { ...SPEC.inputs, tone: "short" } });
    const { add } = world.deps.usage;
    let first = true;
    Object.assign(world.deps.usage, {
      add: async (...args: Parameters<typeof add>) => {
        if (first) {
          first = false;
          // The other process is faster, and has the next run end, too.
          await world.settle();
        }
        return add(...args);
      },
    });
    await world.look();
    expect(endings(world)).toEqual([
      ["run-", "superseded"],
      ["run-", "ended"],
    ]);
    expectCounted(world);
  });

  test("counts what a run used after its clock was set back in the latest month that was seen", async () => {
    const world = start();
    await begin(world);
    const ahead = { month: "2026-03", latest: "2026-03-01T00:00:00.000Z" };
    await world.deps.quotas.change("*", (before) => ({ ...before, ...ahead }));
    await world.settle();
    expect(world.usage).toMatchObject([{ month: "2026-03", items: 3 }]);
    expect(accountsIn(world)).toMatchObject({ month: "2026-03", spent: 3, recorded: { "2026-03": 1 } });
  });

  test("ends a run though the Broker takes no announcement", async () => {
    const world = start();
    const { send } = world.deps;
    Object.assign(world.deps, {
      send: async (event: Parameters<typeof send>[0]) => {
        if (event.type === "dev.agentic.usage.recorded") throw new Error("no Broker");
        return send(event);
      },
    });
    await world.settle();
    expect([world.status.phase, world.usage.length, world.usageEvents]).toEqual(["Succeeded", 1, []]);
    expect(accountsIn(world)).toMatchObject({ workloads: {}, spent: 3, recorded: { "2026-01": 1 } });
  });

  test("waits with the record until nobody works on a step any more", async () => {
    const world = start();
    await begin(world);
    bill(world, 1);
    let working = true;
    Object.assign(world.deps, { isWorkedOn: async () => working });
    await world.settle();
    expect([world.status.phase, world.usage]).toEqual(["Succeeded", []]);
    bill(world, 2);
    working = false;
    expect(await resyncOf(world)).toEqual([REF.name]);
    await world.look();
    expect([nano(world.usage), world.usage[0]?.browserMs]).toEqual([2, 8000]);
    expectCounted(world);
  });
});
