import { expect, test } from "vitest";
import { createTurns } from "../cluster/images/browser/turns.ts";

test("so many run, so many wait for their turn, and the rest is refused", () => {
  const turns = createTurns(1, 1);
  const started: string[] = [];
  const endFirst = turns.take(() => started.push("first"));
  const endSecond = turns.take(() => started.push("second"));
  expect(turns.take(() => started.push("third"))).toBeUndefined();
  expect([started, turns.running, turns.waiting, turns.rejected]).toEqual([["first"], 1, 1, 1]);
  endFirst?.();
  expect([started, turns.running, turns.waiting]).toEqual([["first", "second"], 1, 0]);
  endSecond?.();
  expect(turns.running).toBe(0);
});

test("whoever leaves while waiting is not started", () => {
  const turns = createTurns(1, 5);
  const started: string[] = [];
  const endFirst = turns.take(() => started.push("first"));
  const leave = turns.take(() => started.push("left"));
  turns.take(() => started.push("third"));
  leave?.();
  endFirst?.();
  expect(started).toEqual(["first", "third"]);
});
