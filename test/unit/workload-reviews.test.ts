import { beforeEach, describe, expect, test } from "vitest";
import type { Review } from "../../crd/agentworkload.ts";
import type { Decision } from "../../engine/findings.ts";
import { NO_USAGE } from "../../engine/result.ts";
import type { KindClient, KubeObject } from "../../lib/edges/kube.ts";
import { createWorkloadReviews } from "../../lib/edges/reviews/workload.ts";

// The API server as far as a decision needs it: one object whose status is written by its resourceVersion.

const REF = { namespace: "default", name: "w" };
const reviewOf = (gate: string, digit: string): Review => ({
  gate,
  run: "a1b2c3d4e5",
  digest: digit.repeat(64),
  openedAt: "2026-11-20T12:00:00Z",
  timeoutAt: "2026-11-21T12:00:00Z",
  onTimeout: "Reject",
});
const A = reviewOf("a", "1");
const B = reviewOf("b", "2");
const decisionOn = ({ gate, digest }: Review, over: Partial<Decision> = {}): Decision => ({
  gate,
  digest,
  decision: "approved",
  by: "ada",
  how: "ReviewLink",
  automatic: false,
  at: "2026-11-20T13:00:00Z",
  ...over,
});

let object: KubeObject | undefined;
/** What somebody else does between the read and the write of each try. */
let meanwhile: (status: Record<string, unknown>) => void;
let writes: number;
beforeEach(() => {
  object = objectWith({ reviews: [A, B], phase: "AwaitingReview", futureField: { kept: true } });
  meanwhile = () => {};
  writes = 0;
});

function objectWith(status: Record<string, unknown> | undefined): KubeObject {
  const metadata = { ...REF, uid: "uid-1", resourceVersion: "1", creationTimestamp: "2026-11-20T12:00:00Z" };
  return { metadata: { ...metadata, finalizers: [], labels: {}, annotations: {} }, spec: {}, status };
}

const reviews = createWorkloadReviews({
  get: async () => structuredClone(object),
  putStatus: async (read: KubeObject, status: object) => {
    writes++;
    if (object) meanwhile(object.status as Record<string, unknown>);
    if (!object) return "gone";
    if (read.metadata.resourceVersion !== object.metadata.resourceVersion) return "conflict";
    object = { ...object, status };
    touch();
    return "written";
  },
} as unknown as KindClient);

function touch(): void {
  if (object) object.metadata.resourceVersion = String(Number(object.metadata.resourceVersion) + 1);
}

describe("reviews in a workload's status", () => {
  test("are listed with what the page needs beside them", async () => {
    const usage = { inputTokens: 5, outputTokens: 6, costUsd: "0.0125", browserSeconds: 1.5 };
    const traceUrl = "https://jaeger.example/trace/1";
    object = objectWith({ reviews: [A, B], usage, outputs: { html: "uid-1/x" }, traceUrl });
    const common = {
      workload: { ...REF, uid: "uid-1" },
      usage: { ...usage, costUsd: 0.0125 },
      outputs: { html: "uid-1/x" },
      traceUrl,
    };
    expect(await reviews.list(REF)).toEqual([
      { ...common, review: A, findings: `default/uid-1/${A.digest}.json` },
      { ...common, review: B, findings: `default/uid-1/${B.digest}.json` },
    ]);
    expect((await reviews.read(REF, "b"))?.review).toEqual(B);
    expect(await reviews.read(REF, "c")).toBeUndefined();
  });

  test.each<[string, () => KubeObject | undefined]>([
    ["no workload", () => undefined],
    ["no status", () => objectWith(undefined)],
    ["no reviews", () => objectWith({ phase: "Running" })],
  ])("%s: none", async (_name, given) => {
    object = given();
    expect(await reviews.list(REF)).toEqual([]);
    expect(await reviews.decide(REF, decisionOn(A))).toEqual({ outcome: "notFound" });
  });

  test("cost nothing before the first step has ended", async () => {
    expect((await reviews.read(REF, "a"))?.usage).toEqual(NO_USAGE);
  });
});

describe("a decision", () => {
  test.each<[string, (object: KubeObject) => KubeObject, string]>([
    ["was stopped", (one) => ({ ...one, spec: { stop: true } }), "somebody stopped the run"],
    [
      "has ended",
      (one) => ({ ...one, status: { reviews: [A], phase: "Failed", finishedAt: "2026-11-20T13:00:00Z" } }),
      "the run ended (Failed)",
    ],
    [
      "is being deleted",
      (one) => ({ ...one, metadata: { ...one.metadata, deletionTimestamp: "2026-11-20T13:00:00Z" } }),
      "the workload is being deleted",
    ],
  ])(
    "on a run that %s is refused, and its review says so; one that was made before stands",
    async (_what, end, why) => {
      object = object && end(object);
      expect((await reviews.read(REF, "a"))?.ended).toBe(why);
      expect(await reviews.decide(REF, decisionOn(A))).toEqual({ outcome: "ended", why });
      expect(writes).toBe(0);
      const decided = { ...A, ...decisionOn(A) };
      if (object) object.status = { ...(object.status as object), reviews: [decided] };
      expect((await reviews.read(REF, "a"))?.ended).toBeUndefined();
      expect(await reviews.decide(REF, decisionOn(A))).toEqual({ outcome: "alreadyDecided", decision: decisionOn(A) });
    },
  );

  test("changes its own review only; what this version does not know stays", async () => {
    expect(await reviews.decide(REF, decisionOn(B))).toEqual({ outcome: "decided", decision: decisionOn(B) });
    expect(object?.status).toEqual({
      reviews: [A, { ...B, ...decisionOn(B) }],
      phase: "AwaitingReview",
      futureField: { kept: true },
    });
  });

  test("is on the latest review of its gate: one of an earlier run may stand before it", async () => {
    const earlier = { ...reviewOf("a", "9"), run: "0000000000" };
    object = objectWith({ reviews: [earlier, A] });
    expect((await reviews.read(REF, "a"))?.review).toEqual(A);
    expect(await reviews.decide(REF, decisionOn(A))).toEqual({ outcome: "decided", decision: decisionOn(A) });
    expect(object?.status).toEqual({ reviews: [earlier, { ...A, ...decisionOn(A) }] });
  });

  test("that is the second is told of the first", async () => {
    await reviews.decide(REF, decisionOn(A));
    const second = await reviews.decide(REF, decisionOn(A, { decision: "rejected", by: "bob" }));
    expect(second).toEqual({ outcome: "alreadyDecided", decision: decisionOn(A) });
  });

  test("on other findings is refused", async () => {
    expect(await reviews.decide(REF, { ...decisionOn(A), digest: B.digest })).toEqual({
      outcome: "otherDigest",
      digest: A.digest,
    });
    expect(writes).toBe(0);
  });

  test("is written although the status changes nine times, with what was written meanwhile", async () => {
    meanwhile = (status) => {
      if (writes > 9) return;
      status["phase"] = `look ${writes}`;
      touch();
    };
    expect((await reviews.decide(REF, decisionOn(A))).outcome).toBe("decided");
    expect(object?.status).toMatchObject({ phase: "look 9", reviews: [{ decision: "approved" }, B] });
    expect(writes).toBe(10);
  });

  test("is given up when the status changes at each of ten tries", async () => {
    meanwhile = touch;
    await expect(reviews.decide(REF, decisionOn(A))).rejects.toMatchObject({
      name: "RetryableError",
      reason: "Conflict",
    });
    expect(writes).toBe(10);
  });

  test("loses to one that came between its read and its write", async () => {
    meanwhile = (status) => {
      if (writes > 1) return;
      status["reviews"] = [{ ...A, ...decisionOn(A, { by: "bob", decision: "rejected" }) }, B];
      touch();
    };
    expect(await reviews.decide(REF, decisionOn(A))).toMatchObject({
      outcome: "alreadyDecided",
      decision: { by: "bob" },
    });
  });

  test("on a workload that is deleted meanwhile is not found", async () => {
    meanwhile = () => {
      object = undefined;
    };
    expect(await reviews.decide(REF, decisionOn(A))).toEqual({ outcome: "notFound" });
  });
});
