import { generateKeyPairSync } from "node:crypto";
import type { CloudEvent } from "cloudevents";
import type { AgentDecision } from "../../../crd/agentdecision.ts";
import { type PipelineSpec, pipelineSpecSchema } from "../../../crd/agentpipeline.ts";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { agentWorkloadSchema } from "../../../crd/agentworkload.ts";
import { artifactKey, isArtifactOf } from "../../../engine/artifact-key.ts";
import { sha256 } from "../../../engine/canonical.ts";
import type { Decision } from "../../../engine/findings.ts";
import { NO_USAGE, type StepResult } from "../../../engine/result.ts";
import { sealedArgoEngine } from "../../../functions/reconcile/argo/seal.ts";
import { type ReconcileDeps, reconcileWorkload } from "../../../functions/reconcile/workload/reconcile.ts";
import { createCarryCorrections } from "../../../lib/durable/carried-corrections.ts";
import { createFindPrevious } from "../../../lib/durable/previous-results.ts";
import type { StepState } from "../../../lib/durable/requests.ts";
import { createResultStore, type ResultStore } from "../../../lib/durable/results.ts";
import type { Artifacts } from "../../../lib/edges/artifacts.ts";
import type {
  ConfigMap,
  ConfigMaps,
  JsonPatchOperation,
  KindClient,
  KubeObject,
  WriteResult,
} from "../../../lib/edges/kube.ts";
import { createUsageStore } from "../../../lib/edges/usage-store.ts";
import { RetryableError, TerminalError } from "../../../lib/errors.ts";
import type { LicenceReading } from "../../../lib/licence/licence.ts";
import { createLog, type Logger } from "../../../lib/log.ts";
import type { LedgerUse } from "../../../lib/model/ledger.ts";
import { createQuotas } from "../../../lib/quota/quotas.ts";
import { STEP_REQUESTED, type StepRequest, type TraceAttributes } from "../../../lib/step-events.ts";
import type { EndedRun } from "../../../lib/telemetry/run-spans.ts";
import { USAGE_RECORDED } from "../../../lib/usage/event.ts";
import { readUsageFile, usageFile } from "../../../lib/usage/file.ts";
import type { UsageRecord } from "../../../lib/usage/record.ts";
import { argoLooks } from "./argo.ts";

/** Reconcile's. */
const KEYS = generateKeyPairSync("ed25519");

/** Numbers from 0 to 1, drawn at random and shrunk when a run goes wrong. */
export interface Chance {
  next(): number;
}
export const NEVER: Chance = { next: () => 1 };

export const UID = "5e1c0de0-0000-4000-8000-000000000001";
export const REF = { namespace: "team-a", name: "demo" };
export const WORKLOAD = { ...REF, uid: UID };

/** Of an artifact that an agent left. */
export const keyOf = (text: string): string => artifactKey(WORKLOAD, sha256(text), "txt");

/** What an agent answers; `execution` counts from 1 how often this step was done. */
export type Answer = (request: StepRequest, execution: number) => StepResult;

export const done = (over: Partial<StepResult> = {}): StepResult => ({
  outcome: "succeeded",
  artifacts: {},
  usage: NO_USAGE,
  ...over,
});

export interface Faults {
  rate: number;
  callsLeft?: number | undefined;
}

export interface HarnessOptions {
  readonly pipeline: PipelineSpec;
  readonly spec: Record<string, unknown>;
  readonly answer: Answer;
  readonly chance?: Chance;
  /** How often a call fails before or after it has done its work, 0 to 1; after how many calls the process dies. May be changed. */
  readonly faults?: Faults;
  /** Called with each request before it is sent. */
  readonly log?: Logger;
  readonly onRequest?: (request: StepRequest) => void;
  /** The run objects: in memory, with Argo in memory; or a real cluster's. */
  readonly workflows?: KindClient;
  readonly ref?: { namespace: string; name: string };
  readonly now?: () => Date;
}

export function pipelineOf(spec: object): PipelineSpec {
  return pipelineSpecSchema.parse(spec);
}

type Metadata = KubeObject["metadata"];

/** Reconcile with everything around it in memory: an API server with resource versions, Argo, a Broker that loses and repeats, agents, Redis, a store. */
export function createHarness(options: HarnessOptions) {
  const { chance = NEVER, ref = REF } = options;
  const faults: Faults = options.faults ?? { rate: 0 };
  let version = 1;
  let clock = Date.parse("2026-01-01T10:00:00Z");
  const now = options.now ?? (() => new Date(clock));
  const states = new Map<string, StepState>();
  const bytes = new Map<string, Uint8Array>();
  const executions = new Map<string, number>();
  const requests: StepRequest[] = [];
  const traces: TraceAttributes[] = [];
  /** Runs whose traces were told. */
  const recordedRuns: EndedRun[] = [];
  /** What the workload's budget ledger says. */
  const spent = { spentUsd: 0, inFlightUsd: 0 };
  /** The same by model; may be changed. */
  const ledger: { use: LedgerUse } = { use: { models: [], unsettledNanoUsd: 0 } };
  const usageObjects = new Map<string, Uint8Array>();
  const usageEvents: CloudEvent<unknown>[] = [];
  const woken: string[] = [];
  /** The installation's; may be changed. */
  const licence: { reading: LicenceReading | undefined } = { reading: undefined };
  let inFlight: { id: string; request: StepRequest }[] = [];
  let reviewRequests = 0;
  let missedVersion = "";

  const dieInTime = (): void => {
    if (faults.callsLeft !== undefined && faults.callsLeft-- <= 0)
      throw new RetryableError("ApiUnavailable", "the process is dead");
  };
  /** A look reads dozens of times: were each as unreliable as a write, none would come to its end. */
  const read = async <T>(work: () => T): Promise<T> => {
    dieInTime();
    if (chance.next() < faults.rate / 20) throw new RetryableError("ApiUnavailable", "not read");
    return structuredClone(work());
  };
  /** A call that may fail before or after it has done its work. */
  const unreliable = async <T>(work: () => T): Promise<T> => {
    dieInTime();
    if (chance.next() < faults.rate) throw new RetryableError("ApiUnavailable", "lost before it landed");
    const result = structuredClone(work());
    if (chance.next() < faults.rate) throw new RetryableError("ApiUnavailable", "landed, and its answer was lost");
    return result;
  };
  const stored = (
    kind: string,
    metadata: { namespace: string; name: string },
    spec: unknown,
    over: Partial<Metadata> = {},
  ): KubeObject => ({
    apiVersion: "agentic.dev/v1alpha1",
    kind,
    metadata: {
      ...metadata,
      uid: UID,
      resourceVersion: String(++version),
      generation: 1,
      creationTimestamp: new Date(clock).toISOString(),
      finalizers: [],
      labels: {},
      annotations: {},
      ...over,
    },
    spec,
  });

  const objects = {
    workload: stored("AgentWorkload", ref, options.spec) as KubeObject | undefined,
    /** Beside the one that is looked at. */
    otherWorkloads: new Map<string, KubeObject>(),
    workflows: new Map<string, KubeObject>(),
    pipelines: new Map<string, KubeObject>([
      ["agentic-system/p", stored("AgentPipeline", { namespace: "agentic-system", name: "p" }, options.pipeline)],
    ]),
    agents: new Map<string, KubeObject>(),
    decisions: new Map<string, KubeObject>(),
    /** By namespace. */
    hostAccess: new Map<string, Record<string, string>>(),
    configMaps: new Map<string, ConfigMap>(),
  };
  for (const { agent } of options.pipeline.steps)
    if (agent !== undefined)
      objects.agents.set(`agentic-system/${agent}`, {
        ...stored(
          "Agent",
          { namespace: "agentic-system", name: agent },
          { uri: `http://${agent}.example/`, concurrency: 8, timeout: "5m", startAhead: false },
        ),
        status: { revision: "r1", conditions: [] },
      });

  const conditional = (
    object: KubeObject | undefined,
    seen: unknown,
    change: (object: KubeObject) => void,
  ): WriteResult => {
    if (!object) return "gone";
    if (seen !== undefined && seen !== object.metadata.resourceVersion) return "conflict";
    change(object);
    return "written";
  };
  const bump = (object: KubeObject): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(++version) },
  });
  const never = (): never => {
    throw new Error("reconcile does not do this");
  };
  const client = (over: Partial<KindClient>): KindClient => ({
    get: never,
    list: never,
    listAll: never,
    create: never,
    patch: never,
    merge: never,
    putStatus: never,
    apply: never,
    remove: never,
    ...over,
  });
  const byRef = (all: ReadonlyMap<string, KubeObject>): Partial<KindClient> => ({
    get: ({ namespace, name }) => read(() => all.get(`${namespace}/${name}`)),
  });

  const workloads = client({
    get: ({ namespace, name }) =>
      read(() =>
        namespace === ref.namespace && name === ref.name
          ? objects.workload
          : objects.otherWorkloads.get(`${namespace}/${name}`),
      ),
    merge: (_ref, body) =>
      unreliable(() => {
        const { metadata } = body as { metadata: { finalizers: string[]; resourceVersion: string } };
        return conditional(objects.workload, metadata.resourceVersion, (object) => {
          const next = bump({ ...object, metadata: { ...object.metadata, finalizers: metadata.finalizers } });
          objects.workload = next.metadata.deletionTimestamp && metadata.finalizers.length === 0 ? undefined : next;
        });
      }),
    putStatus: (seen, status) =>
      unreliable(() =>
        conditional(objects.workload, seen.metadata.resourceVersion, (object) => {
          agentWorkloadSchema.shape.status.parse(status);
          objects.workload = bump({ ...object, status });
        }),
      ),
  });
  const workflows =
    options.workflows ??
    client({
      list: () => read(() => [...objects.workflows.values()]),
      create: (_namespace, body) =>
        unreliable(() => {
          const made = body as KubeObject;
          const { name } = made.metadata;
          if (objects.workflows.has(name)) return "exists" as const;
          const metadata = {
            ...made.metadata,
            finalizers: [],
            uid: `wf-${version}`,
            resourceVersion: String(++version),
            creationTimestamp: new Date(clock).toISOString(),
          };
          objects.workflows.set(name, { ...made, metadata, status: {} });
          return "created" as const;
        }),
      patch: ({ name }, operations) => unreliable(() => patchNodes(name, operations)),
      merge: ({ name }, body) =>
        unreliable(() =>
          conditional(objects.workflows.get(name), undefined, (object) => {
            const { metadata = {}, spec = {} } = body as {
              metadata?: { annotations?: Record<string, string> };
              spec?: object;
            };
            const annotations = { ...object.metadata.annotations, ...metadata.annotations };
            const merged = {
              ...object,
              spec: { ...(object.spec as object), ...spec },
              metadata: { ...object.metadata, annotations },
            };
            objects.workflows.set(name, bump(merged));
          }),
        ),
      remove: ({ name }) => unreliable(() => (objects.workflows.delete(name) ? "written" : "gone")),
    });

  function patchNodes(name: string, operations: readonly JsonPatchOperation[]): WriteResult {
    const workflow = objects.workflows.get(name);
    if (!workflow) return "gone";
    const status = structuredClone((workflow.status ?? {}) as { nodes?: Record<string, Record<string, unknown>> });
    for (const { op, path, value } of operations) {
      const [, , , id = "", field = ""] = path
        .split("/")
        .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
      const node = status.nodes?.[id];
      if (op === "test" && node?.[field] !== value) return "conflict";
      if (op === "add" && node) node[field] = value;
    }
    const next = bump({ ...workflow, status });
    objects.workflows.set(name, next);
    if (chance.next() < faults.rate) missedVersion = next.metadata.resourceVersion;
    return "written";
  }

  const byName = (all: Map<string, ConfigMap>): ConfigMaps => ({
    get: ({ name }) => read(() => all.get(name)),
    list: () => read(() => [...all.values()].filter(({ name }) => name.startsWith("agentic-usage"))),
    create: ({ metadata, data = {} }) =>
      unreliable(() => {
        const name = metadata.name ?? "";
        if (all.has(name)) return "conflict";
        all.set(name, { name, data, resourceVersion: String(++version) });
        return "written";
      }),
    replace: ({ name }, { metadata, data = {} }) =>
      unreliable(() => {
        const known = all.get(name);
        if (!known) return "gone";
        if (known.resourceVersion !== metadata?.resourceVersion) return "conflict";
        all.set(name, { name, data, resourceVersion: String(++version) });
        return "written";
      }),
  });
  const configMaps = byName(objects.configMaps);

  const artifacts: Artifacts = {
    async put(workload, data, extension) {
      const content = typeof data === "string" ? new TextEncoder().encode(data) : data;
      const key = artifactKey(workload, sha256(content), extension);
      await unreliable(() => void bytes.set(key, content));
      return key;
    },
    async get(workload, key) {
      if (!isArtifactOf(workload, key)) throw new TerminalError("InvalidArtifactKey", key);
      const found = await read(() => bytes.get(key));
      if (!found) throw new TerminalError("ArtifactMissing", key);
      return found;
    },
    drop: ({ namespace, uid }) =>
      unreliable(() => {
        for (const key of [...bytes.keys()]) if (key.startsWith(`${namespace}/${uid}/`)) bytes.delete(key);
      }),
  };
  // Its cache would hide that bytes are gone.
  const results: ResultStore = {
    put: (workload, result) => createResultStore(artifacts).put(workload, result),
    get: (workload, digest) => createResultStore(artifacts).get(workload, digest),
  };
  const stateOf = (id: string): StepState => states.get(id) ?? { requested: false, held: false };

  const deps: ReconcileDeps = {
    kube: {
      workloads,
      workflows,
      pipelines: client(byRef(objects.pipelines)),
      agents: client({
        ...byRef(objects.agents),
        apply: ({ namespace, name }, body) =>
          unreliable(() => {
            const { metadata, spec } = body as KubeObject;
            objects.agents.set(`${namespace}/${name}`, stored("Agent", { namespace, name }, spec, metadata));
          }),
      }),
      decisions: client({
        get: ({ name }) => read(() => objects.decisions.get(name)),
        list: ({ namespace, fieldSelector }) =>
          read(() =>
            [...objects.decisions.values()].filter(
              ({ metadata, spec }) =>
                metadata.namespace === namespace &&
                fieldSelector === `spec.workload=${(spec as { workload?: unknown }).workload}`,
            ),
          ),
        listAll: async function* () {
          yield* await read(() => [...objects.decisions.values()]);
        },
        putStatus: (object, status) =>
          unreliable(() => {
            const now = objects.decisions.get(object.metadata.name);
            if (now?.metadata.resourceVersion !== object.metadata.resourceVersion) return "conflict";
            objects.decisions.set(object.metadata.name, bump({ ...now, status }));
            return "written";
          }),
        remove: ({ name }) => unreliable(() => (objects.decisions.delete(name) ? "written" : "gone")),
      }),
      schedules: client({ listAll: async function* () {} }),
      services: client({}),
      triggers: client({}),
      configMaps,
      networkPolicies: client({}),
      hostAccess: (namespace) => read(() => objects.hostAccess.get(namespace) ?? {}),
      deployments: client({}),
      isNamespace: never,
      ensureServiceAccount: never,
      ensureSecret: never,
      replaceSecret: never,
      event: () => unreliable(() => undefined),
    },
    quotas: createQuotas(configMaps, async () => licence.reading, now),
    readSpent: () => read(() => spent),
    readUse: () => read(() => ledger.use),
    usage: createUsageStore({
      read: (key) => read(() => usageObjects.get(key)),
      create: (key, content) =>
        unreliable(() => {
          if (usageObjects.has(key)) return false;
          usageObjects.set(key, content);
          return true;
        }),
      list: async function* (prefix) {
        yield await read(() => [...usageObjects.keys()].filter((key) => key.startsWith(prefix)));
      },
    }),
    usageFile: (record) => usageFile(record, KEYS.privateKey),
    isWorkedOn: () =>
      read(() => [...states.values()].some(({ ended, requested, held }) => !ended && (requested || held))),
    wake: ({ namespace, name }) => void woken.push(`${namespace}/${name}`),
    engine: sealedArgoEngine(KEYS.privateKey, [KEYS.publicKey]),
    artifacts,
    results,
    // The same of its cache.
    carryCorrections: (run, findings, opened) => createCarryCorrections(artifacts)(run, findings, opened),
    findPrevious: (run, instance) => createFindPrevious(artifacts, results)(run, instance),
    defaultPipeline: "p",
    readStates: (identities) => read(() => identities.map(stateOf)),
    claimRequests: (_uid, asked) =>
      unreliable(() =>
        asked.filter(({ identity, attempt, startAnew }) => {
          const { requested, ended, requestedAt, attempt: before } = stateOf(identity);
          if (requested) return false;
          const since = before === attempt && requestedAt ? requestedAt : now();
          states.set(identity, {
            requested: true,
            held: false,
            attempt,
            requestedAt: since,
            ...(ended && !startAnew ? { ended } : {}),
          });
          return true;
        }),
      ),
    ensureLogins: () => unreliable(() => undefined),
    withdrawRequest: (identity) =>
      unreliable(() => void states.set(identity, { ...stateOf(identity), requested: false })),
    dropSteps: () => unreliable(() => states.clear()),
    mintTokens: async () => ({ token: "token", egressToken: "egress" }),
    send: (event) =>
      unreliable(() => {
        if (event.type === "dev.agentic.review.requested") reviewRequests++;
        if (event.type === USAGE_RECORDED) usageEvents.push(event);
        if (event.type !== STEP_REQUESTED) return;
        const request = event.data as StepRequest;
        traces.push(event as TraceAttributes);
        options.onRequest?.(request);
        requests.push(request);
        inFlight.push({ id: event.id, request });
      }),
    reviewUrl: async () => "http://approve.example/",
    costOfApproving: () => 0.01,
    usesProxies: true,
    exclusively: (_key, work) => work(),
    recordRun: (ended) => void recordedRuns.push(ended),
    now,
    log: options.log ?? createLog("harness", "silent"),
  };

  /** An agent does a step once, and answers from its record from then on. */
  async function execute({ id, request }: { id: string; request: StepRequest }): Promise<void> {
    const known = stateOf(id);
    if (known.ended) return;
    const execution = (executions.get(id) ?? 0) + 1;
    executions.set(id, execution);
    const result = options.answer(request, execution);
    const quiet = createResultStore({
      ...artifacts,
      put: async (workload, data, extension) => {
        const content = typeof data === "string" ? new TextEncoder().encode(data) : data;
        const key = artifactKey(workload, sha256(content), extension);
        bytes.set(key, content);
        return key;
      },
    });
    const digest = await quiet.put({ ...ref, uid: UID }, result);
    states.set(id, { ...stateOf(id), ended: { outcome: result.outcome, digest, finishedAt: now() } });
  }

  const harness = {
    deps,
    objects,
    executions,
    requests,
    spent,
    ledger,
    usageObjects,
    usageEvents,
    /** In the order in which they were written. */
    get usage(): UsageRecord[] {
      return [...usageObjects.values()].flatMap((file) => readUsageFile(new TextDecoder().decode(file)) ?? []);
    },
    woken,
    licence,
    get workload() {
      return objects.workload;
    },
    get status(): WorkloadStatus {
      return (objects.workload?.status ?? {}) as WorkloadStatus;
    },
    get workflow() {
      return [...objects.workflows.values()].at(-1);
    },
    traces,
    recordedRuns,
    get reviewRequests() {
      return reviewRequests;
    },
    get left() {
      return { states: states.size, artifacts: bytes.size, decisions: objects.decisions.size };
    },
    get artifactKeys() {
      return [...bytes.keys()];
    },
    look: () => reconcileWorkload(ref, deps).catch(() => undefined),
    argo(): void {
      for (const [name, workflow] of objects.workflows)
        if (workflow.metadata.resourceVersion !== missedVersion) {
          const next = argoLooks(workflow, now());
          if (next !== workflow) objects.workflows.set(name, bump(next));
        }
    },
    /** One request in flight arrives, is lost, or comes again. */
    async deliver(): Promise<void> {
      const at = Math.min(Math.floor(chance.next() * inFlight.length), inFlight.length - 1);
      const event = inFlight[at];
      if (!event) return;
      const fate = chance.next();
      if (fate < 0.8 || chance === NEVER) inFlight = inFlight.filter((_, index) => index !== at);
      if (fate > 0.7 && fate < 0.8) return;
      await execute(event);
    },
    async deliverAll(): Promise<void> {
      const all = inFlight;
      inFlight = [];
      for (const event of all) await execute(event);
    },
    /** Of one step alone; the rest stays in flight. */
    async deliverOnly(step: string): Promise<void> {
      const its = inFlight.filter(({ request }) => request.step === step);
      inFlight = inFlight.filter((event) => !its.includes(event));
      for (const event of its) await execute(event);
    },
    /** Time passes: marks of requests run out after half a minute. */
    pass(ms: number): void {
      clock += ms;
      if (ms >= 30_000) for (const [id, state] of states) states.set(id, { ...state, requested: false });
    },
    /** Redis is empty. */
    wipe(): void {
      states.clear();
    },
    loseBytes(keep: (key: string) => boolean): void {
      for (const key of [...bytes.keys()]) if (!keep(key)) bytes.delete(key);
    },
    /** Somebody changes the nodes of a template in Argo. */
    byHand(template: string, change: object): void {
      for (const [name, workflow] of objects.workflows) {
        const { nodes = {} } = workflow.status as { nodes?: Record<string, { templateName: string }> };
        const changed = Object.entries(nodes).map(([id, node]) => [
          id,
          node.templateName === template ? { ...node, ...change } : node,
        ]);
        const status = { ...(workflow.status as object), nodes: Object.fromEntries(changed) };
        objects.workflows.set(name, bump({ ...workflow, status }));
      }
    },
    /** Somebody writes the run object. */
    editWorkflow(change: (workflow: KubeObject) => KubeObject): void {
      for (const [name, workflow] of objects.workflows)
        objects.workflows.set(name, bump(change(structuredClone(workflow))));
    },
    /** Somebody writes the workload's status. */
    writeStatus(change: (status: WorkloadStatus) => object): void {
      const { workload } = objects;
      if (workload) objects.workload = bump({ ...workload, status: change(structuredClone(harness.status)) });
    },
    /** Approve's conditional write, of each review that waits. */
    decide(decision: Decision["decision"], gate?: string, comment?: string): void {
      const { workload } = objects;
      const { reviews = [] } = harness.status;
      if (!workload) return;
      const decided = reviews.map((review) =>
        review.decision || (gate !== undefined && review.gate !== gate)
          ? review
          : {
              ...review,
              decision,
              by: "ann",
              how: "ReviewLink" as const,
              automatic: false,
              at: now().toISOString(),
              ...(comment === undefined ? {} : { comment }),
            },
      );
      objects.workload = bump({ ...workload, status: { ...(workload.status as object), reviews: decided } });
    },
    /** A person's AgentDecision on each review that waits, as `kubectl agentic` makes it. */
    make(decision: Decision["decision"], more: Partial<AgentDecision["spec"]> = {}, gate?: string): void {
      for (const { digest, decision: known, gate: of } of harness.status.reviews ?? []) {
        if (known || (gate !== undefined && of !== gate)) continue;
        const name = `decision-${objects.decisions.size}`;
        const spec = { workload: ref.name, digest, decision, by: "ben", ...more };
        objects.decisions.set(name, stored("AgentDecision", { namespace: ref.namespace, name }, spec));
      }
    },
    edit(spec: Record<string, unknown>): void {
      const { workload } = objects;
      if (!workload) return;
      const generation = (workload.metadata.generation ?? 1) + 1;
      objects.workload = bump({ ...workload, spec, metadata: { ...workload.metadata, generation } });
    },
    remove(): void {
      const { workload } = objects;
      if (!workload) return;
      objects.workload =
        workload.metadata.finalizers.length === 0
          ? undefined
          : bump({ ...workload, metadata: { ...workload.metadata, deletionTimestamp: now().toISOString() } });
    },
    /** Rounds in which everything works, until nothing changes any more. */
    async settle({
      decision,
      rounds = 80,
    }: {
      decision?: "approved" | "rejected";
      rounds?: number;
    } = {}): Promise<void> {
      for (let round = 0; round < rounds; round++) {
        harness.pass(5_000);
        await harness.look();
        harness.argo();
        await harness.look();
        await harness.deliverAll();
        if (decision) harness.decide(decision);
        if (["Succeeded", "Failed", "Rejected"].includes(harness.status.phase ?? "") && harness.status.finishedAt)
          return;
      }
    },
  };
  return harness;
}

export type Harness = ReturnType<typeof createHarness>;
