import { expect, test } from "vitest";
import type { Cluster, SeenWorkload } from "../../../cli/kubectl/cluster.ts";
import { makeDecision } from "../../../cli/kubectl/make-decision.ts";
import { workloadOf } from "../engine/build.ts";

const AT = "2026-11-30T10:00:00.000Z";
const open = {
  gate: "ask",
  run: "r",
  digest: "a".repeat(64),
  openedAt: AT,
  timeoutAt: AT,
  onTimeout: "Reject",
} as const;
const decided = { ...open, decision: "approved", by: "ann", how: "AgentDecision", automatic: false, at: AT } as const;

/** At the third look the cluster has judged the decision. */
function clusterThat(judges: { readonly taken?: typeof decided; readonly refused?: string }) {
  const made: unknown[] = [];
  let looks = 0;
  const seen = (): SeenWorkload => {
    const { metadata, ...rest } = workloadOf({});
    const reviews = [looks >= 3 && judges.taken ? judges.taken : open];
    return {
      ...rest,
      metadata: { ...metadata, uid: "u", createdAt: AT },
      status: { phase: "AwaitingReview", reviews },
    };
  };
  const cluster: Pick<Cluster, "workload" | "decide" | "refusal"> = {
    async workload() {
      looks++;
      return seen();
    },
    async decide(_workload, spec) {
      made.push(spec);
      return "demo-1";
    },
    refusal: async (name) => (looks >= 3 && name === "demo-1" ? judges.refused : undefined),
  };
  return {
    made,
    result: makeDecision(cluster as Cluster, seen(), open, { decision: "approved", by: "ann", comment: "Good." }),
  };
}

test("waits until the status has a decision on these findings", async () => {
  const { made, result } = clusterThat({ taken: decided });
  expect(await result).toEqual({ taken: decided });
  expect(made).toEqual([{ workload: "demo", digest: open.digest, decision: "approved", by: "ann", comment: "Good." }]);
});

test("a decision on other findings is none on these, and a refusal ends the wait", async () => {
  const other = { ...decided, digest: "b".repeat(64) as typeof decided.digest };
  const { result } = clusterThat({ taken: other, refused: "no gate of demo is about these findings" });
  expect(await result).toEqual({ refused: "no gate of demo is about these findings" });
});
