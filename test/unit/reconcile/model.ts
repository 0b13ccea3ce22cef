import type { ReconcileDeps } from "../../../functions/reconcile/reconcile.ts";
import type { StepState } from "../../../lib/durable/requests.ts";
import type { JsonPatchOperation, KindClient, KubeObject, Written } from "../../../lib/edges/kube.ts";
import { RetryableError } from "../../../lib/errors.ts";
import { createLog } from "../../../lib/log.ts";
import { STEP_REQUESTED, type StepRequest, type StepResult } from "../../../lib/step.ts";
import { UID } from "./world.ts";

/** What the model's outside does next: drawn at random, and shrunk when a run goes wrong. */
export interface Chance {
  /** 0 to 1. */
  next(): number;
}

interface ModelNode {
  id: string;
  type: "Suspend" | "DAG";
  templateName: string;
  boundaryID?: string;
  children?: string[];
  phase: string;
  startedAt: string;
  finishedAt?: string;
  inputs?: { parameters: { name: string; value: string }[] };
  outputs?: { parameters: { name: string; value?: string }[] };
}

/**
 * A cluster in memory, for orders of events that a real one shows once in a thousand runs: an API server with resource versions,
 * Argo for this one DAG, a Broker that loses and repeats, functions, Redis. Each write may fail before it lands, or land and be
 * reported as failed; of what we settle, Argo may miss the change.
 */
export function modelCluster(workload: KubeObject, sites: readonly string[], chance: Chance, faults: { rate: number }) {
  let version = 1;
  let object: KubeObject | undefined = { ...workload, metadata: { ...workload.metadata, resourceVersion: "1" } };
  let workflow: KubeObject | undefined;
  const states = new Map<string, StepState>();
  const artifacts = new Map<string, Uint8Array>();
  let inFlight: { id: string; request: StepRequest }[] = [];
  const executed = new Map<string, number>();
  let asked = 0;
  let now = Date.parse("2026-01-01T10:30:00Z");
  /** The version that Argo has in its cache an older one of. */
  let missed = "";

  const bump = (one: KubeObject): KubeObject => ({
    ...one,
    metadata: { ...one.metadata, resourceVersion: String(++version) },
  });
  /** A call that may fail before or after it has done its work. */
  const unreliable = async <T>(work: () => T): Promise<T> => {
    if (chance.next() < faults.rate) throw new RetryableError("ApiUnavailable", "lost before it landed");
    const done = structuredClone(work());
    if (chance.next() < faults.rate) throw new RetryableError("ApiUnavailable", "landed, and its answer was lost");
    return done;
  };
  const conditional = (one: KubeObject | undefined, seen: unknown, change: () => void): Written => {
    if (!one) return "gone";
    if (seen !== undefined && seen !== one.metadata.resourceVersion) return "conflict";
    change();
    return "written";
  };

  const workloads: KindClient = {
    get: () => unreliable(() => object),
    list: () => unreliable(() => (object ? [object] : [])),
    create: () => Promise.reject(new Error("reconcile makes no workloads")),
    patch: () => Promise.reject(new Error("reconcile patches no workloads")),
    merge: (_ref, body) =>
      unreliable(() => {
        const { metadata } = body as { metadata: { finalizers: string[]; resourceVersion: string } };
        return conditional(object, metadata.resourceVersion, () => {
          if (!object) return;
          object = bump({ ...object, metadata: { ...object.metadata, finalizers: metadata.finalizers } });
          if (object.metadata.deletionTimestamp && metadata.finalizers.length === 0) object = undefined;
        });
      }),
    putStatus: (seen, status) =>
      unreliable(() =>
        conditional(object, seen.metadata.resourceVersion, () => {
          if (object) object = bump({ ...object, status });
        }),
      ),
    remove: () => Promise.reject(new Error("reconcile removes no workloads")),
  };
  const workflows: KindClient = {
    get: () => unreliable(() => workflow),
    list: () => unreliable(() => (workflow ? [workflow] : [])),
    create: (_namespace, body) =>
      unreliable(() => {
        if (workflow) return "exists" as const;
        const made = body as KubeObject;
        workflow = {
          ...made,
          metadata: {
            ...made.metadata,
            uid: "wf-1",
            resourceVersion: String(++version),
            creationTimestamp: "2026-01-01T10:00:00Z",
            finalizers: [],
            annotations: {},
          },
          status: {},
        };
        return "created" as const;
      }),
    patch: (_ref, operations) => unreliable(() => patchNodes(operations)),
    merge: (_ref, body) =>
      unreliable(() => {
        if (!workflow) return "gone" as const;
        const { annotations } = (body as { metadata: { annotations: Record<string, string> } }).metadata;
        workflow = bump({ ...workflow, metadata: { ...workflow.metadata, annotations } });
        return "written" as const;
      }),
    putStatus: () => Promise.reject(new Error("Workflows have no status subresource")),
    remove: () =>
      unreliable(() => {
        workflow = undefined;
        return "written" as const;
      }),
  };

  function nodesOf(): Record<string, ModelNode> {
    return ((workflow?.status as { nodes?: Record<string, ModelNode> })?.nodes ?? {}) as Record<string, ModelNode>;
  }
  function patchNodes(operations: readonly JsonPatchOperation[]): Written {
    if (!workflow) return "gone";
    const nodes = structuredClone(nodesOf());
    for (const { op, path, value } of operations) {
      const [, , , id = "", field = ""] = path.split("/");
      const node = nodes[id] as unknown as Record<string, unknown> | undefined;
      if (op === "test" && node?.[field] !== value) return "conflict";
      if (op === "add" && node) node[field] = value;
    }
    workflow = bump({ ...workflow, status: { ...(workflow.status as object), nodes } });
    if (chance.next() < faults.rate) missed = workflow.metadata.resourceVersion;
    return "written";
  }

  /** One look of Argo at the Workflow: what has ended lets the next nodes start. */
  function argo(): void {
    if (!workflow || workflow.metadata.resourceVersion === missed) return;
    const nodes = structuredClone(nodesOf());
    const parallelism = 2;
    const node = (step: string, index?: number) => nodes[index === undefined ? step : `${step}-${index}`];
    const start = (step: string, index?: number): void => {
      const id = index === undefined ? step : `${step}-${index}`;
      const inputs = index === undefined ? {} : { inputs: { parameters: [{ name: "index", value: String(index) }] } };
      const boundaryID = index === undefined ? "run" : `entry-${index}`;
      nodes[boundaryID] ??= {
        id: boundaryID,
        type: "DAG",
        templateName: boundaryID,
        phase: "Running",
        startedAt: "2026-01-01T10:00:01Z",
      };
      const before = nodes[`scrape-${index}`];
      if (step === "analyze" && before) before.children = [id];
      nodes[id] = {
        boundaryID,
        id,
        type: "Suspend",
        templateName: step,
        phase: "Running",
        startedAt: "2026-01-01T10:00:01Z",
        ...inputs,
      };
    };
    const over = (one: ModelNode | undefined) => one !== undefined && one.phase !== "Running";
    const entryOver = (index: number) => {
      const scrape = node("scrape", index);
      return over(scrape) && (scrape?.phase === "Failed" || over(node("analyze", index)));
    };
    let active = 0;
    for (const index of sites.keys()) {
      if (entryOver(index)) continue;
      if (active++ >= parallelism) break;
      if (!node("scrape", index)) start("scrape", index);
      else if (node("scrape", index)?.phase === "Succeeded" && !node("analyze", index)) start("analyze", index);
    }
    for (const index of sites.keys()) {
      const entry = nodes[`entry-${index}`];
      if (entry && entryOver(index)) entry.phase = "Succeeded";
    }
    if ([...sites.keys()].every(entryOver) && !node("review")) start("review");
    const decision = node("review")?.outputs?.parameters[0]?.value;
    if (over(node("review")) && decision === "approved" && !node("report")) start("report");
    const review = node("review");
    if (review && node("report")) review.children = ["report"];
    const failed = node("review")?.phase === "Failed" || node("report")?.phase === "Failed";
    const done = failed || over(node("report")) || (over(node("review")) && decision !== "approved");
    const phase = done ? (failed ? "Failed" : "Succeeded") : "Running";
    if (done && nodes["run"]) nodes["run"].phase = phase;
    workflow = bump({ ...workflow, status: { nodes, phase, ...(done ? { finishedAt: "2026-01-01T11:00:00Z" } : {}) } });
  }

  /** A request reaches its function; the result is recorded once, however often it comes. */
  function deliver(result: (request: StepRequest) => StepResult): void {
    const at = Math.floor(chance.next() * inFlight.length);
    const event = inFlight[at];
    if (!event) return;
    const fate = chance.next();
    if (fate < 0.8) inFlight = inFlight.filter((_, index) => index !== at);
    if (fate > 0.7 && fate < 0.8) return; // lost
    const known = states.get(event.id) ?? { requested: false, held: false };
    if (known.result) return;
    executed.set(event.id, (executed.get(event.id) ?? 0) + 1);
    states.set(event.id, { ...known, result: result(event.request), finishedAt: new Date("2026-01-01T10:30:00Z") });
  }

  const deps: ReconcileDeps = {
    kube: { workloads, workflows, event: () => unreliable(() => undefined) },
    artifacts: {
      put: () => Promise.reject(new Error("replaced below")),
      get: (key) =>
        unreliable(() => {
          const bytes = artifacts.get(key);
          if (!bytes) throw new Error(`no artifact ${key}`);
          return bytes;
        }),
      drop: () => unreliable(() => artifacts.clear()),
    },
    readStates: (identities) =>
      unreliable(() => identities.map((id) => states.get(id) ?? { requested: false, held: false })),
    claimRequests: (_uid, requests) =>
      unreliable(() =>
        requests.filter(({ identity, attempt, startAnew }) => {
          const known = states.get(identity) ?? { requested: false, held: false };
          if (known.requested) return false;
          const { result: _r, finishedAt: _f, ...rest } = known;
          states.set(identity, { ...(startAnew ? rest : known), attempt, requested: true });
          return true;
        }),
      ),
    withdrawRequest: (identity) =>
      unreliable(() => {
        const known = states.get(identity);
        if (known) states.set(identity, { ...known, requested: false });
      }),
    dropSteps: () => unreliable(() => states.clear()),
    send: (event) =>
      unreliable(() => {
        if (event.type === "dev.agentic.review.requested") asked++;
        else if (event.type === STEP_REQUESTED) inFlight.push({ id: event.id, request: event.data as StepRequest });
      }),
    mintToken: async () => "token",
    reviewUrl: async () => "http://approve/",
    exclusively: (_ref, work) => work(),
    costOfApproving: 0,
    now: () => new Date(now),
    log: createLog("model", "silent"),
  };
  return {
    deps: {
      ...deps,
      artifacts: {
        ...deps.artifacts,
        put: async (scope: string, bytes: Uint8Array | string, extension: string) => {
          const { sha256 } = await import("../../../lib/canonical.ts");
          const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
          const key = `${scope}/${sha256(data)}.${extension}`;
          await unreliable(() => artifacts.set(key, data));
          return key;
        },
      },
    } satisfies ReconcileDeps,
    argo,
    deliver,
    /** Half a minute passes: marks of requests run out. */
    forgetRequests(): void {
      now += 30_000;
      for (const [id, state] of states) states.set(id, { ...state, requested: false });
    },
    /** Approve's conditional write, where a review is open. */
    decide(decision: "approved" | "rejected"): void {
      const status = object?.status as { review?: { digest: string; decision?: string } } | undefined;
      if (!object || !status?.review || status.review.decision) return;
      const review = { ...status.review, decision, by: "ann", at: "2026-01-01T10:40:00.000Z" };
      object = bump({ ...object, status: { ...status, review } });
    },
    remove(): void {
      if (object?.metadata.finalizers.length === 0) object = undefined;
      else if (object)
        object = bump({ ...object, metadata: { ...object.metadata, deletionTimestamp: "2026-01-01T12:00:00Z" } });
    },
    get object() {
      return object;
    },
    get workflow() {
      return workflow;
    },
    get left() {
      return { states: states.size, artifacts: artifacts.size };
    },
    executed,
    get asked() {
      return asked;
    },
    uid: UID,
  };
}
