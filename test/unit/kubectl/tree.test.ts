import { describe, expect, test } from "vitest";
import { failedItems, runTree } from "../../../cli/kubectl/tree.ts";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import type { FailedItem } from "../../../engine/status-text.ts";
import type { NodeView } from "../../../functions/reconcile/run-engine.ts";
import { runWith } from "../engine/build.ts";

const step = (name: string, over: object = {}) => ({
  name,
  total: 1,
  running: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  costUsd: "0",
  ...over,
});
const review = {
  gate: "ask",
  run: "r",
  digest: "0".repeat(64),
  openedAt: "2026-11-30T10:00:00Z",
  timeoutAt: "2026-12-01T10:00:00Z",
  onTimeout: "Reject",
} as const;
const STATUS: WorkloadStatus = {
  phase: "AwaitingReview",
  pipeline: "team-a/reading",
  items: { total: 3, done: 2, failed: 1, progress: "2/3" },
  usage: { inputTokens: 1, outputTokens: 1, costUsd: "0.0042", browserSeconds: 0 },
  startedAt: "2026-11-30T09:00:00Z",
  steps: [
    step("read", { total: 3, succeeded: 2, failed: 1, costUsd: "0.0042" }),
    step("ask", { running: 1 }),
    step("write", { total: 0 }),
  ],
  reviews: [{ ...review, costOfApproving: "0.01" }],
};
const tree = (status: WorkloadStatus, failed: readonly FailedItem[] = []) =>
  runTree({ metadata: { namespace: "team-a", name: "demo" }, status }, failed);

describe("a run as a tree", () => {
  test("at a gate, with an item that failed", () => {
    expect(tree(STATUS, [{ step: "read", item: "https://a.example/", why: "Timeout: no answer" }])).toBe(
      `team-a/demo  AwaitingReview  team-a/reading  2/3 items, 1 failed  $0.0042  started 2026-11-30T09:00:00Z
├─ read   2/3 succeeded, 1 failed  $0.0042
│     https://a.example/: Timeout: no answer
├─ ask    waits for a decision until 2026-12-01T10:00:00Z, then: Reject; approving costs at most $0.01
└─ write  waits
`,
    );
  });

  test("that ended badly", () => {
    const at = "2026-11-30T11:00:00Z";
    const decided = { ...review, decision: "approved", by: "ann", at, automatic: false, comment: "Good." } as const;
    const conditions: WorkloadStatus["conditions"] = [
      { type: "Ready", status: "False", reason: "Broken", message: "step write: it broke", lastTransitionTime: at },
    ];
    const steps = [step("ask", { succeeded: 1 }), step("write", { failed: 1 })];
    const text = tree({ phase: "Failed", steps, reviews: [decided], conditions, finishedAt: at }, [
      { step: "write", why: "Broken: it broke" },
    ]);
    expect(text).toBe(
      `team-a/demo  Failed  finished ${at}
├─ ask    approved by ann at ${at}: Good.
└─ write  failed
      Broken: it broke
Broken: step write: it broke
`,
    );
  });

  test("of which nothing is known yet", () => {
    expect(tree({})).toBe("team-a/demo  Pending\n");
  });

  test("with its outputs", () => {
    expect(tree({ phase: "Succeeded", outputs: { html: "u/1.html" } })).toContain("output html: u/1.html\n");
  });

  test("of many failures the first ten", () => {
    const many = Array.from({ length: 13 }, (_, index) => ({ step: "read", item: `i${index}`, why: "no" }));
    expect(tree(STATUS, many)).toMatch(/│ {5}i9: no\n│ {5}and 3 more\n/);
  });
});

test("what failed is named as the inputs name it, in the order of steps and items", () => {
  const list = ["https://a.example/", { url: "https://b.example/" }, { id: 3 }];
  const run = runWith(
    [
      { name: "read", forEach: "inputs.urls" },
      { name: "write", after: ["read"] },
    ],
    {
      inputs: { urls: list },
    },
  );
  const node = (over: Partial<NodeView>): NodeView => ({
    id: "n",
    role: "step",
    step: "read",
    phase: "Failed",
    startedAt: "",
    message: "Broken: no",
    ...over,
  });
  const nodes = [
    node({ step: "write" }),
    node({ index: 2, phase: "Error" }),
    node({ index: 1 }),
    node({ index: 1, phase: "Succeeded" }),
    node({ role: "gate", step: "ask" }),
    node({ index: 0 }),
  ];
  const why = "Broken: no";
  expect(failedItems(run, nodes)).toEqual([
    { step: "read", item: "https://a.example/", why },
    { step: "read", item: "https://b.example/", why },
    { step: "read", item: "item 2", why },
    { step: "write", why },
  ]);
});
