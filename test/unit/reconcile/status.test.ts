import { describe, expect, test } from "vitest";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { argoEngine } from "../../../functions/reconcile/argo/engine.ts";
import { kubernetesEvents } from "../../../functions/reconcile/workload/kubernetes-event.ts";
import { stalledStatus, statusOf } from "../../../functions/reconcile/workload/status.ts";
import {
  AT_GATE,
  agentObject,
  all,
  bad,
  type Given,
  ITEMS,
  LOST,
  NOW,
  ok,
  READ,
  see,
  workflowObject,
} from "./given.ts";
import { keyOf, pipelineOf } from "./harness.ts";

interface Stall {
  readonly reason: string;
  readonly message: string;
}
const statusAt = async (given: Given, stall?: Stall): Promise<WorkloadStatus> =>
  statusOf(await see(given), { costOfApproving: () => 0.0042, engine: argoEngine, stall, now: given.now ?? NOW });
const condition = ({ conditions = [] }: WorkloadStatus, type: string) => conditions.find((one) => one.type === type);
const ready = (status: WorkloadStatus) => condition(status, "Ready");

const ann = { by: "ann", how: "ReviewLink", automatic: false, at: "2026-01-01T10:10:00.000Z" } as const;
/** The gate decided by a person. */
async function decided(given: Given, decision: "approved" | "rejected"): Promise<Given> {
  const { reviews = [] } = await statusAt(AT_GATE);
  return { ...given, status: { reviews: reviews.map((review) => ({ ...review, ...ann, decision })) } };
}
const succeeded = (): Promise<Given> =>
  decided(
    {
      nodes: [...READ, "review Succeeded approved", "write settled", "end Succeeded succeeded"],
      results: { write: ok("html", { output: "Enter at $5." }) },
      workflow: { phase: "Succeeded" },
    },
    "approved",
  );
const asked = (at: string) => ({ requested: true, requestedAt: new Date(at) });
const LONG_AGO = "2026-01-01T10:05:00Z";
const notReady = agentObject("fetch", {
  status: {
    revision: "r1",
    conditions: [readyCondition("False", "ImageNotReady", "the Knative Service: no such image")],
  },
});
const isReady = agentObject("fetch", { status: { revision: "r1", conditions: [readyCondition("True", "Ready", "")] } });

function readyCondition(status: "True" | "False", reason: string, message: string) {
  return { type: "Ready", status, reason, message, lastTransitionTime: LONG_AGO };
}

test("a run's trace is a link where a viewer is named", async () => {
  const context = { costOfApproving: () => undefined, engine: argoEngine, now: NOW };
  const { trace, traceUrl } = statusOf(await see(AT_GATE), {
    ...context,
    traceUrl: "https://jaeger.example/t/{trace}?x",
  });
  expect(traceUrl).toBe(`https://jaeger.example/t/${trace}?x`);
  expect(statusOf(await see(AT_GATE), context)).not.toHaveProperty("traceUrl");
});

describe("phase and the condition Ready", () => {
  test.each<[string, Given | Promise<Given>, string, string, RegExp]>([
    ["no Workflow yet", {}, "Creating", "Creating", /being created/],
    ["held before its start", { spec: { suspend: true } }, "Suspended", "Suspended", /spec.suspend/],
    [
      "Argo has not seen it",
      { nodes: [], workflow: { metadata: { creationTimestamp: "2026-01-01T10:05:50Z" } } },
      "Creating",
      "Creating",
      /waiting for Argo/,
    ],
    ["items are worked on", { nodes: all("fetch", "Running") }, "Running", "Running", /0 of 5 items done, 0 failed/],
    [
      "some are through",
      { nodes: ["fetch/0 settled", "read/0 settled", "fetch/1 settled"], results: { "fetch/1": bad("Timeout") } },
      "Running",
      "Running",
      /1 of 5 items done, 1 failed/,
    ],
    [
      "held by the spec",
      { nodes: all("fetch", "Running"), spec: { suspend: true } },
      "Suspended",
      "Suspended",
      /false/,
    ],
    [
      "held in Argo",
      { nodes: all("fetch", "Running"), workflow: { spec: { suspend: true } } },
      "Suspended",
      "SuspendedInArgo",
      /kubectl -n team-a patch workflow demo-/,
    ],
    [
      "being stopped in Argo",
      { nodes: all("fetch", "Running"), workflow: { spec: { shutdown: "Stop" } } },
      "Suspended",
      "StoppedInArgo",
      /being stopped/,
    ],
    ["the gate, before its review is open", AT_GATE, "Running", "Running", /5 of 5/],
    [
      "an open review",
      statusAt(AT_GATE).then((status) => ({ ...AT_GATE, status })),
      "AwaitingReview",
      "AwaitingReview",
      /gate review waits for a decision until 2026-01-02T10:05:00.000Z \(then: rejected\)/,
    ],
    [
      "rejected",
      decided(
        { nodes: [...READ, "review Failed rejected", "end Succeeded rejected"], workflow: { phase: "Succeeded" } },
        "rejected",
      ),
      "Rejected",
      "Rejected",
      /ann rejected gate review/,
    ],
    ["succeeded", succeeded(), "Succeeded", "Succeeded", /Enter at \$5/],
    [
      "too many items failed, others are in flight",
      {
        nodes: [
          "fetch/0 settled",
          "fetch/1 settled",
          ...all("fetch", "settled").slice(2),
          ...all("read", "settled").slice(2),
          "review Running",
        ],
        results: { "fetch/0": bad("Timeout"), "fetch/1": bad("Timeout") },
      },
      "Running",
      "TooManyFailedItems",
      /2 of 5 items failed \(2 × Timeout\)/,
    ],
    [
      "nodes that did not run do not change why the run failed",
      {
        nodes: [
          "fetch/0 settled",
          "read/0 settled",
          "fetch/1 Failed not-run",
          "fetch/2 Failed not-run",
          "end Failed failed",
        ],
        results: { "read/0": bad("BudgetExceeded") },
        workflow: { phase: "Failed" },
      },
      "Failed",
      "BudgetExceeded",
      /why/,
    ],
    [
      "a gate that was tampered with",
      {
        nodes: [...READ, "review Succeeded approved", "write Failed not-run", "end Failed failed"],
        workflow: { phase: "Failed" },
      },
      "Failed",
      "TamperedGate",
      /kubectl delete workflow/,
    ],
    [
      "stopped in Argo",
      { nodes: all("fetch", "Failed"), workflow: { phase: "Failed", spec: { shutdown: "Stop" } } },
      "Failed",
      "StoppedInArgo",
      /kubectl -n team-a delete workflow demo-/,
    ],
    [
      "stopped in Argo while its gate waits",
      { nodes: [...READ, "review Failed"], workflow: { phase: "Failed", spec: { shutdown: "Terminate" } } },
      "Failed",
      "StoppedInArgo",
      /kubectl -n team-a delete workflow demo-/,
    ],
    [
      "its deadline passed",
      { nodes: all("fetch", "Failed"), workflow: { phase: "Failed", message: "Max duration limit exceeded" } },
      "Failed",
      "WorkflowFailed",
      /Max duration limit exceeded; to retry/,
    ],
    [
      "its deadline passed while a single step runs",
      decided(
        {
          nodes: [...READ, "review Succeeded approved", "write Failed"],
          workflow: { phase: "Failed", message: "Max duration limit exceeded" },
        },
        "approved",
      ),
      "Failed",
      "WorkflowFailed",
      /Max duration limit exceeded/,
    ],
    [
      "a gate that was tampered with, and what Argo started after it",
      {
        nodes: [...READ, "review Succeeded approved", "write Running"],
      },
      "Running",
      "TamperedGate",
      /step write: the node of gate review says approved/,
    ],
    ["an invalid spec", { spec: { replicas: 0 } }, "Failed", "InvalidSpec", /replicas/],
    [
      "an item that is a private address",
      { spec: { inputs: { items: ["http://10.0.0.1/"] } } },
      "Failed",
      "InvalidSpec",
      /10\.0\.0\.1 is a private address/,
    ],
    [
      "an invalid pipeline",
      { pipeline: pipelineOf({ steps: [{ name: "a", agent: "fetch", after: ["a"] }] }) },
      "Failed",
      "InvalidPipeline",
      /agentic-system\/p is invalid: spec\.steps\[0\]\.after\[0\] is the step itself/,
    ],
    [
      "no such pipeline",
      { spec: { pipeline: "other" } },
      "Pending",
      "PipelineNotFound",
      /no AgentPipeline other in team-a or agentic-system: apply it/,
    ],
    [
      "no such agents: all of them are named",
      { agents: { read: undefined, write: undefined } },
      "Pending",
      "AgentNotFound",
      /no Agent read .*; there is no Agent write /,
    ],
    [
      "an agent that is not ready yet",
      {
        agents: {
          read: agentObject("read", {
            status: { conditions: [readyCondition("False", "ServiceNotFound", "no Service x")] },
          }),
        },
      },
      "Pending",
      "AgentNotReady",
      /Agent agentic-system\/read is not ready \(ServiceNotFound: no Service x\)/,
    ],
    [
      "an invalid edit while a run is there",
      {
        spec: { replicas: 0 },
        others: [workflowObject({ workflow: { phase: "Running" } }, "demo-0123456789")],
        status: { phase: "AwaitingReview" },
      },
      "AwaitingReview",
      "InvalidSpec",
      /the run of the earlier spec/,
    ],
    [
      "a Workflow without its frozen pipeline",
      { nodes: ["fetch/0 Running"], workflow: { metadata: { annotations: {} } } },
      "Pending",
      "UnreadableRun",
      /delete the Workflow to start the run again/,
    ],
    [
      "a dead letter",
      { nodes: ["fetch/0 Running"], states: { "fetch/0": { requested: true, undeliverable: "HTTP 503" } } },
      "Running",
      "StepUndeliverable",
      /agent fetch \(HTTP 503\).*kubectl get agents/,
    ],
    [
      "a dead letter of one step, others of its agent were asked just now",
      {
        nodes: ["fetch/0 Running", "fetch/1 Running"],
        states: { "fetch/0": asked("2026-01-01T10:05:59Z"), "fetch/1": { requested: true, undeliverable: "HTTP 503" } },
      },
      "Running",
      "StepUndeliverable",
      /HTTP 503/,
    ],
    [
      "a dead letter of a step that is worked on again",
      { nodes: ["fetch/0 Running"], states: { "fetch/0": { held: true, undeliverable: "HTTP 503" } } },
      "Running",
      "Running",
      /0 of 5/,
    ],
    [
      "a step that nobody takes up",
      { nodes: ["fetch/0 Running"], states: { "fetch/0": asked(LONG_AGO) }, agents: { fetch: isReady } },
      "Running",
      "StepNotTakenUp",
      /agent fetch has not taken up step fetch for 30 s.*serving.knative.dev\/service=fetch/,
    ],
    [
      "its agent was deleted",
      { nodes: ["fetch/0 Running"], states: { "fetch/0": asked(LONG_AGO) }, agents: { fetch: undefined } },
      "Running",
      "AgentNotFound",
      /Agent fetch was deleted: apply it again/,
    ],
    [
      "its agent is not ready",
      { nodes: ["fetch/0 Running"], states: { "fetch/0": asked(LONG_AGO) }, agents: { fetch: notReady } },
      "Running",
      "AgentNotReady",
      /ImageNotReady: the Knative Service: no such image.*kubectl -n agentic-system describe agent fetch/,
    ],
    [
      "asked for a moment ago",
      { nodes: ["fetch/0 Running"], states: { "fetch/0": asked("2026-01-01T10:05:40Z") }, agents: { fetch: notReady } },
      "Running",
      "Running",
      /0 of 5/,
    ],
    [
      "nobody takes it up while others are worked on",
      {
        nodes: ["fetch/0 Running", "fetch/1 Running"],
        states: { "fetch/0": asked(LONG_AGO), "fetch/1": { held: true } },
      },
      "Running",
      "Running",
      /0 of 5/,
    ],
    [
      "a new Workflow that Argo does not look at",
      { nodes: [] },
      "Creating",
      "ArgoSilent",
      /since 2026-01-01T10:00:00.000Z.*get pods -A -l app=workflow-controller/,
    ],
    [
      "results that Argo does not go on from",
      { nodes: ["fetch/0 settled"], workflow: { nodes: item("Running", "2026-01-01T10:05:20Z") } },
      "Running",
      "ArgoSilent",
      /since 2026-01-01T10:05:20.000Z/,
    ],
    [
      "the same for a moment",
      { nodes: ["fetch/0 settled"], workflow: { nodes: item("Running", "2026-01-01T10:05:40Z") } },
      "Running",
      "Running",
      /0 of 5/,
    ],
    [
      "the same while the Workflow is suspended",
      {
        nodes: ["fetch/0 settled"],
        workflow: { spec: { suspend: true }, nodes: item("Running", "2026-01-01T10:05:20Z") },
      },
      "Suspended",
      "SuspendedInArgo",
      /patch workflow/,
    ],
  ])("%s", async (_what, given, phase, reason, message) => {
    const status = await statusAt(await given);
    expect([status.phase, ready(status)?.reason]).toEqual([phase, reason]);
    expect(ready(status)?.message).toMatch(message);
  });

  /** One item whose first step has been settled, as Argo has it. */
  function item(phase: string, finishedAt: string) {
    const step = {
      type: "Suspend",
      templateName: "step-fetch",
      phase: "Succeeded",
      startedAt: "2026-01-01T10:00:00Z",
      finishedAt,
    };
    return {
      item: { id: "item", name: "x", type: "DAG", templateName: "item-fetch", phase },
      "id-fetch/0": { ...step, id: "id-fetch/0", name: "x.step-fetch" },
    };
  }

  test("what keeps a run from going on is the reason, until it has ended", async () => {
    const stall = { reason: "BrokerUnavailable", message: "the Broker is away" };
    expect(ready(await statusAt({ nodes: all("fetch", "Running") }, stall))?.reason).toBe("BrokerUnavailable");
    const stopped = { nodes: all("fetch", "Failed"), workflow: { phase: "Failed" } };
    expect(ready(await statusAt(stopped, stall))?.reason).toBe("WorkflowFailed");
  });

  test("a refused spec is not accepted, and no run is said to have been made", async () => {
    const status = await statusAt({ agents: { read: undefined } });
    expect(condition(status, "Accepted")).toMatchObject({ status: "False", reason: "AgentNotFound" });
    expect(status.workflow).toBeUndefined();
  });
});

test("steps, items, usage and costs are those of the results", async () => {
  const status = await statusAt({
    nodes: ["fetch/0 settled", "read/0 settled", "fetch/1 settled", "fetch/2 Running", "fetch/3 Running"],
    results: { "fetch/1": bad("Timeout") },
    states: { "fetch/2": { held: true } },
  });
  const none = { running: 0, succeeded: 0, failed: 0, skipped: 0, costUsd: "0.000000" };
  expect(status.steps).toEqual([
    { ...none, name: "fetch", total: 5, running: 2, succeeded: 1, failed: 1, costUsd: "0.000500" },
    { ...none, name: "read", total: 5, succeeded: 1, costUsd: "0.000500" },
    { ...none, name: "review", total: 1 },
    { ...none, name: "write", total: 1 },
  ]);
  expect(status.items).toEqual({ total: 5, done: 1, failed: 1, progress: "1/5" });
  expect(status.usage).toEqual({ inputTokens: 200, outputTokens: 0, costUsd: "0.001000", browserSeconds: 0 });
});

test("a settled result whose bytes are gone is not counted as done", async () => {
  const status = await statusAt({ nodes: ["fetch/0 settled", "fetch/1 settled", `fetch/2 Succeeded ${LOST}`] });
  expect(status.steps?.[0]).toMatchObject({ succeeded: 2 });
});

test("the run's outputs are the artifacts of the pipeline's output step", async () => {
  expect((await statusAt(await succeeded())).outputs).toEqual({ html: keyOf("html") });
  const pipeline = pipelineOf({
    inputs: { schema: { type: "object", properties: { items: { type: "array" } } } },
    steps: [{ name: "fetch", agent: "fetch", forEach: "inputs.items" }],
  });
  const nodes = ["fetch/0 settled", "fetch/3 settled", "fetch/4 settled"];
  expect((await statusAt({ pipeline, nodes, results: { "fetch/4": bad("Timeout") } })).outputs).toEqual({
    "0-fetch": keyOf("fetch"),
    "3-fetch": keyOf("fetch"),
  });
});

test("a condition's transition time is when its status changed, not when its words did", async () => {
  const nodes = all("fetch", "Running");
  const status = await statusAt({ nodes });
  const after = await statusAt({
    nodes,
    workflow: { spec: { suspend: true } },
    status,
    now: new Date("2026-01-01T12:00:00Z"),
  });
  expect(after.conditions?.filter(({ lastTransitionTime }) => lastTransitionTime === "2026-01-01T12:00:00Z")).toEqual(
    [],
  );
  expect(ready(after)?.reason).toBe("SuspendedInArgo");
});

describe("a finished run whose Workflow is gone", () => {
  const finished = async () => statusAt(await succeeded());

  test("keeps what was said of it", async () => {
    const status = await finished();
    expect(status.finishedAt).toBe("2026-01-01T11:00:00.000Z");
    expect(await statusAt({ status })).toEqual(status);
  });

  test("takes back what was said of an edit that was refused", async () => {
    const status = await finished();
    const edited = await statusAt({ status, spec: { pipeline: "other" } });
    expect([edited.phase, condition(edited, "Accepted")?.status]).toEqual(["Pending", "False"]);
    const back = await statusAt({ status: edited, metadata: { generation: 3 } });
    expect(back).toEqual({ ...status, conditions: back.conditions });
    expect(condition(back, "Accepted")).toMatchObject({ status: "True", observedGeneration: 3 });
    expect(ready(back)).toMatchObject({ status: "True", reason: "Succeeded", observedGeneration: 3 });
  });

  const AFTER = new Date("2026-02-01T12:00:00Z");
  test("expires: its outputs are gone, its reviews stay", async () => {
    const status = await finished();
    const gone = await statusAt({ status, now: AFTER });
    expect(gone.outputs).toBeUndefined();
    expect(gone).toMatchObject({ phase: "Succeeded", reviews: [{ decision: "approved", by: "ann" }] });
    expect(condition(gone, "Completed")).toMatchObject({ status: "True", reason: "Expired" });
    expect(await statusAt({ status: gone, now: AFTER })).toEqual(gone);
  });

  test("is not said to have expired before its artifacts are dropped", async () => {
    const status = await finished();
    expect(await statusAt({ status, now: AFTER }, { reason: "ArtifactStoreUnavailable", message: "away" })).toEqual(
      status,
    );
  });
});

describe("Kubernetes Events", () => {
  test("one for each phase and reason, of the same name when it is said again", async () => {
    const given = { nodes: all("fetch", "Running") };
    const [{ object }, status] = [await see(given), await statusAt(given)];
    const [event, ...more] = kubernetesEvents(object, status, NOW);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      type: "Normal",
      reason: "Running",
      involvedObject: { kind: "AgentWorkload", name: "demo" },
    });
    expect(kubernetesEvents(object, status, new Date())[0]?.metadata.name).toBe(event?.metadata.name);
    expect(kubernetesEvents({ ...object, status }, status, NOW)).toEqual([]);
  });

  test.each<[string, Given, string, string]>([
    ["an invalid spec", { spec: { inputs: { items: [...ITEMS, 1] } } }, "Warning", "InvalidSpec"],
    ["a missing agent", { agents: { read: undefined } }, "Warning", "AgentNotFound"],
    ["a failed run", { nodes: all("fetch", "Failed"), workflow: { phase: "Failed" } }, "Warning", "WorkflowFailed"],
    ["a run that is held", { spec: { suspend: true } }, "Normal", "Suspended"],
  ])("%s", async (_what, given, type, reason) => {
    const { object } = await see(given);
    expect(kubernetesEvents(object, await statusAt(given), NOW)).toMatchObject([{ type, reason }]);
  });

  test("a stall is a warning", async () => {
    const { object } = await see({ nodes: all("fetch", "Running") });
    const status = stalledStatus({ object }, { reason: "StoreUnavailable", message: "Redis: away" }, NOW);
    expect(kubernetesEvents(object, status, NOW)).toMatchObject([
      { type: "Warning", reason: "StoreUnavailable", message: "Redis: away" },
    ]);
  });
});
