import { expect, test } from "vitest";
import { recordedRun } from "../../cli/local/recorded-run.ts";
import type { Review } from "../../crd/agentworkload.ts";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { findingsOf } from "../../engine/findings.ts";
import { stepIdentity } from "../../engine/identity.ts";
import type { Outcomes } from "../../engine/outcomes.ts";
import type { StepResult } from "../../engine/result.ts";
import { type Run, runOf, stepOf } from "../../engine/run.ts";
import { turnOf, walk } from "../../engine/walk.ts";
import { nameOf, ok, runWith, workloadOf } from "./engine/build.ts";

const SPEC = { inputs: { sites: ["a", "b"] }, tolerate: { failedItems: "100%" } };
const RUN = runWith(
  [
    { name: "look", forEach: "inputs.sites" },
    { name: "review", gate: {}, after: ["look"] },
    { name: "deep", after: ["review"], when: "steps.look.succeeded > 5" },
    { name: "report", after: ["deep"] },
  ],
  SPEC,
);
const RESOLVED = { workload: workloadOf(SPEC), run: RUN, served: new Map() };
const DONE = ok() as StepResult;

/** What is found where these steps of the run are recorded, and the gate was last decided so. */
async function found(recorded: readonly string[], review?: (run: Run, outcomes: Outcomes) => Partial<Review>) {
  const asked: string[] = [];
  const given = await recordedRun(RESOLVED, {
    findPrevious: async () => undefined,
    carryCorrections: async (_run, findings) => findings,
    async recorded(run, identity, step) {
      asked.push(identity);
      return recorded.includes(step) || recorded.some((name) => identityOf(run, name) === identity) ? DONE : undefined;
    },
    async review(gate) {
      const outcomes = new Map([["look", [DONE, DONE]]]);
      const step = stepOf(RUN, gate);
      if (!review || !step) return undefined;
      const digest = sha256(canonicalJson(findingsOf(RUN, step, outcomes)));
      const times = {
        openedAt: "2026-01-01T00:00:00Z",
        timeoutAt: "2026-01-02T00:00:00Z",
        onTimeout: "Reject",
      } as const;
      const how = { by: "ann", how: "ReviewLink", automatic: false, at: "2026-01-01T01:00:00Z" } as const;
      return { gate, run: RUN.base, digest, ...times, ...how, ...review(RUN, outcomes) } as Review;
    },
  });
  const ended = [...given.outcomes].flatMap(([step, all]) => all.map((one) => one && `${step} ${one.outcome}`));
  return { ended: ended.filter(Boolean), changes: given.run.changes.length, asked };
}
const identityOf = (run: Run, name: string): string | undefined => {
  const instance = walk(run, new Map()).ready.find((one) => nameOf(one) === name);
  if (!instance) return undefined;
  const turn = turnOf(run, instance, new Map());
  if (turn.do !== "run") return undefined;
  return stepIdentity({ workload: run.workload, step: instance.step.name, revision: "1", input: turn.input });
};
const LOOKED = ["look succeeded", "look succeeded"];
const approved = (): Partial<Review> => ({ decision: "approved" });

test("nothing is recorded of a run that never was", async () => {
  const { ended, asked } = await found([]);
  expect([ended, asked]).toEqual([[], [identityOf(RUN, "look[0]"), identityOf(RUN, "look[1]")]]);
});

test("an item that is recorded counts, and the gate waits for the others", async () => {
  expect((await found(["look[1]"], approved)).ended).toEqual(["look succeeded"]);
});

test.each<[string, undefined | (() => Partial<Review>), string[]]>([
  ["that nobody opened", undefined, LOOKED],
  ["that is open", () => ({}), LOOKED],
  ["that was approved", approved, [...LOOKED, "review succeeded", "deep skipped", "report succeeded"]],
  ["that was rejected", () => ({ decision: "rejected" }), [...LOOKED, "review failed"]],
  ["that was approved on other findings", () => ({ decision: "approved", digest: "0".repeat(64) }), LOOKED],
  ["that was approved in another run", () => ({ decision: "approved", run: "0123456789" }), LOOKED],
])("a gate %s", async (_what, review, ended) => {
  expect((await found(["look", "report"], review)).ended).toEqual(ended);
});

test("changes that were asked for are another run, whose steps are looked for under their own identities", async () => {
  const given = await found(["look[0]", "look[1]"], () => ({ decision: "changesRequested", comment: "Again." }));
  const changed = runOf(RUN.workload, RESOLVED.workload.spec, RUN.pipeline, {
    changes: [
      {
        run: RUN.base,
        gate: "review",
        digest: "0".repeat(64),
        steps: ["look"],
        comment: "Again.",
        by: "ann",
        at: "2026-01-01T01:00:00Z",
      },
    ],
  });
  expect(given.changes).toBe(1);
  expect(given.asked.slice(2)).toEqual([identityOf(changed, "look[0]"), identityOf(changed, "look[1]")]);
});
