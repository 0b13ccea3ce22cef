import { setTimeout as sleep } from "node:timers/promises";
import { CloudEvent } from "cloudevents";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { argoEngine } from "../../../functions/reconcile/argo/engine.ts";
import { keyOf } from "../../../functions/reconcile/key.ts";
import { createRequeue } from "../../../functions/reconcile/requeue.ts";
import { createWorkQueue } from "../../../functions/reconcile/work-queue.ts";

const event = (over: Record<string, unknown>) =>
  new CloudEvent<unknown>({ source: "/test", id: "id-1", type: "t", ...over });
const ref = { namespace: "team-a", name: "demo" };
const reference = (kind: string, name = "demo", change = "add") => ({
  type: `dev.knative.apiserver.ref.${change}`,
  data: { kind, namespace: "team-a", name },
});

describe("what an event is about", () => {
  test.each<[string, Record<string, unknown>, unknown]>([
    ["a workload that changed", reference("AgentWorkload", "demo", "update"), { of: "workload", ref }],
    ["a workload that is gone", reference("AgentWorkload", "demo", "delete"), { of: "workload", ref }],
    ["its Workflow", reference("Workflow", "demo-0123456789"), { of: "workload", ref }],
    [
      "a Workflow of somebody else's",
      reference("Workflow", "build"),
      { of: "nothing", why: "build is no Workflow of a workload" },
    ],
    ["an agent", reference("Agent"), { of: "agent", ref }],
    ["the Knative Service of an agent", reference("Service", "demo", "update"), { of: "agent", ref }],
    ["a decision", reference("AgentDecision"), { of: "decision", ref }],
    ["a pipeline", reference("AgentPipeline"), { of: "pipeline" }],
    ["another kind", reference("Pod"), { of: "nothing", why: "reconcile looks at no Pod" }],
    [
      "a step that ended",
      { type: "dev.agentic.step.completed", subject: "team-a/demo/fetch/http://a.example/" },
      { of: "completed", ref },
    ],
    [
      "a subject that names nothing",
      { type: "dev.agentic.step.completed", subject: "demo" },
      { of: "nothing", why: "the subject does not name a workload: namespace/name/step/item" },
    ],
    [
      "a decision",
      { type: "dev.agentic.review.decided", data: { ...ref, decision: "approved" } },
      { of: "workload", ref },
    ],
    [
      "a decision on nothing",
      { type: "dev.agentic.review.decided", data: {} },
      { of: "nothing", why: "the decision names no workload" },
    ],
    ["the resync", { type: "dev.knative.sources.ping" }, { of: "all" }],
    [
      "a request that came back",
      {
        type: "dev.agentic.step.requested",
        subject: "team-a/demo/write",
        knativeerrorcode: 401,
        knativeerrordata: Buffer.from("no").toString("base64"),
      },
      { of: "deadLetter", ref, why: "HTTP 401: no" },
    ],
    [
      "a request that came back with bytes that nobody can read",
      {
        type: "dev.agentic.step.requested",
        subject: "team-a/demo/write",
        knativeerrorcode: 500,
        knativeerrordata: Buffer.from([0xff, 0x00, 0x01]).toString("base64"),
      },
      { of: "deadLetter", ref, why: "HTTP 500" },
    ],
    [
      "a request that nobody answered",
      { type: "dev.agentic.step.requested", subject: "team-a/demo/write" },
      { of: "deadLetter", ref, why: "no answer" },
    ],
    [
      "a hint that came back",
      { type: "dev.agentic.step.expected", subject: "team-a/demo/read" },
      { of: "workload", ref },
    ],
    [
      "anything else",
      { type: "com.example.ping" },
      { of: "nothing", why: "reconcile takes no events of type com.example.ping" },
    ],
    [
      "a reference without a name",
      { type: "dev.knative.apiserver.ref.add", data: { kind: "AgentWorkload" } },
      { of: "nothing", why: expect.stringContaining("no object reference") },
    ],
  ])("%s", (_what, over, key) => {
    expect(keyOf(event(over), argoEngine.workloadOf)).toEqual(key);
  });
});

describe("the work queue", () => {
  /** Runs that take 20 ms, and when each began. */
  function counted() {
    const runs: { key: string; at: number }[] = [];
    const enqueue = createWorkQueue(async (key) => {
      runs.push({ key, at: performance.now() });
      await sleep(20);
    });
    return { enqueue, keys: () => runs.map(({ key }) => key), at: (index: number) => runs[index]?.at ?? 0 };
  }

  test("fifty that come while it runs are one more run, and none is answered by a run that began before it came", async () => {
    const { enqueue, keys } = counted();
    const first = enqueue("a");
    await sleep(1);
    const rest = Array.from({ length: 50 }, () => enqueue("a"));
    await Promise.all([first, ...rest, enqueue("b")]);
    expect(keys()).toEqual(["a", "b", "a"]);
    await enqueue("a");
    expect(keys()).toHaveLength(4);
  });

  test("a run is followed by a rest as long, and who comes in it waits for its end", async () => {
    const { enqueue, at } = counted();
    await enqueue("a");
    await enqueue("a");
    expect(at(1) - at(0)).toBeGreaterThanOrEqual(38);
  });

  test("a burst of events is one run, and so is who comes with it", async () => {
    const { enqueue, keys } = counted();
    const first = enqueue("a", { debounce: true });
    await sleep(30);
    await Promise.all([first, enqueue("a", { debounce: true }), enqueue("a")]);
    expect(keys()).toEqual(["a"]);
  });

  test("a run that fails fails those who share it, and not the next", async () => {
    let fail = true;
    const enqueue = createWorkQueue(async () => {
      await sleep(5);
      if (fail) throw new Error("away");
    });
    const first = enqueue("a");
    await sleep(1);
    const second = enqueue("a");
    await expect(first).rejects.toThrow("away");
    fail = false;
    await second;
  });
});

describe("requeue", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const now = new Date("2026-01-01T10:00:00Z");
  const inMs = (ms: number) => new Date(now.getTime() + ms);

  test.each<[string, (Date | undefined)[], number]>([
    ["looks again at the time", [inMs(1000)], 1],
    ["at once where the time is over", [inMs(-5000)], 1],
    ["a later one replaces an earlier", [inMs(1000), inMs(1500)], 1],
    ["not at all where nothing is waited for any more", [inMs(1000), undefined], 0],
    ["far ahead the resync comes first", [inMs(91_000)], 0],
  ])("%s", (_what, times, looks) => {
    const enqueued: string[] = [];
    const requeue = createRequeue((key) => enqueued.push(key));
    for (const at of times) requeue("a", at, now);
    vi.advanceTimersByTime(120_000);
    expect(enqueued).toHaveLength(looks);
  });
});
