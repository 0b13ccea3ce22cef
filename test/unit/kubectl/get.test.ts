import { expect, test } from "vitest";
import { listTable } from "../../../cli/kubectl/get.ts";

const NOW = new Date("2026-11-30T10:00:00Z");
const created = (secondsAgo: number) => new Date(NOW.getTime() - secondsAgo * 1000).toISOString();

test("workloads as a table, what is not known left out", () => {
  const all = [
    {
      namespace: "team-a",
      name: "demo",
      phase: "AwaitingReview",
      pipeline: "team-a/reading",
      items: "2/3",
      costUsd: "0.0042",
      review: "Waiting",
      createdAt: created(300),
    },
    { namespace: "team-b", name: "new", phase: "Pending", createdAt: created(1) },
  ];
  expect(listTable(all, true, NOW)).toBe(`\
NAMESPACE   NAME   PHASE            PIPELINE         ITEMS   COST      REVIEW    AGE
team-a      demo   AwaitingReview   team-a/reading   2/3     $0.0042   Waiting   5m
team-b      new    Pending                                                       1s
`);
  expect(listTable(all.slice(1), false, NOW)).toBe(`\
NAME   PHASE     PIPELINE   ITEMS   COST   REVIEW   AGE
new    Pending                                      1s
`);
});

test.each([
  [-5, "0s"],
  [119, "119s"],
  [120, "2m"],
  [7199, "119m"],
  [7200, "2h"],
  [172_799, "47h"],
  [172_800, "2d"],
])("%i s is %s", (seconds, text) => {
  const one = { namespace: "a", name: "n", phase: "Running", createdAt: created(seconds) };
  expect(listTable([one], false, NOW)).toContain(` ${text}\n`);
});
