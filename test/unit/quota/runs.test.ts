import { describe, expect, test } from "vitest";
import {
  type Accounts,
  type Claim,
  close,
  granted,
  NO_ACCOUNTS,
  settle,
  usageIn,
  withClock,
} from "../../../lib/quota/accounts.ts";
import type { Limits } from "../../../lib/quota/limits.ts";
import { waitOf } from "../../../lib/quota/wait.ts";

// The installation's accounts: of runs, in all namespaces, and of the items of months.

const MONTH = "2026-11";
const at = (minute: number): string => `2026-11-30T10:${String(minute).padStart(2, "0")}:00.000Z`;
type Account = Accounts["workloads"][string];

/** A run named a1 is the first of namespace a. */
const namespaceOf = (name: string): string => name.slice(0, 1);
const entry = (name: string, over: Partial<NonNullable<Account["open"]>> = {}, spent = 0): Account => ({
  spent,
  open: {
    name,
    created: at(Number(name.slice(1))),
    place: false,
    reserved: 0,
    run: { namespace: namespaceOf(name), id: `run of ${name}` },
    ...over,
  },
});
const runs = (name: string, items = 1): Account => entry(name, { place: true, reserved: items });
const pauses = (name: string, items = 1): Account => entry(name, { reserved: items });
const waits = (name: string, items = 1): Account => entry(name, { wants: items });
const accounts = (workloads: Record<string, Account>, spent = 0): Accounts => ({ month: MONTH, spent, workloads });

const claim = (name: string, over: Partial<Claim> = {}): Claim => ({
  namespace: namespaceOf(name),
  uid: name,
  name,
  created: at(Number(name.slice(1))),
  need: "work",
  budget: 1,
  spent: 0,
  month: MONTH,
  run: { id: `run of ${name}`, hasBegun: false },
  ...over,
});
const begun = (name: string) => ({ run: { id: `run of ${name}`, hasBegun: true } });
const CLOSED: Limits = { closed: { reason: "LicenceExpired", message: "expired" } };

test.each<[string, Accounts, Limits, Partial<Claim>, string | undefined]>([
  ["the first", NO_ACCOUNTS, { maxNamespaces: 1, maxRunning: 1, maxPerMonth: 1 }, {}, undefined],
  ["no place left, whoever has them", accounts({ b1: runs("b1") }), { maxRunning: 1 }, {}, "places"],
  ["one more in its own namespace", accounts({ a1: runs("a1") }), { maxNamespaces: 1 }, {}, undefined],
  ["one more namespace", accounts({ b1: runs("b1") }), { maxNamespaces: 2 }, {}, undefined],
  ["one namespace too many", accounts({ b1: runs("b1") }), { maxNamespaces: 1 }, {}, "namespaces"],
  ["a namespace at its gate counts", accounts({ b1: pauses("b1") }), { maxNamespaces: 1 }, {}, "namespaces"],
  ["a namespace that only waits does not", accounts({ b9: waits("b9") }), { maxNamespaces: 1 }, {}, undefined],
  ["but comes first where it is older", accounts({ b1: waits("b1") }), { maxNamespaces: 1 }, {}, "turn"],
  ["all items of the month", accounts({}, 6), { maxPerMonth: 10 }, { budget: 4 }, undefined],
  ["more items than are left", accounts({}, 7), { maxPerMonth: 10 }, { budget: 4 }, "month"],
  ["those of runs under way count", accounts({ b1: runs("b1", 7) }), { maxPerMonth: 10 }, { budget: 4 }, "month"],
  ["more items than a month has", NO_ACCOUNTS, { maxPerMonth: 10 }, { budget: 11 }, "every month"],
  ["a new one after the licence's end", NO_ACCOUNTS, CLOSED, {}, "closed"],
  ["one that waited then", accounts({ a5: waits("a5") }), CLOSED, {}, "closed"],
  ["one at its gate goes on", accounts({ a5: pauses("a5") }), CLOSED, {}, undefined],
  ["one that has its place keeps it", accounts({ a5: runs("a5") }), CLOSED, {}, undefined],
  [
    "another run of a workload that works is new",
    accounts({ a5: runs("a5") }),
    CLOSED,
    { run: { id: "x", hasBegun: false } },
    "closed",
  ],
  ["one whose accounts were lost goes on", NO_ACCOUNTS, CLOSED, begun("a5"), undefined],
  [
    "one that goes on needs a place",
    accounts({ a5: pauses("a5"), b1: runs("b1") }),
    { ...CLOSED, maxRunning: 1 },
    {},
    "places",
  ],
  ["and no more items than it had", accounts({ a5: pauses("a5", 9) }, 9), { maxPerMonth: 9 }, { budget: 9 }, undefined],
])("%s", (_what, before, limits, over, lack) => {
  const { accounts: after, shortage } = settle(before, limits, claim("a5", over));
  expect(shortage?.of).toBe(lack);
  expect(after.workloads["a5"]?.open).toMatchObject(lack ? { place: false, wants: over.budget ?? 1 } : { place: true });
});

describe("the queue", () => {
  test("is one of all namespaces, and says whom to wake where", () => {
    const queue = accounts({ b2: waits("b2"), a1: waits("a1"), c3: waits("c3") });
    expect(granted(queue, { maxRunning: 2 }, MONTH)).toEqual([
      { uid: "a1", name: "a1", namespace: "a" },
      { uid: "b2", name: "b2", namespace: "b" },
    ]);
  });

  test("lets no second namespace in by the same place", () => {
    const queue = accounts({ a1: waits("a1"), b2: waits("b2"), a3: waits("a3") });
    expect(granted(queue, { maxNamespaces: 1 }, MONTH).map(({ uid }) => uid)).toEqual(["a1", "a3"]);
  });

  test("starts nothing after the licence's end, but what has begun", () => {
    const begunOne = entry("b2", { wants: 1, reserved: 1 });
    expect(granted(accounts({ a1: waits("a1"), b2: begunOne }), CLOSED, MONTH).map(({ uid }) => uid)).toEqual(["b2"]);
  });
});

describe("items", () => {
  const ends = (name: string, spent: number) => claim(name, { need: "end", spent, budget: 4 });

  test("count when the run ends, with what its steps found, and its account is closed", () => {
    const before = accounts({ a5: runs("a5", 4), b1: runs("b1") }, 1);
    expect(settle(before, {}, ends("a5", 4)).accounts).toEqual(accounts({ b1: runs("b1") }, 5));
    expect(settle(before, {}, ends("a5", 7)).accounts.spent).toBe(8);
    expect(settle(before, {}, ends("a5", 0)).accounts.spent).toBe(5);
  });

  test("of a run that never began do not", () => {
    expect(settle(accounts({ a5: waits("a5", 4) }), {}, ends("a5", 4)).accounts).toEqual(accounts({}));
  });

  test("of a run that has ended count once, however often that is seen", () => {
    const before = accounts({}, 4);
    expect(settle(before, {}, ends("a5", 4)).accounts).toBe(before);
  });

  test("of a run that is tried again do not count again", () => {
    const again = settle(accounts({}, 4), { maxPerMonth: 4 }, claim("a5", { budget: 4, spent: 4 }));
    expect(again.shortage).toBeUndefined();
    expect(settle(again.accounts, {}, ends("a5", 4)).accounts).toEqual(accounts({}, 4));
  });

  test("of a workload that was deleted count whole", () => {
    const before = accounts({ a5: runs("a5", 4), b1: waits("b1", 4) });
    expect(close(before, { uid: "a5", spent: undefined, month: MONTH }).spent).toBe(4);
    expect(close(before, { uid: "b1", spent: undefined, month: MONTH }).spent).toBe(0);
  });

  test("of the run before an edit count, and those of the one after it are asked for", () => {
    const other = { budget: 3, run: { id: "another", hasBegun: false } };
    const { accounts: after, shortage } = settle(
      accounts({ a5: runs("a5", 4) }),
      { maxPerMonth: 7 },
      claim("a5", other),
    );
    expect(shortage).toBeUndefined();
    expect(after).toMatchObject({ spent: 4, workloads: { a5: { spent: 0, open: { place: true, reserved: 3 } } } });
    expect(settle(accounts({ a5: runs("a5", 4) }), { maxPerMonth: 6 }, claim("a5", other)).shortage?.of).toBe("month");
  });

  test("and an edit gives its place to an older one that waits", () => {
    const before = accounts({ a5: runs("a5"), b1: waits("b1") });
    const { accounts: after, shortage } = settle(
      before,
      { maxRunning: 1 },
      claim("a5", { run: { id: "x", hasBegun: false } }),
    );
    expect([shortage?.of, granted(after, { maxRunning: 1 }, MONTH).map(({ uid }) => uid)]).toEqual(["turn", ["b1"]]);
  });
});

test("what is in use is told, namespaces with runs under way too", () => {
  const before = accounts({ a1: runs("a1", 3), a2: pauses("a2", 2), b3: pauses("b3"), c4: waits("c4", 9) }, 10);
  expect(usageIn(before)).toEqual({ month: MONTH, spent: 10, setAside: 6, running: 1, waiting: 1, namespaces: 2 });
});

test.each<[string, Accounts, Limits, number, RegExp]>([
  [
    "places",
    accounts({ b1: runs("b1") }),
    { maxRunning: 1 },
    1,
    /^This installation runs 1 of the 1 workloads .* A licence that allows more/,
  ],
  ["namespaces", accounts({ b1: runs("b1") }), { maxNamespaces: 1 }, 1, /^Runs of 1 namespaces are under way, of 1 /],
  [
    "a month",
    accounts({ b1: runs("b1", 2) }, 5),
    { maxPerMonth: 10 },
    4,
    /has 10 items for 2026-11: 5 are counted, 2 are those of runs under way, and this run has 4/,
  ],
  [
    "every month",
    NO_ACCOUNTS,
    { maxPerMonth: 10 },
    11,
    /^This run has 11 items, more than the 10 a month .*: divide it/,
  ],
  ["its turn", accounts({ b1: waits("b1") }), { maxRunning: 1 }, 1, /^Other workloads of this installation/],
])("what lacks of %s is told", (_what, before, limits, budget, text) => {
  const asks = claim("a5", { budget });
  const { shortage } = settle(before, limits, asks);
  if (!shortage) throw new Error("nothing lacks");
  expect(waitOf(shortage, asks)).toEqual({ reason: "LicenceLimitReached", message: expect.stringMatching(text) });
});

describe("the latest time that was seen", () => {
  const now = new Date("2026-11-30T10:00:00.000Z");
  const seen = (latest: string): Accounts => ({ ...NO_ACCOUNTS, latest });

  test.each<[string, Accounts, string]>([
    ["is noted the first time", NO_ACCOUNTS, now.toISOString()],
    ["is noted after an hour", seen("2026-11-30T09:00:00.000Z"), now.toISOString()],
    ["is kept within the hour: it costs no write", seen("2026-11-30T09:00:00.001Z"), "2026-11-30T09:00:00.001Z"],
    ["is not undone by a clock that is set back", seen("2027-01-01T00:00:00.000Z"), "2027-01-01T00:00:00.000Z"],
  ])("%s", (_what, before, latest) => {
    expect(withClock(before, now).latest).toBe(latest);
    expect(withClock(before, now) === before).toBe(latest !== now.toISOString());
  });

  test("stays, whatever runs do", () => {
    const latest = "2026-11-30T09:00:00.000Z";
    const one = settle(seen(latest), {}, claim("a5")).accounts;
    expect([one.latest, settle(one, {}, claim("a5", { need: "end" })).accounts.latest]).toEqual([latest, latest]);
  });
});
