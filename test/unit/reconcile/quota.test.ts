import { describe, expect, test } from "vitest";
import { resync } from "../../../functions/reconcile/resync.ts";
import { type ReconcileDeps, reconcileWorkload } from "../../../functions/reconcile/workload/reconcile.ts";
import { RetryableError } from "../../../lib/errors.ts";
import { type Accounts, type Claim, NO_ACCOUNTS, parseAccounts, settle } from "../../../lib/quota/accounts.ts";
import { createHarness, done, type Harness, type HarnessOptions, pipelineOf, REF, UID } from "./harness.ts";
import { resyncOf } from "./resync-of.ts";

// A workload in a namespace that has a quota.

const gated = pipelineOf({
  steps: [
    { name: "read", agent: "read" },
    { name: "review", after: ["read"], gate: {} },
    { name: "write", agent: "write", after: ["review"] },
  ],
});

const USAGE = "agentic-usage-team-a";
const BUDGET = { budget: { maxUsd: "5" } };

function quota(world: Harness, text: string | undefined): void {
  const name = "agentic-quotas";
  if (text === undefined) world.objects.configMaps.delete(name);
  else world.objects.configMaps.set(name, { name, resourceVersion: "1", data: { "team-a": text } });
}

function start(text: string | undefined, over: Partial<HarnessOptions> = {}): Harness {
  const world = createHarness({ pipeline: gated, spec: {}, answer: () => done(), ...over });
  quota(world, text);
  return world;
}

function accountsIn({ objects }: Harness): Accounts {
  const text = objects.configMaps.get(USAGE)?.data["accounts"];
  return text === undefined ? NO_ACCOUNTS : parseAccounts(text, USAGE);
}
const account = (world: Harness) => accountsIn(world).workloads[UID];
const ready = ({ status }: Harness) => status.conditions?.find(({ type }) => type === "Ready");

/** Another workload of the namespace. */
async function other({ deps }: Harness, need: Claim["need"], over: Partial<Claim> = {}): Promise<void> {
  const one = { namespace: REF.namespace, uid: "other", name: "other", created: "2025-01-01T00:00:00Z" };
  const claim: Claim = { ...one, need, spent: 0, month: "2026-01", ...over };
  await deps.quotas.change(REF.namespace, (before) => settle(before, { maxRunning: 1 }, claim).accounts);
}

async function untilPhase(world: Harness, phase: string): Promise<void> {
  for (let round = 0; round < 20 && world.status.phase !== phase; round++) await world.settle({ rounds: 1 });
  expect(world.status.phase).toBe(phase);
}

describe("a workload without a place", () => {
  test("is Pending, says why, and starts nothing; when the other has ended it is woken, and goes its way", async () => {
    const world = start("maxRunning: 1");
    await other(world, "work");
    await world.settle({ rounds: 3 });
    expect(world.status).toMatchObject({ phase: "Pending" });
    expect(world.status.startedAt).toBeUndefined();
    expect(ready(world)).toMatchObject({
      status: "False",
      reason: "Queued",
      message: "Namespace team-a runs 1 of 1 workloads; this one goes on when one ends, in the order of their creation",
    });
    expect(world.status.conditions?.find(({ type }) => type === "Accepted")?.status).toBe("True");
    expect([world.objects.workflows.size, world.requests]).toEqual([0, []]);
    await other(world, "end");
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
    expect(account(world)).toEqual({ spent: 0 });
  });

  test("that ends gives its place to the oldest that waits, which is woken", async () => {
    const world = start("maxRunning: 1");
    await world.settle({ rounds: 1 });
    expect(account(world)?.open?.place).toBe(true);
    await other(world, "work", { uid: "younger", name: "younger", created: "2026-03-01T00:00:00Z" });
    await other(world, "work", { uid: "older", name: "older", created: "2026-02-01T00:00:00Z" });
    expect(world.woken).toEqual([]);
    await world.settle({ decision: "approved" });
    expect(new Set(world.woken)).toEqual(new Set(["team-a/older"]));
  });

  test("that is suspended leaves the queue, and nothing is noted of it", async () => {
    const world = start("maxRunning: 1");
    await other(world, "work");
    await world.settle({ rounds: 1 });
    expect(account(world)?.open?.wants).toBe(0);
    world.edit({ suspend: true });
    await world.look();
    expect([account(world)?.open, world.status.phase]).toEqual([undefined, "Suspended"]);
  });

  test.each(Array.from({ length: 40 }, (_, calls) => calls))(
    "takes one place, though reconcile dies after %i calls of its first look",
    async (calls) => {
      const faults: { rate: number; callsLeft?: number | undefined } = { rate: 0, callsLeft: calls };
      const world = start("maxRunning: 1", { faults });
      await world.look();
      faults.callsLeft = undefined;
      expect(world.objects.workflows.size === 0 || account(world)?.open?.place).toBe(true);
      await world.settle({ decision: "approved" });
      expect([world.status.phase, accountsIn(world).workloads]).toEqual(["Succeeded", { [UID]: { spent: 0 } }]);
    },
  );
});

describe("a gate", () => {
  test("gives the place back; a decision counts at once, and what follows it waits for a place", async () => {
    const world = start("maxRunning: 1");
    await untilPhase(world, "AwaitingReview");
    await world.look();
    expect(account(world)?.open).toMatchObject({ place: false });
    await other(world, "work");
    world.decide("approved");
    await world.settle({ rounds: 3 });
    expect(world.status).toMatchObject({ phase: "Pending", reviews: [{ decision: "approved" }] });
    expect(ready(world)?.reason).toBe("Queued");
    expect(world.requests.map(({ step }) => step)).toEqual(["read"]);
    await other(world, "end");
    await world.settle();
    expect(world.status.phase).toBe("Succeeded");
  });

  test("that is rejected ends its run without a place", async () => {
    const world = start("maxRunning: 1");
    await untilPhase(world, "AwaitingReview");
    await world.look();
    await other(world, "work");
    await world.settle({ decision: "rejected", rounds: 5 });
    expect(world.status.phase).toBe("Rejected");
  });

  test("at which changes are asked for notes them at once; the steps that run again wait for a place", async () => {
    const world = start("maxRunning: 1");
    await untilPhase(world, "AwaitingReview");
    await world.look();
    await other(world, "work");
    world.make("changesRequested", { comment: "look again" });
    await world.settle({ rounds: 3 });
    expect(world.status).toMatchObject({ phase: "Pending", changes: [{ comment: "look again" }] });
    expect(world.requests.map(({ step }) => step)).toEqual(["read"]);
    await other(world, "end");
    await untilPhase(world, "AwaitingReview");
    expect(world.requests.map(({ step }) => step)).toEqual(["read", "read"]);
  });

  test("a pause keeps the place as long as a step is under way", async () => {
    const world = start("maxRunning: 1");
    await world.look();
    world.argo();
    await world.look();
    world.edit({ suspend: true });
    await world.look();
    expect(account(world)?.open?.place).toBe(true);
    await world.deliverAll();
    world.pass(30_000);
    await world.look();
    expect(account(world)?.open?.place).toBe(false);
  });
});

describe("a run that an edit has ended", () => {
  test("keeps its place, and its dollars, until nobody works on its steps any more", async () => {
    const world = start('{maxRunning: 1, maxUsdPerMonth: "6"}', { spec: BUDGET });
    await world.look();
    world.argo();
    await world.look();
    world.edit({ ...BUDGET, model: { name: "other" }, suspend: true });
    await world.look();
    world.argo();
    await world.look();
    expect(world.status.phase).toBe("Suspended");
    expect(account(world)?.open).toMatchObject({ place: true, reserved: 5_000_000 });
    await world.deliverAll();
    world.spent.spentUsd = 3;
    await world.look();
    expect(account(world)).toEqual({ spent: 3_000_000 });
  });
});

describe("a quota that comes", () => {
  test("while a run is under way holds what exceeds it, until it fits", async () => {
    const world = start(undefined);
    await world.look();
    quota(world, "maxRunning: 1");
    await other(world, "work");
    world.argo();
    await world.look();
    expect([world.status.phase, world.requests]).toEqual(["Pending", []]);
    await other(world, "end");
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test("and goes lets everything go on", async () => {
    const world = start("maxRunning: 0");
    await world.settle({ rounds: 2 });
    expect(world.status.phase).toBe("Pending");
    quota(world, undefined);
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test("and is wrong starts nothing", async () => {
    const world = start("maxRuning: 9");
    await world.settle({ rounds: 2 });
    expect(ready(world)).toMatchObject({ reason: "QuotaInvalid", message: expect.stringContaining("maxRuning") });
    expect(world.objects.workflows.size).toBe(0);
  });
});

describe("dollars", () => {
  const MONTH = 'maxUsdPerMonth: "6"';
  const costly = {
    answer: () => done({ usage: { inputTokens: 1, outputTokens: 1, costUsd: 0.75, browserSeconds: 0 } }),
  };

  test("without a budget nothing starts; with one it does", async () => {
    const world = start(MONTH);
    await world.settle({ rounds: 2 });
    expect([world.status.phase, ready(world)?.reason]).toEqual(["Pending", "BudgetRequired"]);
    world.edit(BUDGET);
    await world.look();
    expect(account(world)?.open).toMatchObject({ place: true, reserved: 5_000_000 });
  });

  test("a budget that does not fit waits, with the numbers, and goes on in another month", async () => {
    const world = start(MONTH, { spec: BUDGET });
    await other(world, "work", { budget: 5_000_000 });
    await other(world, "end", { spent: 2_000_000 });
    await world.settle({ rounds: 2 });
    expect(ready(world)).toMatchObject({
      reason: "QuotaExceeded",
      message: expect.stringContaining("has $6 for 2026-01: $2 is spent, $0 is set aside"),
    });
    world.pass(31 * 24 * 3_600_000);
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test.each<[string, number, number]>([
    ["by its results", 0, 1_500_000],
    ["by its budget ledger, which also has what failed", 2, 2_300_000],
  ])("what a run cost is known %s, and what may still be booked counts", async (_what, spentUsd, expected) => {
    const world = start(MONTH, { spec: BUDGET, ...costly });
    await world.look();
    Object.assign(world.spent, { spentUsd, inFlightUsd: spentUsd === 0 ? 0 : 0.3 });
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
    expect(accountsIn(world)).toMatchObject({ spent: expected, workloads: { [UID]: { spent: expected } } });
    await world.look();
    expect(accountsIn(world).spent).toBe(expected);
  });

  test("steps are told what the accounts know to be spent, when Redis has lost the ledger", async () => {
    const known: (number | undefined)[] = [];
    const world = start(MONTH, { spec: BUDGET });
    const mintTokens: ReconcileDeps["mintTokens"] = async ({ spentUsd }) => {
      known.push(spentUsd);
      return { token: "token", egressToken: "egress" };
    };
    await world.look();
    await world.deps.quotas.change(REF.namespace, (before) => {
      const { open } = before.workloads[UID] ?? {};
      return { ...before, workloads: { [UID]: { spent: 4_000_000, ...(open ? { open } : {}) } } };
    });
    world.argo();
    await reconcileWorkload(REF, { ...world.deps, mintTokens });
    expect(known).toEqual([4]);
  });

  test("a budget that is raised in mid-run waits where it does not fit; taken back, the run goes on", async () => {
    const world = start(MONTH, { spec: BUDGET });
    await world.look();
    world.edit({ budget: { maxUsd: "7" } });
    world.argo();
    await world.look();
    expect([world.status.phase, ready(world)?.reason, world.requests]).toEqual(["Pending", "BudgetOverQuota", []]);
    world.edit(BUDGET);
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test("a failed run that is tried again with a larger budget waits until that fits", async () => {
    const failing = () => ({ ...done(), outcome: "failed" as const, reason: "BudgetExceeded", message: "spent" });
    const world = start(MONTH, { spec: BUDGET, answer: failing });
    await untilPhase(world, "Failed");
    world.edit({ budget: { maxUsd: "7" } });
    await world.look();
    expect([world.status.phase, ready(world)?.reason]).toEqual(["Pending", "BudgetOverQuota"]);
    world.edit({ budget: { maxUsd: "6" } });
    await world.look();
    expect(account(world)?.open).toMatchObject({ place: true, reserved: 6_000_000 });
  });
});

describe("a workload that is deleted", () => {
  const MONTH = 'maxUsdPerMonth: "6"';
  const started = async (over: Partial<HarnessOptions> = {}): Promise<Harness> => {
    const world = start(MONTH, { spec: BUDGET, ...over });
    await world.look();
    expect(account(world)?.open?.place).toBe(true);
    await other(world, "work");
    return world;
  };

  test("leaves what it cost in the month's sum, calls in flight at their worst, and wakes who waits", async () => {
    const world = await started();
    Object.assign(world.spent, { spentUsd: 1, inFlightUsd: 0.5 });
    world.remove();
    await world.look();
    expect([world.workload, account(world), accountsIn(world).spent]).toEqual([undefined, undefined, 1_500_000]);
    expect(world.woken).toContain("team-a/other");
  });

  test("is booked when nobody works on its steps any more", async () => {
    const world = await started();
    const dropSteps: ReconcileDeps["dropSteps"] = async (uid) => {
      await world.deps.dropSteps(uid);
      world.spent.spentUsd = 3;
    };
    world.remove();
    await reconcileWorkload(REF, { ...world.deps, dropSteps });
    expect(accountsIn(world).spent).toBe(3_000_000);
  });

  test("counts all that was set aside for it where Redis is away for good", async () => {
    const world = await started();
    const away = async (): Promise<never> => {
      throw new RetryableError("StoreUnavailable", "Redis is away");
    };
    Object.assign(world.deps, { readSpent: away, exclusively: away });
    world.remove();
    await world.look();
    expect(world.workload).toBeDefined();
    world.pass(3 * 60_000);
    await world.look();
    expect([world.workload, accountsIn(world).spent]).toEqual([undefined, 5_000_000]);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    "is counted once, though reconcile dies after %i calls",
    async (calls) => {
      const faults: { rate: number; callsLeft?: number | undefined } = { rate: 0 };
      const world = await started({ faults });
      world.spent.spentUsd = 2;
      world.remove();
      faults.callsLeft = calls;
      await world.look();
      faults.callsLeft = undefined;
      await world.look();
      await world.look();
      expect([world.workload, accountsIn(world).spent]).toEqual([undefined, 2_000_000]);
    },
  );

  test("goes also where the accounts are unreadable, after a while", async () => {
    const world = await started();
    world.objects.configMaps.set(USAGE, { name: USAGE, resourceVersion: "x", data: { accounts: "?" } });
    world.remove();
    await world.look();
    expect(world.workload).toBeDefined();
    world.pass(3 * 60_000);
    await world.look();
    expect(world.workload).toBeUndefined();
  });

  test("behind reconcile's back is found by the resync, at all that was set aside for it", async () => {
    const world = await started();
    world.objects.workload = undefined;
    await resyncOf(world);
    expect([account(world), accountsIn(world).spent]).toEqual([undefined, 5_000_000]);
  });
});

test("a resync looks at workloads while an Agent's look takes its time", async () => {
  const world = start(undefined);
  const { kube } = world.deps;
  const none = async function* () {};
  const one = async function* () {
    if (world.workload) yield world.workload;
  };
  const all = { agents: { ...kube.agents, listAll: one }, workloads: { ...kube.workloads, listAll: one } };
  const deps = { ...world.deps, kube: { ...kube, ...all, decisions: { ...kube.decisions, listAll: none } } };
  const agent = Promise.withResolvers<void>();
  const looked = Promise.withResolvers<void>();
  const ended = resync(
    deps,
    {
      agent: () => agent.promise,
      workload: async () => looked.resolve(),
      decision: async () => undefined,
      schedule: async () => undefined,
    },
    () => undefined,
  );
  await looked.promise;
  agent.resolve();
  await ended;
});

describe("a workload in the queue", () => {
  const queued = async (): Promise<Harness> => {
    const world = start("maxRunning: 1");
    await other(world, "work");
    await world.settle({ rounds: 1 });
    expect(ready(world)?.reason).toBe("Queued");
    return world;
  };

  test("costs a resync nothing until its turn has come", async () => {
    const world = await queued();
    expect(await resyncOf(world)).toEqual([]);
    quota(world, "maxRunning: 2");
    expect(await resyncOf(world)).toEqual([REF.name]);
  });

  test.each<[string, (world: Harness) => void]>([
    ["edited", (world) => world.edit({ suspend: true })],
    ["deleted", (world) => world.remove()],
    ["in a namespace whose quota is no more", (world) => quota(world, undefined)],
    ["in a namespace whose quota is wrong", (world) => quota(world, "many")],
  ])("and %s is looked at", async (_what, change) => {
    const world = await queued();
    change(world);
    expect(await resyncOf(world)).toEqual([REF.name]);
  });

  test("is still in the queue after the resync, while those that are gone have left it", async () => {
    const world = await queued();
    await resyncOf(world);
    expect(Object.keys(accountsIn(world).workloads)).toEqual([UID]);
    expect(world.woken).toContain(`${REF.namespace}/${REF.name}`);
  });
});

describe("accounts that are left open", () => {
  test("by a run that has ended are closed by the next resync", async () => {
    const world = start("maxRunning: 1");
    await world.settle({ decision: "approved" });
    expect(await resyncOf(world)).toEqual([]);
    await world.deps.quotas.change(REF.namespace, (before) => {
      const open = { name: REF.name, created: "2026-01-01T10:00:00.000Z", place: true, reserved: 0 };
      return { ...before, workloads: { [UID]: { spent: 0, open } } };
    });
    expect(await resyncOf(world)).toEqual([REF.name]);
    await world.look();
    expect(account(world)).toEqual({ spent: 0 });
  });

  test("unreadable, they say so in the status, and nothing starts", async () => {
    const world = start("maxRunning: 1");
    world.objects.configMaps.set(USAGE, { name: USAGE, resourceVersion: "x", data: { accounts: "?" } });
    await expect(reconcileWorkload(REF, world.deps)).rejects.toMatchObject({ reason: "QuotaAccountsInvalid" });
    expect(ready(world)).toMatchObject({
      reason: "QuotaAccountsInvalid",
      message: expect.stringContaining("delete it"),
    });
    expect(world.objects.workflows.size).toBe(0);
  });
});
