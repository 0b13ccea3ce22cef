import { setTimeout as sleep } from "node:timers/promises";
import { CloudEvent } from "cloudevents";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createAlarms } from "../../../functions/reconcile/alarms.ts";
import { keyOf } from "../../../functions/reconcile/key.ts";
import { oneAtATime } from "../../../functions/reconcile/one-at-a-time.ts";

const event = (over: Record<string, unknown>) =>
  new CloudEvent<unknown>({ source: "/test", id: "id-1", type: "t", ...over });
const ref = { namespace: "team-a", name: "demo" };

describe("what an event is about", () => {
  test.each<[string, Record<string, unknown>, unknown]>([
    [
      "a workload that changed",
      { type: "dev.knative.apiserver.ref.update", data: { kind: "AgentWorkload", ...ref } },
      { of: "one", ref },
    ],
    [
      "its Workflow",
      {
        type: "dev.knative.apiserver.ref.add",
        data: { kind: "Workflow", namespace: "team-a", name: "demo-0123456789" },
      },
      { of: "one", ref },
    ],
    [
      "a Workflow of somebody else's",
      { type: "dev.knative.apiserver.ref.add", data: { kind: "Workflow", namespace: "team-a", name: "build" } },
      { of: "nothing", why: "build is no Workflow of ours" },
    ],
    [
      "a step that ended",
      { type: "dev.agentic.step.completed", subject: "team-a/demo/scrape/http://a.example/" },
      { of: "one", ref, inFlock: true },
    ],
    [
      "a subject that names nothing",
      { type: "dev.agentic.step.completed", subject: "demo" },
      { of: "nothing", why: "the subject does not name a workload: namespace/name/step/item" },
    ],
    ["a decision", { type: "dev.agentic.review.decided", data: { ...ref, decision: "approved" } }, { of: "one", ref }],
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
        subject: "team-a/demo/report",
        knativeerrorcode: 401,
        knativeerrordata: Buffer.from("no").toString("base64"),
      },
      { of: "deadLetter", ref, identity: "id-1", why: "HTTP 401: no" },
    ],
    [
      "a request that nobody answered",
      { type: "dev.agentic.step.requested", subject: "team-a/demo/report" },
      { of: "deadLetter", ref, identity: "id-1", why: "no answer" },
    ],
    [
      "a hint that came back",
      { type: "dev.agentic.step.expected", subject: "team-a/demo/analyze" },
      { of: "one", ref },
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
    expect(keyOf(event(over))).toEqual(key);
  });
});

describe("one at a time", () => {
  /** Runs that take 20 ms, and when each began. */
  function counted() {
    const runs: { key: string; at: number }[] = [];
    const bringOn = oneAtATime(async (key) => {
      runs.push({ key, at: performance.now() });
      await sleep(20);
    });
    return { bringOn, keys: () => runs.map(({ key }) => key), at: (index: number) => runs[index]?.at ?? 0 };
  }

  test("fifty that come while it runs are one more run, and none is answered by a run that began before it came", async () => {
    const { bringOn, keys } = counted();
    const first = bringOn("a");
    await sleep(1);
    const rest = Array.from({ length: 50 }, () => bringOn("a"));
    await Promise.all([first, ...rest, bringOn("b")]);
    expect(keys()).toEqual(["a", "b", "a"]);
    await bringOn("a");
    expect(keys()).toHaveLength(4);
  });

  test("a run is followed by a rest as long, and who comes in it waits for its end", async () => {
    const { bringOn, at } = counted();
    await bringOn("a");
    await bringOn("a");
    expect(at(1) - at(0)).toBeGreaterThanOrEqual(38);
  });

  test("a flock is one run, and so is who comes with it", async () => {
    const { bringOn, keys } = counted();
    const first = bringOn("a", { inFlock: true });
    await sleep(30);
    await Promise.all([first, bringOn("a", { inFlock: true }), bringOn("a")]);
    expect(keys()).toEqual(["a"]);
  });

  test("a run that fails fails those who share it, and not the next", async () => {
    let fail = true;
    const bringOn = oneAtATime(async () => {
      await sleep(5);
      if (fail) throw new Error("away");
    });
    const first = bringOn("a");
    await sleep(1);
    const second = bringOn("a");
    await expect(first).rejects.toThrow("away");
    fail = false;
    await second;
  });
});

describe("alarms", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const now = new Date("2026-01-01T10:00:00Z");
  const inMs = (ms: number) => new Date(now.getTime() + ms);

  test.each<[string, (Date | undefined)[], number]>([
    ["one rings at its time", [inMs(1000)], 1],
    ["one whose time is over rings at once", [inMs(-5000)], 1],
    ["a later one replaces an earlier", [inMs(1000), inMs(1500)], 1],
    ["none where nothing is waited for any more", [inMs(1000), undefined], 0],
    ["what is far ahead is the resync's", [inMs(61_000)], 0],
  ])("%s", (_what, times, rings) => {
    const rung: string[] = [];
    const alarm = createAlarms((key) => rung.push(key));
    for (const at of times) alarm("a", at, now);
    vi.advanceTimersByTime(120_000);
    expect(rung).toHaveLength(rings);
  });
});
