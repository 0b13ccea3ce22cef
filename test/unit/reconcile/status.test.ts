import { describe, expect, test } from "vitest";
import { eventOf } from "../../../functions/reconcile/event.ts";
import { statusOf, troubledStatus } from "../../../functions/reconcile/status.ts";
import { bad, final, GATE_AT, type Given, ok, see } from "./world.ts";

const NOW = new Date("2026-01-01T10:06:00Z");
const all = (step: string, phase: string) => [0, 1, 2, 3, 4].map((index) => `${step}/${index} ${phase}`);
const records = (step: string) =>
  Object.fromEntries([0, 1, 2, 3, 4].map((index) => [`${step}/${index}`, final(ok(step))]));
const analyzed = { ...records("scrape"), ...records("analyze") };
const chain = [...all("scrape", "Succeeded"), ...all("analyze", "Succeeded")];

const statusAt = async (given: Given, trouble?: { reason: string; message: string }) =>
  statusOf(await see(given), { costOfApproving: 0.0042, trouble, now: NOW });
const ready = (status: Awaited<ReturnType<typeof statusAt>>) => status.conditions?.find(({ type }) => type === "Ready");

describe("phase and the condition Ready", () => {
  test.each<[string, Given, string, string, RegExp]>([
    ["no Workflow yet", {}, "Creating", "Creating", /being created/],
    ["held before its start", { spec: { suspend: true } }, "Suspended", "Suspended", /spec.suspend/],
    [
      "Argo has not seen it",
      { nodes: [], workflow: { metadata: { creationTimestamp: "2026-01-01T10:05:50Z" } } },
      "Creating",
      "Creating",
      /waiting for Argo/,
    ],
    [
      "sites are worked on",
      { nodes: all("scrape", "Running") },
      "Running",
      "Running",
      /0 of 5 sites analyzed, 0 failed/,
    ],
    [
      "some are through",
      {
        nodes: ["scrape/0 Succeeded", "analyze/0 Succeeded", "scrape/1 Failed"],
        records: { ...analyzed, "scrape/1": final(bad("Timeout")) },
      },
      "Running",
      "Running",
      /1 of 5 sites analyzed, 1 failed/,
    ],
    [
      "held in Argo",
      { nodes: all("scrape", "Running"), workflow: { spec: { suspend: true } } },
      "Suspended",
      "SuspendedInArgo",
      /kubectl -n team-a patch workflow demo-/,
    ],
    [
      "the gate, before it is open",
      { nodes: [...chain, "review Running"], records: analyzed },
      "Running",
      "Running",
      /5 of 5/,
    ],
    [
      "rejected",
      {
        nodes: [...chain, "review Succeeded rejected", "report Skipped"],
        records: analyzed,
        workflow: { phase: "Succeeded" },
      },
      "Rejected",
      "Rejected",
      /rejected by/,
    ],
    [
      "succeeded",
      {
        nodes: [...chain, "review Succeeded approved", "report Succeeded ours"],
        records: { ...analyzed, report: final({ ...ok("html"), output: "Enter at $5." }) },
        workflow: { phase: "Succeeded" },
      },
      "Succeeded",
      "Succeeded",
      /Enter at \$5/,
    ],
    [
      "stopped in Argo",
      { nodes: all("scrape", "Failed"), workflow: { phase: "Failed", spec: { shutdown: "Stop" } } },
      "Failed",
      "StoppedInArgo",
      /kubectl -n team-a delete workflow demo-/,
    ],
    [
      "its deadline passed",
      { nodes: all("scrape", "Failed").slice(0, 1), workflow: { phase: "Failed" } },
      "Failed",
      "WorkflowFailed",
      /failed in Argo/,
    ],
    [
      "a spec that does not hold",
      { spec: { sites: ["http://10.0.0.1/"] } },
      "Failed",
      "InvalidSpec",
      /10\.0\.0\.1 is a private address/,
    ],
    [
      "a dead letter",
      { nodes: ["scrape/0 Running"], records: { "scrape/0": { requested: true, undeliverable: "HTTP 503" } } },
      "Running",
      "StepUndeliverable",
      /function scrape \(HTTP 503\).*describe ksvc scrape/,
    ],
    [
      "a step that nobody takes up",
      {
        nodes: ["scrape/0 Running"],
        records: { "scrape/0": { requested: true, requestedAt: new Date("2026-01-01T10:05:00Z") } },
      },
      "Running",
      "StepNotTakenUp",
      /no instance of the function scrape .*get pods -l serving.knative.dev\/service=scrape/,
    ],
    [
      "a new Workflow that Argo does not look at",
      { nodes: [] },
      "Creating",
      "ArgoSilent",
      /since 2026-01-01T10:00:00.000Z.*get pods -A -l app=workflow-controller/,
    ],
    [
      "the same while others are worked on",
      {
        nodes: ["scrape/0 Running", "scrape/1 Running"],
        records: { "scrape/0": { requestedAt: new Date("2026-01-01T10:00:00Z") }, "scrape/1": { held: true } },
      },
      "Running",
      "Running",
      /0 of 5/,
    ],
    [
      "a dead letter of a step that is worked on again",
      { nodes: ["scrape/0 Running"], records: { "scrape/0": { held: true, undeliverable: "HTTP 503" } } },
      "Running",
      "Running",
      /0 of 5/,
    ],
  ])("%s", async (_what, given, phase, reason, message) => {
    const status = await statusAt(given);
    expect([status.phase, ready(status)?.reason]).toEqual([phase, reason]);
    expect(ready(status)?.message).toMatch(message);
  });

  test("an open review awaits its decision", async () => {
    const given = { nodes: [...chain, "review Running"], records: analyzed };
    const first = await statusAt(given);
    const status = await statusAt({ ...given, status: { review: { ...first.review, run: "another" } } });
    expect([status.phase, ready(status)?.reason]).toEqual(["AwaitingReview", "AwaitingReview"]);
    expect(status.review).toMatchObject({
      openedAt: new Date(GATE_AT).toISOString(),
      timeoutAt: "2026-01-02T10:05:00.000Z",
      costOfApproving: "0.0042",
    });
  });

  test("a review that is not required is approved by the spec", async () => {
    const status = await statusAt({
      spec: { review: { required: false } },
      nodes: [...chain, "review Running"],
      records: analyzed,
    });
    expect(status.review).toMatchObject({ decision: "approved", by: "spec.review.required: false" });
  });
});

test("what keeps a run from going on is the reason, until it has ended", async () => {
  const trouble = { reason: "BrokerUnavailable", message: "the Broker is away" };
  expect(ready(await statusAt({ nodes: all("scrape", "Running") }, trouble))?.reason).toBe("BrokerUnavailable");
  expect(
    ready(await statusAt({ nodes: all("scrape", "Failed"), workflow: { phase: "Failed" } }, trouble))?.reason,
  ).toBe("WorkflowFailed");
});

test("sites, usage and costs are those of the results", async () => {
  const status = await statusAt({
    nodes: ["scrape/0 Succeeded", "analyze/0 Succeeded", "scrape/1 Failed", "scrape/2 Running"],
    records: { ...analyzed, "scrape/1": final(bad("Timeout")), "scrape/2": { held: true } },
  });
  expect(status.sites).toEqual({ total: 5, scraped: 1, analyzed: 1, failed: 1, progress: "1/5" });
  expect(status.usage).toEqual({ inputTokens: 200, outputTokens: 0, costUsd: "0.0010", browserSeconds: 0 });
  expect(status.readyReplicas).toBe(1);
});

test("a condition's transition time is when its status changed, not when its words did", async () => {
  const before = await statusAt({ nodes: all("scrape", "Running") });
  const later = new Date("2026-01-01T12:00:00Z");
  const observed = await see({
    nodes: all("scrape", "Running"),
    workflow: { spec: { suspend: true } },
    status: before,
  });
  const after = statusOf(observed, { costOfApproving: 0, now: later });
  const changed = after.conditions?.filter(({ lastTransitionTime }) => lastTransitionTime === "2026-01-01T12:00:00Z");
  expect(changed).toEqual([]);
  expect(ready(after)?.reason).toBe("SuspendedInArgo");
});

test("a finished run whose Workflow is gone keeps what was said of it", async () => {
  const done = await statusAt({
    nodes: [...chain, "review Succeeded approved", "report Succeeded ours"],
    records: { ...analyzed, report: final(ok("html")) },
    workflow: { phase: "Succeeded" },
  });
  expect(done.finishedAt).toBe("2026-01-01T11:00:00.000Z");
  expect(await statusAt({ status: done })).toEqual(done);
});

describe("Kubernetes Events", () => {
  test("one for each phase and reason, of the same name when it is said again", async () => {
    const observed = await see({ nodes: all("scrape", "Running") });
    const status = statusOf(observed, { costOfApproving: 0, now: NOW });
    const event = eventOf(observed.object, status, NOW);
    expect(event).toMatchObject({
      type: "Normal",
      reason: "Running",
      involvedObject: { kind: "AgentWorkload", name: "demo" },
    });
    expect(eventOf(observed.object, status, new Date())?.metadata.name).toBe(event?.metadata.name);
    expect(eventOf({ ...observed.object, status }, status, NOW)).toBeUndefined();
  });

  test("trouble is a warning", async () => {
    const observed = await see({ nodes: all("scrape", "Running") });
    const status = troubledStatus(observed, { reason: "StoreUnavailable", message: "Redis: away" }, NOW);
    expect(eventOf(observed.object, status, NOW)).toMatchObject({
      type: "Warning",
      reason: "StoreUnavailable",
      message: "Redis: away",
    });
  });
});
