import { expect, test } from "vitest";
import { planRerun } from "../../../cli/kubectl/rerun.ts";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";

const FINISHED = "2026-11-30T10:00:00.000Z";
const step = (name: string) => ({ name, total: 1, running: 0, succeeded: 1, failed: 0, skipped: 0, costUsd: "0" });
const ready = {
  type: "Ready",
  status: "True",
  reason: "Succeeded",
  message: "",
  lastTransitionTime: FINISHED,
} as const;
const ENDED: WorkloadStatus = {
  phase: "Succeeded",
  finishedAt: FINISHED,
  steps: [step("read"), step("write")],
  conditions: [{ ...ready, observedGeneration: 3 }],
};
const plan = (status: WorkloadStatus, from?: string, now = "2026-11-30T11:00:00.000Z", rerun?: { at: string }) =>
  planRerun(
    {
      spec: rerun ? { rerun } : {},
      metadata: { namespace: "team-a", name: "demo", uid: "u", createdAt: FINISHED, generation: 3 },
      status,
    },
    from,
    new Date(now),
  );

test.each<[string, ReturnType<typeof plan>, object]>([
  ["all of it", plan(ENDED), { change: { stop: false, rerun: { at: "2026-11-30T11:00:00.000Z", from: null } } }],
  ["from a step on", plan(ENDED, "write"), { change: { rerun: { from: "write" } } }],
  [
    "by a clock that is behind",
    plan(ENDED, undefined, "2026-11-30T09:00:00.000Z"),
    { change: { rerun: { at: "2026-11-30T10:00:01.000Z" } } },
  ],
  [
    "again at the same time: another run",
    plan(ENDED, undefined, "2026-11-30T11:00:00.000Z", { at: "2026-11-30T11:00:00.000Z" }),
    { change: { rerun: { at: "2026-11-30T11:00:01.000Z" } } },
  ],
  ["no such step", plan(ENDED, "draw"), { problem: "there is no step draw in demo; the steps are read, write" }],
  [
    "it still runs",
    plan({ ...ENDED, phase: "Running", finishedAt: undefined }),
    { problem: "demo has not ended (Running): stop it first, or let it end" },
  ],
  [
    "an edit that nobody has looked at may start it",
    plan({ ...ENDED, conditions: [{ ...ready, observedGeneration: 2 }] }),
    { problem: expect.stringContaining("has not ended") },
  ],
])("%s", (_what, planned, expected) => {
  expect(planned).toMatchObject(expected);
});
