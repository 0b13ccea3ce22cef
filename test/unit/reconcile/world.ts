import { agentWorkloadSchema } from "../../../crd/agentworkload.ts";
import type { Action } from "../../../functions/reconcile/action.ts";
import { type Observed, observe } from "../../../functions/reconcile/observe.ts";
import { FINALIZER } from "../../../functions/reconcile/plan.ts";
import { WORKLOAD_LABEL, workflowName } from "../../../functions/reconcile/workflow.ts";
import type { StepState } from "../../../lib/durable/requests.ts";
import type { Artifacts } from "../../../lib/edges/artifacts.ts";
import type { Kube, KubeObject } from "../../../lib/edges/kube.ts";
import { NO_USAGE, type StepResult } from "../../../lib/step.ts";
import { identityOf, stepInput } from "../../../pipeline/dispatch.ts";
import { marketAnalysis } from "../../../pipeline/market-analysis.ts";
import type { Outcomes } from "../../../pipeline/outcomes.ts";
import type { Step } from "../../../pipeline/pipeline.ts";
import { orderOf, type RunOrder } from "../../../pipeline/run-order.ts";

export const SITES = [
  "http://a.example/",
  "http://b.example/",
  "http://c.example/",
  "http://d.example/",
  "http://e.example/",
];
export const UID = "5e1c0de0-0000-4000-8000-000000000001";
export const WORKFLOW_UID = "wf-uid-1";
export const REF = { namespace: "team-a", name: "demo" };
export const T0 = "2026-01-01T10:00:00Z";
/** The gate's own start. */
export const GATE_AT = "2026-01-01T10:05:00Z";

/** A node of the Workflow as a table writes it: `scrape/0 Running`, `review Succeeded approved`. */
export type NodeLine = string;

export interface Given {
  readonly spec?: Record<string, unknown>;
  readonly metadata?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
  /** Absent: no Workflow. */
  readonly nodes?: readonly NodeLine[];
  readonly workflow?: { phase?: string; spec?: Record<string, unknown>; metadata?: Record<string, unknown> };
  /** By `step/index`, or `step`. A result is of this attempt unless it says otherwise. */
  readonly records?: Readonly<Record<string, Partial<StepState>>>;
  readonly others?: readonly KubeObject[];
}

export const ok = (key = "k"): StepResult => ({
  outcome: "succeeded",
  output: "done",
  artifacts: { [key]: `${UID}/${key}` },
  usage: { ...NO_USAGE, inputTokens: 100, costUsd: 0.0005 },
});
export const bad = (reason: string): StepResult => ({
  outcome: "failed",
  reason,
  message: "why",
  artifacts: {},
  usage: NO_USAGE,
});
const AT = new Date("2026-01-01T10:01:00Z");
export const final = (result: StepResult, over: Partial<StepState> = {}): Partial<StepState> => ({
  result,
  finishedAt: AT,
  attempt: `${WORKFLOW_UID}/${T0}`,
  ...over,
});

export function specOf(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { objective: "who wins?", sites: SITES, ...over };
}

export function orderFor(spec: Record<string, unknown>): RunOrder {
  const workload = agentWorkloadSchema.parse({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentWorkload",
    metadata: { ...REF, uid: UID },
    spec,
  });
  return orderOf(workload, UID);
}

/** What observe sees of a world that is written down as a table. */
export async function see(given: Given): Promise<Observed> {
  const spec = specOf(given.spec);
  const workload = workloadObject(given, spec);
  const names = namesOf(given, orderFor(spec));
  const identities = new Map([...names].map(([identity, name]) => [name, identity]));
  // `ours`: the output that reconcile writes.
  const nodes = given.nodes?.map((line) =>
    line.replace(/ ours$/, ` succeeded ${identities.get(line.split(" ")[0] ?? "")}`),
  );
  const workflows = [
    ...(nodes || given.workflow
      ? [workflowObject({ ...given, ...(nodes ? { nodes } : {}) }, workflowName(orderFor(spec)))]
      : []),
    ...(given.others ?? []),
  ];
  const kube = {
    workloads: { get: async () => workload },
    workflows: { list: async () => workflows },
  } as unknown as Kube;
  const observed = await observe(REF, {
    kube,
    artifacts: memoryArtifacts(),
    readStates: async (identities) =>
      identities.map((identity) => ({
        requested: false,
        held: false,
        ...given.records?.[names.get(identity) ?? "report"],
      })),
  });
  if (!observed) throw new Error("there is no workload");
  return observed;
}

/** Actions as a table writes them. */
export function say(actions: readonly Action[]): string[] {
  return actions.flatMap((action) => {
    switch (action.type) {
      case "dispatch":
        return action.steps.map(({ step, node }) => `dispatch ${nodeName(step.name, node.index)}`);
      case "settle":
        return action.settlements.map(({ node, phase, ...rest }) =>
          [
            "settle",
            nodeName(node.step, node.index),
            phase,
            ...("value" in rest ? [rest.value.split(" ")[0]] : [rest.message]),
          ].join(" "),
        );
      case "expect":
        return action.steps.map(({ name }) => `expect ${name}`);
      case "stopWorkflow":
      case "deleteWorkflow":
        return [`${action.type} ${action.workflow.name}`];
      case "publish":
        return [
          `publish findings${action.decision ? ` and ${action.decision.decision} by ${action.decision.by}` : ""}`,
        ];
      default:
        return [action.type];
    }
  });
}

function nodeName(step: string, index: number | undefined): string {
  return index === undefined ? step : `${step}/${index}`;
}

function workloadObject(given: Given, spec: Record<string, unknown>): KubeObject {
  return {
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentWorkload",
    metadata: {
      ...REF,
      uid: UID,
      resourceVersion: "7",
      generation: 1,
      creationTimestamp: T0,
      finalizers: [FINALIZER],
      labels: {},
      annotations: {},
      ...given.metadata,
    },
    spec,
    ...(given.status ? { status: given.status } : {}),
  };
}

export function workflowObject(given: Pick<Given, "nodes" | "workflow">, name: string): KubeObject {
  const nodes = (given.nodes ?? []).map(parseNode);
  return {
    metadata: {
      namespace: REF.namespace,
      name,
      uid: WORKFLOW_UID,
      resourceVersion: "9",
      creationTimestamp: T0,
      finalizers: [],
      labels: { [WORKLOAD_LABEL]: REF.name },
      annotations: {},
      ownerReferences: [{ kind: "AgentWorkload", uid: UID }],
      ...given.workflow?.metadata,
    },
    spec: { ...given.workflow?.spec },
    status: {
      phase: given.workflow?.phase ?? (nodes.length > 0 ? "Running" : ""),
      ...(["Succeeded", "Failed"].includes(given.workflow?.phase ?? "") ? { finishedAt: "2026-01-01T11:00:00Z" } : {}),
      nodes: Object.fromEntries(nodes.map((node) => [node.id, node])),
    },
  };
}

function parseNode(line: NodeLine) {
  const [name = "", phase = "", ...output] = line.split(" ");
  const [step = "", index] = name.split("/");
  const gate = step === "review";
  return {
    id: `id-${name}`,
    type: "Suspend",
    templateName: step,
    phase,
    startedAt: gate ? GATE_AT : T0,
    ...(phase === "Running" ? {} : { finishedAt: "2026-01-01T10:20:00Z" }),
    ...(index === undefined ? {} : { inputs: { parameters: [{ name: "index", value: index }] } }),
    ...(output.length > 0
      ? { outputs: { parameters: [{ name: gate ? "decision" : "result", value: output.join(" ") }] } }
      : {}),
  };
}

/** Which step an identity stands for: those of the chain follow from the records; what is left is the report's. */
function namesOf(given: Given, order: RunOrder): Map<string, string> {
  const names = new Map<string, string>();
  const step = (name: string) => marketAnalysis.steps.find((one) => one.name === name) as Step;
  for (const [index, item] of SITES.entries()) {
    const identity = (name: string, outcomes: Outcomes) =>
      identityOf(UID, step(name), stepInput(step(name), order.params, outcomes, item));
    names.set(identity("scrape", new Map()), `scrape/${index}`);
    const scraped = given.records?.[`scrape/${index}`]?.result;
    if (scraped) names.set(identity("analyze", new Map([["scrape", [{ ...scraped, item }]]])), `analyze/${index}`);
  }
  return names;
}

function memoryArtifacts(): Artifacts {
  return {
    put: async () => "",
    get: async () => {
      throw new Error("not asked for");
    },
    drop: async () => undefined,
  };
}
