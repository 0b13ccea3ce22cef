import type { CoreV1Event } from "@kubernetes/client-node";
import { describe, expect, test } from "vitest";
import type { Licence } from "../../../lib/licence/licence.ts";
import { type Accounts, type Claim, NO_ACCOUNTS, parseAccounts, settle } from "../../../lib/quota/accounts.ts";
import { INSTALLATION } from "../../../lib/quota/scope.ts";
import { createHarness, done, type Harness, type HarnessOptions, pipelineOf, REF, UID } from "./harness.ts";
import { resyncOf } from "./resync-of.ts";

// A workload in an installation with a licence, and in one without.

const PIPELINE = pipelineOf({
  inputs: { schema: { type: "object", properties: { items: { type: "array" } } } },
  steps: [
    { name: "read", agent: "read", forEach: "inputs.items" },
    { name: "review", after: ["read"], gate: {} },
    { name: "write", agent: "write", after: ["review"] },
  ],
});
const ITEMS = ["http://a.example/", "http://b.example/", "http://c.example/"];
const SPEC = { inputs: { items: ITEMS } };

const DAY_MS = 24 * 3_600_000;
const START = Date.parse("2026-01-01T10:00:00Z");
/** That ends so many days after the harness' clock starts. */
const licence = (days: number, limits: Licence["limits"] = {}, grace = 0): Licence => ({
  iss: "tests",
  sub: "ACME",
  plan: "team",
  iat: 0,
  nbf: 0,
  exp: START / 1000 + days * 86_400,
  grace,
  limits,
});
const EXPIRED = licence(-1);
const VALID = licence(365);

function start(reading: Licence | { problem: string } | undefined, over: Partial<HarnessOptions> = {}): Harness {
  const world = createHarness({ pipeline: PIPELINE, spec: SPEC, answer: () => done(), ...over });
  world.licence.reading = reading;
  return world;
}

function accountsIn({ objects }: Harness, name = "agentic-usage"): Accounts {
  const text = objects.configMaps.get(name)?.data["accounts"];
  return text === undefined ? NO_ACCOUNTS : parseAccounts(text, name);
}
const account = (world: Harness) => accountsIn(world).workloads[UID];
const condition = ({ status }: Harness, type: "Ready" | "Licensed") =>
  status.conditions?.find((one) => one.type === type);

/** A workload of another namespace. */
async function other({ deps }: Harness, need: Claim["need"], over: Partial<Claim> = {}): Promise<void> {
  const one = { namespace: "team-b", uid: "other", name: "other", created: "2025-01-01T00:00:00Z" };
  const run = { id: "other", hasBegun: false };
  const claim: Claim = { ...one, need, spent: 0, month: "2026-01", budget: 1, run, ...over };
  await deps.quotas.change(INSTALLATION, (before) => settle(before, {}, claim).accounts);
}

async function untilPhase(world: Harness, phase: string): Promise<void> {
  for (let round = 0; round < 20 && world.status.phase !== phase; round++) await world.settle({ rounds: 1 });
  expect(world.status.phase).toBe(phase);
}

describe("a licence that has expired", () => {
  test("starts no new run, says why and what to do; renewed it does, woken or by the resync", async () => {
    const world = start(EXPIRED);
    await world.settle({ rounds: 3 });
    expect([world.status.phase, world.status.startedAt, world.objects.workflows.size]).toEqual([
      "Pending",
      undefined,
      0,
    ]);
    const said = {
      status: "False",
      reason: "LicenceExpired",
      message: expect.stringMatching(
        /^The licence of ACME \(plan team\) expired on 2025-12-31: no new run starts\. Put/,
      ),
    };
    expect([condition(world, "Ready"), condition(world, "Licensed")]).toMatchObject([said, said]);
    expect(await resyncOf(world)).toEqual([]);
    world.licence.reading = VALID;
    expect(await resyncOf(world)).toEqual([REF.name]);
    await world.settle({ decision: "approved" });
    expect([world.status.phase, condition(world, "Licensed")]).toEqual(["Succeeded", undefined]);
  });

  test("holds up no run that has begun: its steps, its gate, its report", async () => {
    const world = start(VALID);
    await world.look();
    world.argo();
    world.licence.reading = EXPIRED;
    await untilPhase(world, "AwaitingReview");
    expect(account(world)?.open).toMatchObject({ place: false, reserved: 3 });
    expect(condition(world, "Licensed")).toMatchObject({ status: "False", reason: "LicenceExpired" });
    await world.settle({ decision: "approved" });
    expect([world.status.phase, account(world)]).toEqual(["Succeeded", undefined]);
  });

  test("nor the changes that a reviewer asks for", async () => {
    const world = start(VALID);
    await untilPhase(world, "AwaitingReview");
    world.licence.reading = EXPIRED;
    world.make("changesRequested", { comment: "look again" });
    await world.settle({ rounds: 4 });
    expect(world.requests).toHaveLength(6);
    await world.settle({ decision: "approved" });
    expect([world.status.phase, accountsIn(world).spent]).toEqual(["Succeeded", 3]);
  });

  test("nor a run whose accounts were lost", async () => {
    const world = start(VALID);
    await world.look();
    world.objects.configMaps.delete("agentic-usage");
    world.licence.reading = EXPIRED;
    await world.settle({ decision: "approved" });
    expect([world.status.phase, accountsIn(world).spent]).toEqual(["Succeeded", 0]);
  });

  test("nor one that is made again, for the bytes of its end were lost", async () => {
    const world = start(VALID);
    await untilPhase(world, "AwaitingReview");
    world.decide("approved");
    for (let round = 0; round < 9 && world.requests.length < 4; round++) {
      await world.look();
      world.argo();
    }
    await world.deliverAll();
    for (let round = 0; round < 9; round++) {
      world.pass(5000);
      if ((world.workflow?.status as { phase?: string } | undefined)?.phase === "Succeeded") break;
      await world.look();
      world.argo();
    }
    expect([world.workflow?.status, world.status.finishedAt]).toMatchObject([{ phase: "Succeeded" }, undefined]);
    world.loseBytes(() => false);
    world.wipe();
    world.licence.reading = EXPIRED;
    await world.look();
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
    expect(world.requests.length).toBeGreaterThan(4);
  });

  test("starts no other run of a workload that runs, nor a failed one again", async () => {
    const world = start(VALID, { answer: () => done({ outcome: "failed", reason: "Bad", message: "bad" } as never) });
    await untilPhase(world, "Failed");
    world.licence.reading = EXPIRED;
    world.edit({ ...SPEC, tolerate: { failedItems: 3 } });
    await world.settle({ rounds: 3 });
    expect([world.status.phase, condition(world, "Ready")?.reason]).toEqual(["Pending", "LicenceExpired"]);
    const edited = start(VALID);
    await edited.look();
    edited.licence.reading = EXPIRED;
    edited.edit({ inputs: { items: ITEMS.slice(1) } });
    await edited.settle({ rounds: 3 });
    expect([edited.status.phase, condition(edited, "Ready")?.reason]).toEqual(["Pending", "LicenceExpired"]);
    expect(edited.requests).toEqual([]);
  });

  test("takes no place of the namespace's quota for what cannot start", async () => {
    const world = start(EXPIRED);
    const name = "agentic-quotas";
    world.objects.configMaps.set(name, { name, resourceVersion: "1", data: { "team-a": "maxRunning: 1" } });
    await world.settle({ rounds: 3 });
    expect(condition(world, "Ready")?.reason).toBe("LicenceExpired");
    expect(accountsIn(world, "agentic-usage-team-a").workloads[UID]?.open?.place).not.toBe(true);
    world.licence.reading = VALID;
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });
});

describe("what is said of a licence", () => {
  test.each<[string, Licence | { problem: string } | undefined, string | undefined, string | undefined]>([
    ["without one: nothing", undefined, undefined, undefined],
    ["of one for long: nothing", VALID, undefined, undefined],
    ["of one that ends soon", licence(20), "True", "LicenceEndsSoon"],
    ["of one in its grace", licence(-1, {}, 14), "True", "LicenceInGrace"],
    ["of one that does not count", { problem: "its signature is wrong" }, "False", "LicenceInvalid"],
  ])("%s, and the run goes its way", async (_what, reading, status, reason) => {
    const events: CoreV1Event[] = [];
    const world = start(reading);
    const { event } = world.deps.kube;
    Object.assign(world.deps.kube, {
      event: async (one: Parameters<typeof event>[0]) => {
        events.push(one);
      },
    });
    await untilPhase(world, "AwaitingReview");
    const licensed = condition(world, "Licensed");
    expect([licensed?.status, licensed?.reason]).toEqual([status, reason]);
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
    const said = events.filter((one) => one.reason === reason);
    expect(said.map(({ type, message }) => [type, message])).toEqual(reason ? [["Warning", licensed?.message]] : []);
  });

  test("by an Event is said once where it is why the workload waits", async () => {
    const events: (string | undefined)[] = [];
    const world = start(EXPIRED);
    Object.assign(world.deps.kube, { event: async ({ reason }: CoreV1Event) => void events.push(reason) });
    await world.settle({ rounds: 3 });
    expect(events).toEqual(["LicenceExpired"]);
  });
});

describe("limits of the installation", () => {
  test("make a run wait until one of another namespace has ended", async () => {
    const world = start(licence(365, { workloadsAtOnce: 1 }));
    await other(world, "work");
    await world.settle({ rounds: 3 });
    expect(condition(world, "Ready")).toMatchObject({
      reason: "LicenceLimitReached",
      message: expect.stringMatching(/^This installation runs 1 of the 1 workloads/),
    });
    expect([world.status.phase, world.objects.workflows.size]).toEqual(["Pending", 0]);
    await other(world, "end");
    await world.settle({ decision: "approved" });
    expect(world.status.phase).toBe("Succeeded");
  });

  test("one that ends wakes the next, in its namespace", async () => {
    const world = start(licence(365, { workloadsAtOnce: 1 }));
    await world.look();
    await world.deps.quotas.change(INSTALLATION, (before) => {
      const run = { namespace: "team-b", id: "r" };
      const open = { name: "next", created: "2026-02-01T00:00:00Z", place: false, reserved: 0, wants: 1, run };
      return { ...before, workloads: { ...before.workloads, next: { spent: 0, open } } };
    });
    expect(world.woken).toEqual([]);
    await world.settle({ decision: "approved" });
    expect(new Set(world.woken)).toEqual(new Set(["team-b/next"]));
  });

  test("a limit that a run waits for takes no place of its namespace, and one of its namespace none of the installation", async () => {
    const world = start(licence(365, { workloadsAtOnce: 1 }));
    const name = "agentic-quotas";
    world.objects.configMaps.set(name, { name, resourceVersion: "1", data: { "team-a": "maxRunning: 0" } });
    await world.settle({ rounds: 2 });
    expect([condition(world, "Ready")?.reason, account(world)]).toEqual(["Queued", undefined]);
    world.objects.configMaps.set(name, { name, resourceVersion: "2", data: { "team-a": "maxRunning: 1" } });
    await other(world, "work");
    await world.settle({ rounds: 2 });
    expect(condition(world, "Ready")?.reason).toBe("LicenceLimitReached");
    expect(accountsIn(world, "agentic-usage-team-a").workloads[UID]?.open?.place).toBe(false);
  });

  test("of items: those of a run count once, however often it is tried, and those of another spec beside them", async () => {
    let fails = true;
    const answer: HarnessOptions["answer"] = () =>
      fails ? done({ outcome: "failed", reason: "Bad", message: "bad" } as never) : done();
    const world = start(licence(365, { itemsAMonth: 3 }), { answer });
    await untilPhase(world, "Failed");
    expect(accountsIn(world)).toMatchObject({ spent: 3, workloads: {} });
    fails = false;
    world.objects.workflows.clear();
    world.pass(30_000);
    await world.settle({ decision: "approved" });
    expect([world.status.phase, accountsIn(world).spent]).toEqual(["Succeeded", 3]);
    world.edit({ inputs: { items: ITEMS.slice(1) } });
    await world.settle({ rounds: 2 });
    expect(condition(world, "Ready")).toMatchObject({
      reason: "LicenceLimitReached",
      message: expect.stringContaining("has 3 items for 2026-01: 3 are counted"),
    });
    world.pass(31 * DAY_MS);
    await world.settle({ decision: "approved" });
    expect([world.status.phase, accountsIn(world)]).toMatchObject(["Succeeded", { month: "2026-02", spent: 2 }]);
  });

  test("of items: those that a step returns count too; a run without lists is one", async () => {
    const pipeline = pipelineOf({
      steps: [
        { name: "find", agent: "find" },
        { name: "read", agent: "read", after: ["find"], forEach: "steps.find.items" },
      ],
    });
    const answer: HarnessOptions["answer"] = ({ step }) => (step === "find" ? done({ items: ITEMS } as never) : done());
    const found = start(undefined, { pipeline, spec: {}, answer });
    await found.settle();
    expect([found.status.phase, accountsIn(found).spent]).toEqual(["Succeeded", 3]);
    const single = start(undefined, { pipeline: pipelineOf({ steps: [{ name: "do", agent: "do" }] }), spec: {} });
    await single.settle();
    expect([single.status.phase, accountsIn(single).spent]).toEqual(["Succeeded", 1]);
  });

  test("of items: a workload that is deleted leaves those of its run, and its place", async () => {
    const world = start(VALID);
    await world.look();
    world.remove();
    await world.look();
    await world.look();
    expect([world.workload, accountsIn(world)]).toMatchObject([undefined, { spent: 3, workloads: {} }]);
  });

  test.each(Array.from({ length: 40 }, (_, calls) => calls))(
    "one place is taken and given back, though reconcile dies after %i calls of its first look",
    async (calls) => {
      const faults: { rate: number; callsLeft?: number | undefined } = { rate: 0, callsLeft: calls };
      const world = start(licence(365, { workloadsAtOnce: 1 }), { faults });
      await world.look();
      faults.callsLeft = undefined;
      expect(world.objects.workflows.size === 0 || account(world)?.open?.place).toBe(true);
      await world.settle({ decision: "approved" });
      expect([world.status.phase, accountsIn(world)]).toMatchObject(["Succeeded", { spent: 3, workloads: {} }]);
    },
  );
});

describe("the clock", () => {
  test("is noted by the resync, once an hour; set back, it brings no licence back", async () => {
    const world = start(licence(10));
    await resyncOf(world);
    expect(accountsIn(world).latest).toBe("2026-01-01T10:00:00.000Z");
    world.pass(11 * DAY_MS);
    await resyncOf(world);
    expect(accountsIn(world).latest).toBe("2026-01-12T10:00:00.000Z");
    const { resourceVersion } = world.objects.configMaps.get("agentic-usage") ?? {};
    world.pass(-10 * DAY_MS);
    await resyncOf(world);
    expect(world.objects.configMaps.get("agentic-usage")?.resourceVersion).toBe(resourceVersion);
    await world.settle({ rounds: 2 });
    expect(condition(world, "Ready")).toMatchObject({
      reason: "LicenceExpired",
      message: expect.stringContaining("The clock says 2026-01-02, and 2026-01-12 was seen before"),
    });
  });
});
