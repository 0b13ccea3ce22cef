import { setTimeout as sleep } from "node:timers/promises";
import { CloudEvent } from "cloudevents";
import { describe, expect, test } from "vitest";
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
      { of: "one", ref },
    ],
    [
      "a subject that names nothing",
      { type: "dev.agentic.step.completed", subject: "demo" },
      { of: "nothing", why: "the subject does not name a workload: namespace/name/step/item" },
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
  test("fifty at once are two runs, and none is answered by a run that began before it came", async () => {
    const runs: string[] = [];
    const bringOn = oneAtATime(async (key) => {
      runs.push(key);
      await sleep(20);
    });
    const first = bringOn("a");
    const rest = Array.from({ length: 50 }, () => bringOn("a"));
    await Promise.all([first, ...rest, bringOn("b")]);
    expect(runs).toEqual(["a", "b", "a"]);
    await bringOn("a");
    expect(runs).toHaveLength(4);
  });

  test("a run that fails fails those who share it, and not the next", async () => {
    let fail = true;
    const bringOn = oneAtATime(async () => {
      await sleep(5);
      if (fail) throw new Error("away");
    });
    const first = bringOn("a");
    const second = bringOn("a");
    await expect(first).rejects.toThrow("away");
    fail = false;
    await second;
  });
});
