import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../cli/local/runner.ts";
import { advance, renderLine, renderProgress, secondsLeft, startProgress } from "../../cli/progress.ts";
import { NO_USAGE } from "../../lib/step.ts";

const ended = (step: string, item: string, over: Partial<Extract<RunEvent, { type: "ended" }>> = {}): RunEvent => ({
  type: "ended",
  step,
  item,
  recorded: false,
  ms: 1200,
  result: { outcome: "succeeded", artifacts: {}, usage: { ...NO_USAGE, costUsd: 0.0004 } },
  ...over,
});
const failure = { outcome: "failed", reason: "Blocked", message: "a captcha", artifacts: {}, usage: NO_USAGE } as const;

const events: RunEvent[] = [
  { type: "started", step: "scrape", item: "a" },
  ended("scrape", "a"),
  { type: "started", step: "analyze", item: "a" },
  ended("analyze", "a"),
  ended("scrape", "b", { result: failure }),
  ended("scrape", "c", { recorded: true }),
  { type: "started", step: "analyze", item: "c" },
];
const progress = events.reduce((p, event) => advance(p, event, "analyze"), startProgress(4));

describe("progress", () => {
  test("counts what ended, failed and was found done", () => {
    expect(progress).toMatchObject({ settled: 2, settledNow: 2, failed: 1, recorded: 1 });
    expect(Object.fromEntries(progress.succeeded)).toEqual({ scrape: 2, analyze: 1 });
    expect([...progress.inFlight]).toEqual([["c", "analyze"]]);
  });

  test("judges the time left by this process's own pace", () => {
    expect(secondsLeft(progress, 10_000)).toBe(10);
    expect(secondsLeft(startProgress(4), 10_000)).toBeUndefined();
  });

  test("draws within the terminal's width", () => {
    const drawn = renderProgress(progress, 10_000, ["scrape", "analyze"], 60);
    expect(drawn).toContain("2/4 sites");
    expect(drawn).toContain("cost $0.0012");
    expect(drawn.split("\n").every((line) => line.length <= 60)).toBe(true);
  });

  test.each<[string, RunEvent, string | undefined]>([
    ["a success", ended("scrape", "a"), "[2/4] scrape   a  1.2 s"],
    ["a failure says why", ended("scrape", "b", { result: failure }), "[2/4] scrape   b  failed: Blocked: a captcha"],
    ["what was done before needs no line", ended("scrape", "a", { recorded: true }), undefined],
    ["nor does a start", { type: "started", step: "scrape", item: "a" }, undefined],
  ])("as a line: %s", (_name, event, expected) => {
    expect(renderLine(event, progress)).toBe(expected);
  });
});
