import { describe, expect, test } from "vitest";
import type { Licence } from "../../../lib/licence/licence.ts";
import { COMMUNITY, isInForce, standingOf } from "../../../lib/licence/standing.ts";

const at = (time: string): Date => new Date(time);
const seconds = (time: string): number => at(time).getTime() / 1000;

const LICENCE: Licence = {
  iss: "tests",
  sub: "ACME",
  plan: "team",
  iat: seconds("2026-01-01T00:00:00Z"),
  nbf: seconds("2026-01-01T00:00:00Z"),
  exp: seconds("2027-01-01T00:00:00Z"),
  grace: 14,
  limits: { namespaces: 5, workloadsAtOnce: 10, itemsAMonth: 1000 },
};
const LIMITS = { maxNamespaces: 5, maxRunning: 10, maxPerMonth: 1000 };
const COMMUNITY_LIMITS = {
  maxNamespaces: COMMUNITY.namespaces,
  maxRunning: COMMUNITY.workloadsAtOnce,
  maxPerMonth: COMMUNITY.itemsAMonth,
};

describe("an installation", () => {
  test("without a licence has the community limits, and nothing is said", () => {
    expect(standingOf(undefined, at("2026-06-01T00:00:00Z"), undefined)).toEqual({ limits: COMMUNITY_LIMITS });
  });

  test("with one that does not count has them too, and it is said why", () => {
    expect(standingOf({ problem: "its signature is wrong" }, at("2026-06-01T00:00:00Z"), undefined)).toEqual({
      limits: COMMUNITY_LIMITS,
      notice: {
        reason: "LicenceInvalid",
        message:
          "The licence in the Secret agentic-system/agentic-licence does not count: its signature is wrong. The community limits hold",
      },
    });
  });

  test.each<[string, string, string | undefined, boolean]>([
    ["at its first moment", "2026-01-01T00:00:00Z", undefined, true],
    ["31 days before its end", "2026-12-01T00:00:00Z", undefined, true],
    ["exactly 30 days before its end", "2026-12-02T00:00:00Z", "LicenceEndsSoon", true],
    ["in its last second", "2026-12-31T23:59:59.999Z", "LicenceEndsSoon", true],
    ["at its end", "2027-01-01T00:00:00Z", "LicenceInGrace", true],
    ["in the last second of its grace", "2027-01-14T23:59:59.999Z", "LicenceInGrace", true],
    ["at the end of its grace", "2027-01-15T00:00:00Z", "LicenceExpired", false],
    ["years later", "2030-01-01T00:00:00Z", "LicenceExpired", false],
  ])("%s", (_what, now, reason, isOpen) => {
    const standing = standingOf(LICENCE, at(now), undefined);
    const { limits, notice } = standing;
    expect(limits).toMatchObject(LIMITS);
    expect([notice?.reason, limits.closed === undefined, isInForce(standing)]).toEqual([reason, isOpen, isOpen]);
    if (!isOpen) expect(limits.closed).toEqual(notice);
  });

  test("before its licence begins has the community limits", () => {
    const { limits, notice } = standingOf(LICENCE, at("2025-12-31T23:59:59Z"), undefined);
    expect([limits, notice?.message]).toEqual([COMMUNITY_LIMITS, expect.stringContaining("it begins on 2026-01-01")]);
  });

  test("of a licence without grace stops at its end", () => {
    const { limits } = standingOf({ ...LICENCE, grace: 0 }, at("2027-01-01T00:00:00Z"), undefined);
    expect(limits.closed?.message).toBe(
      "The licence of ACME (plan team) expired on 2027-01-01: no new run starts. Put a renewed one into the Secret agentic-system/agentic-licence. Runs that have begun, reviews and outputs go on; without the Secret the community limits hold",
    );
  });

  test("is not limited by what its licence leaves out", () => {
    expect(standingOf({ ...LICENCE, limits: {} }, at("2026-06-01T00:00:00Z"), undefined).limits).toEqual({});
  });

  test.each([
    [
      "2026-12-10T00:00:00Z",
      "expires on 2027-01-01: new runs start until 2027-01-15. Put a renewed one into the Secret",
    ],
    [
      "2027-01-02T00:00:00Z",
      "expired on 2027-01-01: new runs start until 2027-01-15. Put a renewed one into the Secret",
    ],
    ["2027-02-02T00:00:00Z", "expired on 2027-01-01, and its 14 days of grace ended on 2027-01-15: no new run starts."],
  ])("is told on %s what to do, in the same words all day", (now, said) => {
    const day = standingOf(LICENCE, at(now), undefined).notice?.message;
    expect(day).toContain(said);
    expect(standingOf(LICENCE, new Date(at(now).getTime() + 80_000_000), undefined).notice?.message).toBe(day);
  });
});

describe("a clock that is behind what was seen", () => {
  const seen = (now: string, latest: string) => standingOf(LICENCE, at(now), latest);

  test.each<[string, string, string, string | undefined]>([
    ["by a day, as clocks differ, says nothing", "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", undefined],
    ["by more, is said", "2026-06-01T00:00:00Z", "2026-06-02T00:00:00.001Z", "ClockSetBack"],
    [
      "by years, does not bring an expired licence back",
      "2026-06-01T00:00:00Z",
      "2027-02-01T00:00:00Z",
      "LicenceExpired",
    ],
    ["and ahead of its grace, is in it", "2026-06-01T00:00:00Z", "2027-01-02T00:00:00Z", "LicenceInGrace"],
    ["before the licence began, does not take it away", "2020-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "ClockSetBack"],
  ])("%s", (_what, now, latest, reason) => {
    const { limits, notice } = seen(now, latest);
    expect([notice?.reason, limits.closed?.reason]).toEqual([
      reason,
      reason === "LicenceExpired" ? "LicenceExpired" : undefined,
    ]);
    if (reason) expect(notice?.message).toContain(`The clock says ${now.slice(0, 10)}, and ${latest.slice(0, 10)}`);
  });

  test("ahead of it counts as it is", () => {
    expect(seen("2027-02-01T00:00:00Z", "2026-06-01T00:00:00Z").limits.closed).toBeDefined();
  });

  test("is said without a licence, too: a month is judged by it; nothing is closed", () => {
    const standing = standingOf(undefined, at("2020-01-01T00:00:00Z"), "2027-01-01T00:00:00Z");
    expect(standing).toMatchObject({ limits: COMMUNITY_LIMITS, notice: { reason: "ClockSetBack" } });
    expect([isInForce(standing), standing.limits.closed]).toEqual([true, undefined]);
    expect(standing.setBackMs).toBe(Date.parse("2027-01-01T00:00:00Z") - Date.parse("2020-01-01T00:00:00Z"));
    expect(standingOf(undefined, at("2027-01-01T00:00:00Z"), "2027-01-01T12:00:00Z").setBackMs).toBeUndefined();
  });

  test("and when new runs stop is told where there is a licence that counts", () => {
    expect(standingOf(LICENCE, at("2026-06-01T00:00:00Z"), undefined).closes).toEqual(at("2027-01-15T00:00:00Z"));
    expect(standingOf(LICENCE, at("2030-06-01T00:00:00Z"), undefined).closes).toEqual(at("2027-01-15T00:00:00Z"));
    expect(standingOf({ problem: "x" }, at("2026-06-01T00:00:00Z"), undefined).closes).toBeUndefined();
  });
});
