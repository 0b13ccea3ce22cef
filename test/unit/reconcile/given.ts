import type { PipelineSpec } from "../../../crd/agentpipeline.ts";
import { agentWorkloadSchema, type WorkloadSpec, type WorkloadStatus } from "../../../crd/agentworkload.ts";
import { canonicalJson, sha256 } from "../../../engine/canonical.ts";
import { stepIdentity } from "../../../engine/identity.ts";
import { type OutcomeTable, setOutcome } from "../../../engine/outcomes.ts";
import type { FrozenPipeline } from "../../../engine/pipeline.ts";
import { NO_USAGE, type StepResult } from "../../../engine/result.ts";
import { type Run, runOf } from "../../../engine/run.ts";
import { itemsOf, turnOf } from "../../../engine/walk.ts";
import { argoEngine } from "../../../functions/reconcile/argo/engine.ts";
import type { RunView } from "../../../functions/reconcile/run-engine.ts";
import type { Action } from "../../../functions/reconcile/workload/action.ts";
import { type Observed, observe } from "../../../functions/reconcile/workload/observe.ts";
import { FINALIZER } from "../../../functions/reconcile/workload/plan.ts";
import type { StepState } from "../../../lib/durable/requests.ts";
import type { Artifacts } from "../../../lib/edges/artifacts.ts";
import type { Kube, KubeObject } from "../../../lib/edges/kube.ts";
import { keyOf, pipelineOf, REF, UID } from "./harness.ts";

/** What reconcile observes of a workload that is written down as a table. */

export const ITEMS = ["a", "b", "c", "d", "e"].map((host) => `http://${host}.example/`);
export const WORKFLOW_UID = "wf-uid-1";
export const T0 = "2026-01-01T10:00:00Z";
/** When gates open. */
export const GATE_AT = "2026-01-01T10:05:00Z";
export const NOW = new Date("2026-01-01T10:06:00Z");
/** A result that is not in the object store. */
export const LOST = `succeeded ${"0".repeat(64)}`;

/** fetch and read for each item, a gate, a report. */
export const CHAIN = pipelineOf({
  inputs: {
    schema: {
      type: "object",
      required: ["items"],
      properties: { items: { type: "array" }, question: { type: "string" } },
    },
  },
  steps: [
    { name: "fetch", agent: "fetch", forEach: "inputs.items", egress: { item: true } },
    { name: "read", agent: "read", after: ["fetch"], forEach: "inputs.items", with: ["question"] },
    { name: "review", after: ["read"], gate: {} },
    { name: "write", agent: "write", after: ["review", "read"] },
  ],
});

export interface Given {
  readonly pipeline?: PipelineSpec;
  readonly spec?: Record<string, unknown>;
  readonly metadata?: Record<string, unknown>;
  readonly status?: WorkloadStatus;
  /** `fetch/0 Running`, `review Succeeded approved`, `read/1 settled`: with its result. Absent: there is no Workflow. */
  readonly nodes?: readonly string[];
  readonly workflow?: {
    phase?: string;
    message?: string;
    spec?: Record<string, unknown>;
    metadata?: Record<string, unknown>;
    /** Nodes over it. */
    nodes?: Record<string, object>;
  };
  /** By `step/index`, or `step`: what its node is settled with, or Redis has. Where absent: a success. */
  readonly results?: Readonly<Record<string, StepResult>>;
  /** By `step/index`, or `step`. `ended: true`: with its result, of this attempt. */
  readonly states?: Readonly<Record<string, Partial<Omit<StepState, "ended">> & { ended?: true | Date }>>;
  readonly others?: readonly KubeObject[];
  /** AgentDecisions: their spec over one that approves, and when each was made. */
  readonly decisions?: readonly { readonly at: string; readonly spec: object }[];
  readonly agents?: Readonly<Record<string, KubeObject | undefined>>;
  readonly now?: Date;
}

export const ok = (key = "k", over: Partial<StepResult> = {}): StepResult => ({
  outcome: "succeeded",
  output: "done",
  artifacts: { [key]: keyOf(key) },
  usage: { ...NO_USAGE, inputTokens: 100, costUsd: 0.0005 },
  ...over,
});
export const bad = (reason: string): StepResult => ({
  outcome: "failed",
  reason,
  message: "why",
  artifacts: {},
  usage: NO_USAGE,
});
/** Of this attempt. */
export const ATTEMPT = `${WORKFLOW_UID}/${T0}`;

export function specOf(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { pipeline: "p", inputs: { items: ITEMS, question: "why?" }, ...over };
}

export function frozenPipeline(pipeline: PipelineSpec): FrozenPipeline {
  const names = [...new Set(pipeline.steps.flatMap(({ agent }) => agent ?? []))];
  return {
    namespace: "agentic-system",
    name: "p",
    steps: pipeline.steps,
    output: pipeline.output ?? pipeline.steps.at(-1)?.name ?? "",
    agents: Object.fromEntries(names.map((name) => [name, { namespace: "agentic-system", name, revision: "r1" }])),
  };
}

export function runFor({ spec, pipeline = CHAIN }: Pick<Given, "spec" | "pipeline">): Run {
  return runOf({ ...REF, uid: UID }, parsedSpec({ spec }), frozenPipeline(pipeline));
}

export const parsedSpec = ({ spec }: { readonly spec?: Given["spec"] | undefined }): WorkloadSpec =>
  agentWorkloadSchema.shape.spec.parse(specOf(spec));

const resultOf = (given: Given, name: string): StepResult => given.results?.[name] ?? ok(name.split("/")[0]);
const digestOf = (result: StepResult): string => sha256(canonicalJson(result));

export async function see(given: Given): Promise<Observed> {
  // An invalid spec has no run.
  const run = runFor(agentWorkloadSchema.shape.spec.safeParse(specOf(given.spec)).success ? given : {});
  const names = namesOf(given, run);
  const workload = workloadObject(given);
  const workflows = [
    ...(given.nodes || given.workflow ? [workflowObject(given, argoEngine.nameOf(run))] : []),
    ...(given.others ?? []),
  ];
  const results = new Map([...names.values()].map((name) => [digestOf(resultOf(given, name)), resultOf(given, name)]));
  for (const name of Object.keys(given.results ?? {}))
    results.set(digestOf(resultOf(given, name)), resultOf(given, name));
  const stateOf = (name: string): StepState => {
    const { ended, ...state } = given.states?.[name] ?? {};
    const result = resultOf(given, name);
    const finishedAt = ended === true ? new Date("2026-01-01T10:01:00Z") : ended;
    return {
      requested: false,
      held: false,
      ...(finishedAt
        ? { attempt: ATTEMPT, ended: { outcome: result.outcome, digest: digestOf(result), finishedAt } }
        : {}),
      ...state,
    };
  };
  const kube = {
    workloads: { get: async () => workload },
    workflows: { list: async () => workflows },
    pipelines: {
      get: async ({ namespace, name }: { namespace: string; name: string }) => pipelineObject(namespace, name, given),
    },
    decisions: {
      list: async ({ fieldSelector }: { fieldSelector: string }) =>
        decisionObjects(given).filter(({ spec }) => fieldSelector === `spec.workload=${(spec as WorkloadOf).workload}`),
    },
    agents: {
      get: async ({ name, namespace }: { namespace: string; name: string }) => agentFor(namespace, name, given),
    },
  } as unknown as Kube;
  const observed = await observe(REF, {
    kube,
    engine: argoEngine,
    // Each is there, and none is a spec.
    artifacts: { get: async () => new TextEncoder().encode("null") } as unknown as Artifacts,
    results: { put: async () => "", get: async (_uid, digest) => results.get(digest) },
    findPrevious: async () => undefined,
    carryCorrections: async (_run, findings) => findings,
    readStates: async (identities) => identities.map((identity) => stateOf(names.get(identity) ?? "write")),
    usesProxies: true,
    now: () => given.now ?? NOW,
  });
  if (!observed) throw new Error("there is no workload");
  return observed;
}

function pipelineObject(namespace: string, name: string, { pipeline = CHAIN }: Given): KubeObject | undefined {
  if (namespace !== "agentic-system" || name !== "p") return undefined;
  return object("AgentPipeline", { namespace, name }, pipeline);
}

export function agentObject(name: string, over: object = {}): KubeObject {
  const spec = { uri: `http://${name}.example/` };
  return { ...object("Agent", { namespace: "agentic-system", name }, spec), status: { revision: "r1" }, ...over };
}

function agentFor(namespace: string, name: string, { agents = {} }: Given): KubeObject | undefined {
  if (namespace !== "agentic-system") return undefined;
  return name in agents ? agents[name] : agentObject(name);
}

function object(kind: string, ref: { namespace: string; name: string }, spec: unknown): KubeObject {
  const metadata = {
    ...ref,
    uid: UID,
    resourceVersion: "7",
    generation: 1,
    creationTimestamp: T0,
    finalizers: [],
    labels: {},
    annotations: {},
  };
  return { apiVersion: "agentic.dev/v1alpha1", kind, metadata, spec };
}

interface WorkloadOf {
  readonly workload: string;
}

function decisionObjects({ decisions = [] }: Given): KubeObject[] {
  return decisions.map(({ at, spec }, index) => {
    const made = object(
      "AgentDecision",
      { namespace: REF.namespace, name: `decision-${index}` },
      { workload: REF.name, decision: "approved", by: "ben", ...spec },
    );
    return { ...made, metadata: { ...made.metadata, creationTimestamp: at } };
  });
}

function workloadObject({ spec, metadata, status }: Given): KubeObject {
  const made = object("AgentWorkload", REF, specOf(spec));
  return {
    ...made,
    metadata: { ...made.metadata, finalizers: [FINALIZER], ...metadata },
    ...(status ? { status } : {}),
  };
}

export function workflowObject(given: Given, name: string): KubeObject {
  const { workflow = {} } = given;
  const rendered = argoEngine.render(runFor(given), parsedSpec(given)) as { metadata: object; spec: object };
  const nodes = (given.nodes ?? []).map((line) => nodeOf(line, given));
  const phase = workflow.phase ?? (nodes.length > 0 ? "Running" : "");
  return {
    metadata: {
      labels: {},
      annotations: {},
      ...rendered.metadata,
      name,
      namespace: REF.namespace,
      uid: WORKFLOW_UID,
      resourceVersion: "9",
      creationTimestamp: T0,
      finalizers: [],
      ...workflow.metadata,
    },
    spec: { ...rendered.spec, ...workflow.spec },
    status: {
      phase,
      ...(workflow.message ? { message: workflow.message } : {}),
      ...(["Succeeded", "Failed"].includes(phase) ? { finishedAt: "2026-01-01T11:00:00Z" } : {}),
      nodes: { ...Object.fromEntries(nodes.map((node) => [node.id, node])), ...workflow.nodes },
    },
  };
}

function nodeOf(line: string, given: Given) {
  const [name = "", word = "", ...words] = line.split(" ");
  const [step = "", index] = name.split("/");
  const { pipeline = CHAIN } = given;
  const gate = pipeline.steps.find((one) => one.name === step)?.gate !== undefined;
  const settled = word === "settled" ? resultOf(given, name) : undefined;
  const phase = settled ? (settled.outcome === "succeeded" ? "Succeeded" : "Failed") : word;
  const output = settled ? `${settled.outcome} ${digestOf(settled)}` : words.join(" ");
  return {
    id: `id-${name}`,
    type: "Suspend",
    templateName: templateOf(step, gate),
    phase,
    startedAt: gate ? GATE_AT : T0,
    ...(phase === "Running" ? {} : { finishedAt: "2026-01-01T10:20:00Z" }),
    ...(index === undefined ? {} : { inputs: { parameters: [{ name: "index", value: index }] } }),
    ...(output === "" ? {} : { outputs: { parameters: [{ name: "result", value: output }] } }),
  };
}

function templateOf(step: string, gate: boolean): string {
  if (step === "end") return step;
  if (step.startsWith("list-")) return step;
  return `${gate ? "gate" : "step"}-${step}`;
}

/** Which step an identity stands for, of those that need nothing but results; what is left is the last step's. */
function namesOf(given: Given, run: Run): Map<string, string> {
  const names = new Map<string, string>();
  const table: OutcomeTable = new Map();
  for (const stage of run.stages)
    for (const step of stage.steps) {
      if (step.gate) continue;
      const items = itemsOf(run, stage, table) ?? [undefined];
      for (const [at, item] of items.entries()) {
        const index = item === undefined ? undefined : at;
        const instance = { step, ...(index === undefined ? {} : { index }), ...(item === undefined ? {} : { item }) };
        const turn = turnOf(run, instance, table);
        const name = index === undefined ? step.name : `${step.name}/${index}`;
        if (turn.do === "run")
          names.set(stepIdentity({ workload: run.workload, step: step.name, revision: "r1", input: turn.input }), name);
        setOutcome(table, step.name, index, resultOf(given, name));
      }
    }
  return names;
}

/** Actions as a table writes them. */
export function say(actions: readonly Action[]): string[] {
  return actions.flatMap((action) => {
    switch (action.type) {
      case "dispatch":
        return action.steps.map(({ step, index }) => `dispatch ${nameOf(step.name, index)}`);
      case "settle":
        return action.settlements.map(({ node, phase, output, message, result }) =>
          [
            "settle",
            node.role === "end" ? "end" : nameOf(`${node.role === "list" ? "list-" : ""}${node.step}`, node.index),
            phase,
            ...(phase === "Failed" ? [message] : [output.split(" ")[0]]),
            ...(result ? ["(stored)"] : []),
          ].join(" "),
        );
      case "expect":
        return action.steps.map(({ name }) => `expect ${name}`);
      case "stopRun":
      case "deleteRun":
        return [`${action.type} ${action.view.name}`];
      case "publish":
        return [`publish ${action.findings.gate}${decided(action)}`];
      case "requestReview":
        return [`requestReview ${action.gate.step.name}`];
      case "announce":
        return [
          ["announce", action.end.phase, ...(action.data === undefined ? [] : [JSON.stringify(action.data)])].join(" "),
        ];
      case "applyAgent":
        return [`applyAgent ${action.agent.metadata.name}`];
      default:
        return [action.type];
    }
  });
}

function decided({ decision }: Extract<Action, { type: "publish" }>): string {
  return decision ? ` and ${decision.decision} by ${decision.by}` : "";
}

function nameOf(step: string, index: number | undefined): string {
  return index === undefined ? step : `${step}/${index}`;
}

export const viewOf = (object: KubeObject): RunView => argoEngine.view(object);

/** The nodes of one step on all items. */
export const all = (step: string, phase: string): string[] => ITEMS.map((_, index) => `${step}/${index} ${phase}`);
/** Every item is through. */
export const READ = [...all("fetch", "settled"), ...all("read", "settled")];
export const AT_GATE: Given = { nodes: [...READ, "review Running"] };
