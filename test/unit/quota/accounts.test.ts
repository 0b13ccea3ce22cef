import { describe, expect, test } from "vitest";
import {
  type Accounts,
  type Claim,
  close,
  granted,
  NO_ACCOUNTS,
  parseAccounts,
  settle as settleShort,
  usageIn,
} from "../../../lib/quota/accounts.ts";
import type { Quota } from "../../../lib/quota/limits.ts";
import { microUsd, usdText } from "../../../lib/quota/micro-usd.ts";
import { waitOf } from "../../../lib/quota/wait.ts";

const MONTH = "2026-11";
const usd = microUsd;
type Account = Accounts["workloads"][string];

/** Of a workload that was made at that minute. */
const at = (minute: number): string => `2026-11-30T10:${String(minute).padStart(2, "0")}:00.000Z`;
const open = (name: string, over: Partial<NonNullable<Account["open"]>> = {}, spent = 0): Account => ({
  spent,
  open: { name, created: at(Number(name.slice(1))), place: false, reserved: 0, ...over },
});
const works = (name: string, budget = 0, spent = 0): Account => open(name, { place: true, reserved: budget }, spent);
const waits = (name: string, budget = 0): Account => open(name, { wants: budget });
const accounts = (workloads: Record<string, Account>, spent = 0, month = MONTH): Accounts => ({
  month,
  spent,
  workloads,
});

const claim = (name: string, over: Partial<Claim> = {}): Claim => ({
  namespace: "team-a",
  uid: name,
  name,
  created: at(Number(name.slice(1))),
  need: "work",
  spent: 0,
  month: MONTH,
  ...over,
});

/** With what is told of what lacks. */
function settle(before: Accounts, quota: Quota, asks: Claim) {
  const { accounts: after, shortage } = settleShort(before, quota, asks);
  return { accounts: after, ...(shortage ? { wait: waitOf(shortage, asks) } : {}) };
}

describe("places", () => {
  const quota = { maxRunning: 2 };

  test.each<[string, Accounts, boolean]>([
    ["the first", NO_ACCOUNTS, true],
    ["the last place", accounts({ w1: works("w1") }), true],
    ["none left", accounts({ w1: works("w1"), w2: works("w2") }), false],
    ["none left, by a quota that was lowered", accounts({ w1: works("w1"), w2: works("w2"), w3: works("w3") }), false],
    ["one that works already", accounts({ w5: works("w5"), w2: works("w2"), w3: works("w3") }), true],
    ["an older one waits for the last place", accounts({ w1: works("w1"), w2: waits("w2") }), false],
    ["a younger one waits for the last place", accounts({ w1: works("w1"), w7: waits("w7") }), true],
    ["others only wait for a person", accounts({ w1: open("w1"), w2: open("w2"), w3: works("w3") }), true],
    ["others have ended", accounts({ w1: { spent: 9 }, w2: { spent: 9 } }), true],
  ])("%s: granted %s", (_what, before, isGranted) => {
    const { accounts: after, wait } = settle(before, quota, claim("w5"));
    expect(after.workloads["w5"]?.open).toMatchObject(isGranted ? { place: true } : { place: false, wants: 0 });
    expect(wait?.reason).toBe(isGranted ? undefined : "Queued");
  });

  test("two that were made in the same second: one comes first for everybody who looks", () => {
    const created = at(1);
    const queue = accounts({ b: { ...waits("w1"), open: { ...waits("w1").open, created } } as Account });
    const before = settle(queue, { maxRunning: 1 }, claim("w1", { uid: "a", created }));
    expect(before.wait).toBeUndefined();
    expect(settle(queue, { maxRunning: 1 }, claim("w1", { uid: "c", created })).wait).toBeDefined();
  });

  test("the one that was made first is first, whatever its uid", () => {
    const queue = accounts({ a: waits("w2"), z: waits("w1") });
    expect(granted(queue, { maxRunning: 1 }, MONTH)).toEqual([{ uid: "z", name: "w1" }]);
  });

  test("what waits says how many run", () => {
    const { wait } = settle(accounts({ w1: works("w1"), w2: works("w2") }), quota, claim("w5"));
    expect(wait?.message).toBe(
      "Namespace team-a runs 2 of 2 workloads; this one goes on when one ends, in the order of their creation",
    );
  });

  test("one that pauses gives its place back, and keeps what is set aside for it", () => {
    const before = accounts({ w1: works("w1", 5), w2: waits("w2") });
    const { accounts: after } = settle(before, quota, claim("w1", { need: "pause" }));
    expect(after.workloads["w1"]?.open).toMatchObject({ place: false, reserved: 5 });
    expect(granted(after, { maxRunning: 1 }, MONTH)).toEqual([{ uid: "w2", name: "w2" }]);
  });

  test("one that goes on after its pause needs a place, and comes before those that were made later", () => {
    const full = accounts({ w1: open("w1", { reserved: 5 }), w2: works("w2"), w3: works("w3"), w4: waits("w4") });
    const { accounts: queue, wait } = settle(full, quota, claim("w1", { budget: 5 }));
    expect(wait?.reason).toBe("Queued");
    const { accounts: free } = settle(queue, quota, claim("w2", { need: "end" }));
    expect(granted(free, quota, MONTH)).toEqual([{ uid: "w1", name: "w1" }]);
  });

  test("a queued one that is suspended leaves the queue", () => {
    const { accounts: after } = settle(accounts({ w1: waits("w1") }), quota, claim("w1", { need: "pause" }));
    expect(after.workloads["w1"]?.open).not.toHaveProperty("wants");
  });
});

describe("dollars of a month", () => {
  const quota = { maxPerMonth: usd(50) };
  const asks = (before: Accounts, budget: number, over: Partial<Claim> = {}) =>
    settle(before, quota, claim("w5", { budget: usd(budget), ...over }));

  test.each<[string, Accounts, number, string | undefined]>([
    ["all of it", NO_ACCOUNTS, 50, undefined],
    ["exactly what is left", accounts({ w1: works("w1", usd(30)) }, usd(10)), 10, undefined],
    ["more than is left of what is spent", accounts({}, usd(45.01)), 5, "QuotaExceeded"],
    ["more than what others may still spend leaves", accounts({ w1: works("w1", usd(46)) }), 5, "QuotaExceeded"],
    [
      "others have spent some of theirs, which counts once",
      accounts({ w1: works("w1", usd(46), usd(40)) }, usd(40)),
      4,
      undefined,
    ],
    ["what pauses keeps its dollars", accounts({ w1: open("w1", { reserved: usd(46) }) }), 5, "QuotaExceeded"],
    ["what waits before it, and fits, takes its dollars", accounts({ w1: waits("w1", usd(46)) }), 5, "Queued"],
    ["what waits before it, and does not fit, does not", accounts({ w1: waits("w1", usd(46)) }, usd(10)), 5, undefined],
    ["nothing, though more is spent than the quota", accounts({}, usd(60)), 0, undefined],
    ["what was spent last month", accounts({}, usd(50), "2026-10"), 50, undefined],
    ["what a clock that is ahead has booked", accounts({}, usd(50), "2026-12"), 1, "QuotaExceeded"],
    ["what fits into no month", NO_ACCOUNTS, 50.01, "BudgetOverQuota"],
  ])("%s", (_what, before, budget, reason) => {
    const { accounts: after, wait } = asks(before, budget);
    expect(wait?.reason).toBe(reason);
    const expected = reason
      ? { place: false, reserved: 0, wants: usd(budget) }
      : { place: true, reserved: usd(budget) };
    expect(after.workloads["w5"]?.open).toMatchObject(expected);
  });

  test("a tenth and two tenths are three tenths", () => {
    const before = accounts({ w1: works("w1", usd(0.1)) });
    expect(settle(before, { maxPerMonth: usd(0.3) }, claim("w2", { budget: usd(0.2) })).wait).toBeUndefined();
  });

  test.each([
    [0.000123, 123],
    [0.07, 70_000],
    [0.000001, 1],
    [0.0000001, 1],
    [999_999_999.999999, 999_999_999_999_999],
  ])("$%d is %d millionths", (dollars, millionths) => {
    expect(microUsd(dollars)).toBe(millionths);
  });

  test("the message has the numbers", () => {
    const { wait } = asks(accounts({ w1: works("w1", usd(8.5)) }, usd(40)), 5);
    expect(wait?.message).toContain(
      "has $50 for 2026-11: $40 is spent, $8.5 is set aside for workloads that have started, and this one's budget is $5",
    );
  });

  test("without a budget nothing starts, and nothing is noted", () => {
    const { accounts: after, wait } = settle(NO_ACCOUNTS, quota, claim("w5"));
    expect([after, wait?.reason]).toEqual([NO_ACCOUNTS, "BudgetRequired"]);
    expect(settle(NO_ACCOUNTS, { maxRunning: 1 }, claim("w5")).wait).toBeUndefined();
  });

  test("a budget that is taken away in mid-run stops what is new", () => {
    const before = accounts({ w5: works("w5", usd(5)) });
    expect(settle(before, quota, claim("w5"))).toEqual({
      accounts: before,
      wait: expect.objectContaining({ reason: "BudgetRequired" }),
    });
  });

  test("a budget that is raised in mid-run is set aside first", () => {
    const before = accounts({ w5: works("w5", usd(5), usd(2)) }, usd(42));
    expect(asks(before, 10).accounts.workloads["w5"]?.open).toMatchObject({ place: true, reserved: usd(10) });
    const { accounts: after, wait } = asks(before, 10.01);
    expect([after, wait?.reason]).toEqual([before, "QuotaExceeded"]);
  });

  test("a budget that is raised in mid-run needs no second place", () => {
    const before = accounts({ w5: works("w5", usd(5)) });
    const { wait } = settle(before, { ...quota, maxRunning: 1 }, claim("w5", { budget: usd(6) }));
    expect(wait).toBeUndefined();
  });

  test("a budget that is lowered in mid-run stays set aside: steps under way have the one they were given", () => {
    const before = accounts({ w5: works("w5", usd(5)) });
    expect(asks(before, 1)).toEqual({ accounts: before });
  });
});

describe("what a workload cost", () => {
  const end = (spent: number, month = MONTH) => claim("w1", { need: "end", spent: usd(spent), month });

  test("is booked when it ends, once, and what it did not need is free", () => {
    const once = settle(accounts({ w1: works("w1", usd(5)) }, usd(1)), {}, end(2)).accounts;
    expect(once).toEqual(accounts({ w1: { spent: usd(2) } }, usd(3)));
    expect(settle(once, {}, end(2)).accounts).toBe(once);
  });

  test("and is more when a later run cost more, less it never is", () => {
    const later = settle(accounts({ w1: { spent: usd(2) } }, usd(3)), {}, end(2.5)).accounts;
    expect(later).toEqual(accounts({ w1: { spent: usd(2.5) } }, usd(3.5)));
    expect(settle(later, {}, end(0)).accounts).toBe(later);
  });

  test("is the month's in which it is booked", () => {
    const after = settle(accounts({ w1: works("w1", usd(5), usd(1)) }, usd(20)), {}, end(4, "2026-12")).accounts;
    expect(after).toEqual(accounts({ w1: { spent: usd(4) } }, usd(3), "2026-12"));
    expect(settle(after, {}, end(5, "2026-11")).accounts).toMatchObject({ month: "2026-12", spent: usd(4) });
  });

  test("stays when it is deleted, and is counted once", () => {
    const before = accounts({ w1: works("w1", usd(5), usd(1)), w2: works("w2", usd(1)) }, usd(1));
    const after = close(before, { uid: "w1", spent: usd(3), month: MONTH });
    expect(after).toEqual(accounts({ w2: works("w2", usd(1)) }, usd(3)));
    expect(close(after, { uid: "w1", spent: usd(3), month: MONTH })).toBe(after);
  });

  test("is all that was set aside where nobody knows", () => {
    const before = accounts({ w1: works("w1", usd(5), usd(1)), w2: { spent: usd(2) } }, usd(3));
    expect(close(before, { uid: "w1", spent: undefined, month: MONTH }).spent).toBe(usd(7));
    expect(close(before, { uid: "w2", spent: undefined, month: MONTH }).spent).toBe(usd(3));
  });

  test("before it was known here belongs to no month of these", () => {
    const { accounts: after } = settle(NO_ACCOUNTS, { maxRunning: 1 }, claim("w1", { spent: usd(7) }));
    expect(after).toMatchObject({ spent: 0, workloads: { w1: { spent: usd(7) } } });
    expect(settle(NO_ACCOUNTS, {}, end(7)).accounts).toBe(NO_ACCOUNTS);
  });

  test.each([1e308, 1e12, Number.POSITIVE_INFINITY])(
    "may be told as $%d by an agent: the accounts stay readable",
    (told) => {
      const before = accounts({ w1: works("w1", usd(5)), w2: works("w2", usd(5)) }, Number.MAX_SAFE_INTEGER - 1);
      const after = settle(before, {}, claim("w1", { need: "end", spent: usd(told) })).accounts;
      expect(parseAccounts(JSON.stringify(after), "x")).toEqual(after);
    },
  );
});

describe("a quota that is invalid", () => {
  const invalid: Quota = {
    problem: "the key team-a of ConfigMap agentic-system/agentic-quotas is invalid: maxRunning",
  };

  test("lets nothing start, and says why", () => {
    expect(settle(NO_ACCOUNTS, invalid, claim("w5"))).toEqual({
      accounts: NO_ACCOUNTS,
      wait: { reason: "QuotaInvalid", message: expect.stringContaining("Nothing starts in this namespace until") },
    });
  });

  test("stops nothing that has its place, and books what ends", () => {
    const before = accounts({ w5: works("w5", usd(5)) });
    expect(settle(before, invalid, claim("w5", { budget: usd(5) }))).toEqual({ accounts: before });
    expect(settle(before, invalid, claim("w5", { budget: usd(6) })).wait?.reason).toBe("QuotaInvalid");
    expect(settle(before, invalid, claim("w5", { need: "end", spent: usd(2) })).accounts.spent).toBe(usd(2));
  });
});

describe("the accounts", () => {
  test("that somebody changed by hand are not guessed at", () => {
    expect(() => parseAccounts('{"month":"2026-11"}', "agentic-system/agentic-usage-team-a")).toThrow(
      /^ConfigMap agentic-system\/agentic-usage-team-a is not as reconcile wrote it/,
    );
    expect(() => parseAccounts("", "x")).toThrow("delete it");
  });

  test("take no more workloads than a ConfigMap has room for; those that are there go on, and end", () => {
    const many = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [
        `5e1c0de0-0000-4000-8000-${String(index).padStart(12, "0")}`,
        { spent: 1 },
      ]),
    );
    const before = accounts({ ...many, w1: works("w1", 5), w2: waits("w2") });
    const { accounts: same, wait } = settle(before, { maxRunning: 9 }, claim("w5"));
    expect([same === before, wait?.reason]).toEqual([true, "QuotaAccountsFull"]);
    expect(wait?.message).toContain("20002 workloads: delete some");
    expect(settle(before, { maxRunning: 9 }, claim("w2")).accounts.workloads["w2"]?.open).toMatchObject({
      place: true,
    });
    expect(settle(before, {}, claim("w1", { need: "end", spent: 3 })).accounts.spent).toBe(3);
  });

  test("tell what is in use", () => {
    const before = accounts({ w1: works("w1", usd(5), usd(1)), w2: waits("w2"), w3: { spent: 4 } }, usd(12.34));
    expect(usageIn(before)).toEqual({
      month: MONTH,
      spent: usd(12.34),
      setAside: usd(4),
      running: 1,
      waiting: 1,
      namespaces: 0,
    });
    expect(usdText(1)).toBe("0.000001");
  });
});
