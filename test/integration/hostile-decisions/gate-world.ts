import { generateKeyPairSync } from "node:crypto";
import type { Hono } from "hono";
import { pino } from "pino";
import { expect } from "vitest";
import type { Review, WorkloadStatus } from "../../../crd/agentworkload.ts";
import { createApp } from "../../../functions/approve/index.ts";
import { viewWorkflow } from "../../../functions/reconcile/argo/nodes.ts";
import { createWorkloadReviews } from "../../../lib/edges/reviews/workload.ts";
import { createLinkAuthorizer, mintReviewLink, type ReviewLink } from "../../../lib/review-link.ts";
import { attacked } from "../../attempts.ts";
import { createHarness, done, type Harness, pipelineOf, REF } from "../../unit/reconcile/harness.ts";

// Reconcile and approve over one API server in memory, and a run that waits at two gates. `write` comes after the first.

const PIPELINE = pipelineOf({
  steps: [
    { name: "find", agent: "find" },
    { name: "ask", after: ["find"], gate: {} },
    { name: "also", after: ["find"], gate: {} },
    { name: "write", after: ["ask"], agent: "write" },
  ],
});
export const KEYS = generateKeyPairSync("ed25519");
export const PATH = `/review/${REF.namespace}/${REF.name}/ask`;

export interface GateWorld {
  readonly harness: Harness;
  readonly app: Hono;
  readonly digests: Readonly<Record<"ask" | "also", string>>;
  /** The permission to decide at gate ask, as its link has it. */
  readonly link: ReviewLink;
  readonly token: string;
}

export async function atGate(): Promise<GateWorld> {
  const harness = createHarness({ pipeline: PIPELINE, spec: {}, answer: () => done({ output: "found" }) });
  for (let round = 0; round < 20 && (harness.status.reviews ?? []).length < 2; round++)
    await harness.settle({ rounds: 1 });
  const digestOf = (gate: string): string => reviewOf(harness.status, gate)?.digest ?? "";
  const digests = { ask: digestOf("ask"), also: digestOf("also") };
  const app = createApp({
    reviews: createWorkloadReviews(harness.deps.kube.workloads),
    artifacts: harness.deps.artifacts,
    authorize: createLinkAuthorizer([KEYS.publicKey]),
    now: harness.deps.now,
    log: pino({ level: "silent" }),
    draining: new AbortController().signal,
  });
  const link: ReviewLink = { ...REF, gate: "ask", digest: digests.ask, by: "ann", how: "ReviewLink" };
  return { harness, app, digests, link, token: await mint(link) };
}

export const mint = (link: ReviewLink): Promise<string> =>
  mintReviewLink(KEYS.privateKey, link, new Date(Date.now() + 60_000));

export function reviewOf({ reviews = [] }: WorkloadStatus, gate: string): Review | undefined {
  return reviews.find((one) => one.gate === gate);
}

/** All that a decision would change. */
export function seen({ harness: { status, workflow, requests } }: GateWorld) {
  const { phase, reviews, earlierReviews, changes } = status;
  return {
    status: { phase, reviews, earlierReviews, changes },
    nodes:
      workflow && viewWorkflow(workflow).nodes.map(({ role, step, phase, output }) => ({ role, step, phase, output })),
    asked: requests.map(({ step }) => step),
  };
}

/** Reconcile, Argo and the agents do what they want to do. */
const goOn = ({ harness }: GateWorld): Promise<void> => harness.settle({ rounds: 4 });

type Attempt = (world: GateWorld) => unknown;

/** Whatever is tried, all is as it is where nobody tries anything. `before`: what happens in both. */
export async function withstands(attempt: Attempt, before: Attempt = () => undefined): Promise<void> {
  const [tried, calm] = [await atGate(), await atGate()];
  for (const world of [tried, calm]) {
    expect(world.harness.status.reviews?.map(({ gate, decision }) => [gate, decision])).toEqual([
      ["ask", undefined],
      ["also", undefined],
    ]);
    await before(world);
  }
  await attempt(tried);
  attacked();
  for (const world of [tried, calm]) await goOn(world);
  expect(seen(tried)).toEqual(seen(calm));
}

/** The same without its fault: the gate is decided so, and the run goes on. */
export async function counts(attempt: Attempt, review: Partial<Review> = {}): Promise<void> {
  const world = await atGate();
  await attempt(world);
  await goOn(world);
  expect(reviewOf(world.harness.status, "ask")).toMatchObject({ decision: "approved", ...review });
  expect(reviewOf(world.harness.status, "also")?.decision).toBeUndefined();
  expect(seen(world).asked).toContain("write");
}
