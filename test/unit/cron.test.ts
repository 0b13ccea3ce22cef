import { describe, expect, test } from "vitest";
import { parseCron, type Times } from "../../crd/cron.ts";

function timesOf(schedule: string, timeZone: string): Times {
  const parsed = parseCron(schedule, timeZone);
  if ("problem" in parsed) throw new Error(parsed.problem.message);
  return parsed.times;
}

/** The next times after one, in UTC. */
function next(schedule: string, timeZone: string, from: string, count: number): string[] {
  const times = timesOf(schedule, timeZone);
  const found: string[] = [];
  for (let at = times.after(new Date(from)); at && found.length < count; at = times.after(at))
    found.push(at.toISOString().slice(0, 16));
  return found;
}

describe("where clocks change", () => {
  test.each<[string, string, string, string, string[]]>([
    [
      "a time that is skipped comes right after",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-03-28T12:00:00Z",
      ["2026-03-29T01:00", "2026-03-30T00:30"],
    ],
    [
      "quarters of an hour go on through it",
      "*/30 * * * *",
      "Europe/Berlin",
      "2026-03-29T00:00:00Z",
      ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"],
    ],
    [
      "a time that is repeated comes once, the first time",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-10-24T12:00:00Z",
      ["2026-10-25T00:30", "2026-10-26T01:30"],
    ],
    [
      "quarters of an hour come in both",
      "*/30 * * * *",
      "Europe/Berlin",
      "2026-10-25T00:00:00Z",
      ["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:00"],
    ],
    [
      "a day's time stays what people say",
      "0 9 * * *",
      "America/New_York",
      "2026-10-31T00:00:00Z",
      ["2026-10-31T13:00", "2026-11-01T14:00"],
    ],
    ["not in UTC", "30 2 * * *", "UTC", "2026-03-28T12:00:00Z", ["2026-03-29T02:30", "2026-03-30T02:30"]],
  ])("%s", (_what, schedule, zone, from, expected) =>
    expect(next(schedule, zone, from, expected.length)).toEqual(expected),
  );

  test.each([["2026-03-29"], ["2026-10-25"]])("on %s the last time is the one before the next", (day) => {
    for (const schedule of ["30 2 * * *", "*/30 * * * *", "0 * * * *"]) {
      const times = timesOf(schedule, "Europe/Berlin");
      for (let minute = 0; minute < 240; minute += 7) {
        const now = new Date(Date.parse(`${day}T00:00:00Z`) + minute * 60_000);
        const last = times.lastUntil(now);
        expect(last && last <= now && times.after(last)).toEqual(times.after(now));
      }
    }
  });
});

test("a time that comes at this very moment has come", () => {
  const times = timesOf("*/5 * * * *", "UTC");
  const lastAt = (time: string) => times.lastUntil(new Date(time))?.toISOString();
  expect(lastAt("2026-11-30T10:05:00.000Z")).toBe("2026-11-30T10:05:00.000Z");
  expect(lastAt("2026-11-30T10:05:00.001Z")).toBe("2026-11-30T10:05:00.000Z");
  expect(lastAt("2026-11-30T10:04:59.999Z")).toBe("2026-11-30T10:00:00.000Z");
});
