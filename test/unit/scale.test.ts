import { expect, test } from "vitest";
import { demands } from "../../bench/scale/demand.ts";
import { simulate } from "../../bench/scale/simulate.ts";

const load = {
  ...{ runs: 1, everyMs: 0, itemsOfRun: 10, stepsOfItem: 1, stepMs: 0, inFlight: 10, runsAtOnce: 100, turnMs: 0 },
};
const station = (name: string, servers: number, stepMs: number) => ({ name, servers, stepMs, runMs: 0 });

test.each([
  ["one server does one after the other", [station("a", 1, 10)], {}, 100],
  ["two do two at a time", [station("a", 2, 10)], {}, 50],
  [
    "the slowest of a chain decides, after what comes before the first and behind the last",
    [station("a", 1, 10), station("b", 1, 2)],
    {},
    101,
  ],
  ["a step's own time keeps nobody else waiting", [station("a", 1, 10)], { stepMs: 500 }, 555],
  ["a run's turn is one at a time", [station("a", 10, 0)], { turnMs: 7 }, 70],
  ["of two runs each has its own", [station("a", 10, 0)], { turnMs: 7, runs: 2 }, 70],
  ["one in flight", [station("a", 10, 10)], { inFlight: 1 }, 100],
  ["one run at once", [station("a", 10, 10)], { runs: 3, runsAtOnce: 1 }, 30],
  ["runs that come later", [station("a", 10, 10)], { runs: 3, everyMs: 100 }, 210],
])("%s", (_, stations, over, expected) => {
  expect(simulate(stations, { ...load, ...over }).allMs).toBeCloseTo(expected, 6);
});

test("says what is busy, and which is the bottleneck", () => {
  const { busy, bottleneck, itemsPerSecond } = simulate([station("a", 2, 10), station("b", 1, 10)], load);
  expect(bottleneck).toBe("b");
  expect(busy["b"]).toBeGreaterThan(0.9);
  expect(busy["a"]).toBeLessThan(0.55);
  expect(itemsPerSecond).toBeGreaterThan(80);
});

test("what an item and a run take is told apart by two measurements", () => {
  const of = (runs: number, items: number) => ({ runs, items, used: new Map([["a", (runs * 30 + items * 5) / 1000]]) });
  const [found] = demands(of(4, 200), of(20, 40));
  expect(found?.itemMs).toBeCloseTo(5);
  expect(found?.runMs).toBeCloseTo(30);
});
