import { setTimeout as sleep } from "node:timers/promises";
import type { Correction, Review } from "../../crd/agentworkload.ts";
import type { Decision } from "../../engine/findings.ts";
import type { Cluster, SeenWorkload } from "./cluster.ts";

/** How long a decision may take until the status has it: reconcile may have to start. */
const TAKEN_WITHIN_MS = 60_000;

type DecidedReview = Review & { readonly decision: Decision["decision"] };
/** taken: the review as it was decided, by whomever. refused: why the user's decision does not count. */
export type Made = { readonly taken: DecidedReview } | { readonly refused: string };

/** Makes the user's decision, and waits until one counts. @returns undefined where none does yet */
export async function makeDecision(
  cluster: Cluster,
  workload: SeenWorkload,
  { gate, digest }: Pick<Review, "gate" | "digest">,
  said: Pick<Decision, "decision" | "by"> & {
    readonly comment?: string | undefined;
    readonly steps?: readonly string[] | undefined;
    readonly corrections?: readonly Correction[] | undefined;
  },
): Promise<Made | undefined> {
  const { decision, by, comment, steps, corrections } = said;
  const { name } = workload.metadata;
  const more = {
    ...(comment ? { comment } : {}),
    ...(steps ? { steps: [...steps] } : {}),
    ...(corrections ? { corrections: [...corrections] } : {}),
  };
  const made = await cluster.decide(workload, { workload: name, digest, decision, by, ...more });
  const end = Date.now() + TAKEN_WITHIN_MS;
  do {
    // With changes the run is another one soon, whose reviews take the place of these.
    const { reviews = [], earlierReviews = [] } = (await cluster.workload(name))?.status ?? {};
    const taken = [...reviews, ...earlierReviews].find(
      (one) => one.gate === gate && one.digest === digest && one.decision,
    );
    if (taken?.decision) return { taken: { ...taken, decision: taken.decision } };
    const refused = await cluster.refusal(made);
    if (refused !== undefined) return { refused };
    await sleep(500);
  } while (Date.now() < end);
  return undefined;
}
