import { describe, expect, test } from "vitest";
import { type Agent, type AgentStatus, agentSchema } from "../../../crd/agent.ts";
import { type AgentDeps, type AgentOutcome, reconcileAgent } from "../../../functions/reconcile/agent/reconcile.ts";
import {
  renderNetworkPolicy,
  renderSecret,
  renderService,
  renderServiceAccount,
  renderTrigger,
  triggerName,
} from "../../../functions/reconcile/agent/render.ts";
import type { KindClient, KubeObject, ObjectRef } from "../../../lib/edges/kube.ts";
import { RetryableError, TerminalError } from "../../../lib/errors.ts";
import { createLog } from "../../../lib/log.ts";

const AGENT_REF = { namespace: "team-a", name: "reader" };
const UID = "5e1c0de0-0000-4000-8000-00000000000a";
const NOW = new Date("2026-01-01T10:00:00.500Z");
const SETTINGS = { REDIS_URL: "redis://store.example/", OPENAI_BASE_URL: "http://models.example/" };
const IMAGE = { image: "example/reader:1" };
const FINALIZER = "agentic.dev/trigger";
const TRIGGER = triggerName({ metadata: AGENT_REF });

function agentOf(spec: object): Agent {
  return agentSchema.parse({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "Agent",
    metadata: { ...AGENT_REF, uid: UID, generation: 1 },
    spec,
  });
}
function imageAgentOf(over: object = {}): Agent & { spec: { image: string } } {
  return agentOf({ ...IMAGE, ...over }) as Agent & { spec: { image: string } };
}

/** A cluster that has one Agent, and what was written into it. `ready`: Knative's controllers make what is applied ready at once. */
function createCluster(spec: object, { settings = SETTINGS, ready = true } = {}) {
  const writes: string[] = [];
  let version = 1;
  const objects = new Map<string, KubeObject>();
  const stored = (kind: string, { namespace, name }: ObjectRef, body: object): KubeObject => {
    const { metadata = {}, ...rest } = body as { metadata?: object };
    return {
      ...rest,
      metadata: {
        uid: `uid-${kind}-${name}`,
        generation: 1,
        creationTimestamp: NOW.toISOString(),
        finalizers: [],
        labels: {},
        annotations: {},
        ...metadata,
        namespace,
        name,
        resourceVersion: String(++version),
      },
    } as unknown as KubeObject;
  };
  const agent = {
    apiVersion: "agentic.dev/v1alpha1",
    kind: "Agent",
    metadata: { uid: UID, finalizers: [] as string[] },
    spec,
  };
  const put = (kind: string, ref: ObjectRef, body: object): void =>
    void objects.set(`${kind}/${ref.namespace}/${ref.name}`, stored(kind, ref, body));
  put("agent", AGENT_REF, agent);

  const get = (kind: string, { namespace, name }: ObjectRef) => objects.get(`${kind}/${namespace}/${name}`);
  const never = (): never => {
    throw new Error("reconcile does not do this");
  };
  const client = (kind: string): KindClient => ({
    get: async (ref) => structuredClone(get(kind, ref)),
    list: async ({ namespace }) =>
      [...objects].flatMap(([key, object]) => (key.startsWith(`${kind}/${namespace}/`) ? [object] : [])),
    listAll: never,
    create: never,
    patch: never,
    async merge(ref, body) {
      const object = get(kind, ref);
      if (!object) return "gone";
      const { finalizers, resourceVersion } = (body as { metadata: KubeObject["metadata"] }).metadata;
      if (resourceVersion !== object.metadata.resourceVersion) return "conflict";
      writes.push(`merge ${kind}`);
      if (object.metadata.deletionTimestamp && finalizers.length === 0)
        objects.delete(`${kind}/${ref.namespace}/${ref.name}`);
      else put(kind, ref, { ...object, metadata: { ...object.metadata, finalizers } });
      return "written";
    },
    async putStatus(seen, status) {
      const object = get(kind, seen.metadata);
      if (!object) return "gone";
      if (seen.metadata.resourceVersion !== object.metadata.resourceVersion) return "conflict";
      writes.push(`status ${kind}`);
      put(kind, seen.metadata, { ...object, status });
      return "written";
    },
    async apply(ref, body) {
      writes.push(`apply ${kind}`);
      const status = {
        observedGeneration: 1,
        conditions: [{ type: "Ready", status: "True" }],
        address: { url: `http://${ref.name}.svc/` },
        latestReadyRevisionName: `${ref.name}-00001`,
      };
      put(kind, ref, { ...body, ...(ready ? { status } : {}) });
    },
    async remove(ref, how) {
      writes.push(`remove ${kind}`);
      const object = get(kind, ref);
      // What it owns goes first: the garbage collector's work.
      if (object && how === "Foreground") {
        put(kind, ref, { ...object, metadata: { ...object.metadata, deletionTimestamp: NOW.toISOString() } });
        return "written";
      }
      return objects.delete(`${kind}/${ref.namespace}/${ref.name}`) ? "written" : "gone";
    },
  });
  const secrets: unknown[] = [];
  const deps: AgentDeps = {
    kube: {
      agents: client("agent"),
      services: client("service"),
      configMaps: { get: never, list: never, create: never, replace: never },
      hostAccess: never,
      isNamespace: async (name: string) => ["team-a", "team-b", "agentic-system"].includes(name),
      triggers: client("trigger"),
      networkPolicies: client("networkpolicy"),
      deployments: client("deployment"),
      workloads: client("workload"),
      pipelines: client("pipeline"),
      schedules: client("schedule"),
      decisions: client("decision"),
      workflows: client("workflow"),
      ensureServiceAccount: async () => void writes.push("ensure serviceaccount"),
      ensureSecret: async () => void writes.push("ensure secret"),
      replaceSecret: async (secret) => {
        writes.push("replace secret");
        secrets.push(secret);
      },
      event: never,
    },
    agentSettings: () => settings,
    ensureLogins: async (namespace) => void writes.push(`ensure login ${namespace}`),
    removeLogins: async () => {},
    exclusively: (_key, work) => work(),
    now: () => NOW,
    log: createLog("test", "silent"),
  };
  return {
    deps,
    secrets,
    look: (over: Partial<AgentDeps> = {}): Promise<AgentOutcome> => reconcileAgent(AGENT_REF, { ...deps, ...over }),
    /** What was written since it was last asked. */
    written: () => writes.splice(0),
    object: (kind: string, ref: ObjectRef = AGENT_REF) => get(kind, ref),
    put,
    get status() {
      return get("agent", AGENT_REF)?.status as AgentStatus | undefined;
    },
    edit(change: object): void {
      const object = get("agent", AGENT_REF);
      if (object) put("agent", AGENT_REF, { ...object, spec: change, metadata: { ...object.metadata, generation: 2 } });
    },
    /** Knative lets the Trigger go. */
    unsubscribe: () => objects.delete(`trigger/agentic-system/${TRIGGER}`),
    remove(): void {
      const object = get("agent", AGENT_REF);
      const metadata = { ...object?.metadata, deletionTimestamp: NOW.toISOString() };
      if (object) put("agent", AGENT_REF, { ...object, metadata });
    },
  };
}
type Cluster = ReturnType<typeof createCluster>;
const readyOf = ({ status }: Cluster) => status?.conditions?.find(({ type }) => type === "Ready");
const BESIDE = ["ensure login team-a", "ensure serviceaccount"];
const APPLIED = [...BESIDE, "apply networkpolicy", "replace secret", "apply service", "apply trigger"];
/** Of an Agent whose pods are to be others. */
const CHANGED = [...BESIDE, "replace secret", "apply service"];
/** Of an Agent whose objects are as they should be: made again where somebody deleted them. */
const ENSURED = [...BESIDE, "ensure secret"];

describe("an agent by image", () => {
  test("gets a service account, a Secret, a Knative Service and a Trigger, once", async () => {
    const cluster = createCluster(IMAGE);
    expect(await cluster.look()).toEqual({ changed: true });
    expect(cluster.written()).toEqual(["merge agent", ...APPLIED, "status agent"]);
    expect(readyOf(cluster)).toEqual({
      type: "Ready",
      status: "True",
      reason: "Ready",
      message: "steps can be sent to it",
      lastTransitionTime: "2026-01-01T10:00:00Z",
      observedGeneration: 1,
    });
    expect(cluster.status).toMatchObject({ url: "http://reader.svc/", revision: "reader-00001.uid-serv" });
    expect(await cluster.look()).toEqual({ changed: false });
    expect(cluster.written()).toEqual(ENSURED);
  });

  test.each<[string, object, string[]]>([
    ["another image", { image: "example/reader:2" }, CHANGED],
    ["more memory", { ...IMAGE, resources: { limits: { memory: "1Gi" } } }, CHANGED],
    ["startAhead", { ...IMAGE, startAhead: true }, [...ENSURED, "apply trigger"]],
    ["an output schema, which is none of its objects'", { ...IMAGE, output: { schema: { type: "object" } } }, ENSURED],
  ])("only what an edit changes is applied: %s", async (_what, spec, applied) => {
    const cluster = createCluster(IMAGE);
    await cluster.look();
    cluster.written();
    cluster.edit(spec);
    await cluster.look();
    expect(cluster.written().filter((write) => write !== "status agent")).toEqual(applied);
  });

  test("other settings of the platform reach it", async () => {
    const cluster = createCluster(IMAGE);
    await cluster.look();
    cluster.written();
    const agentSettings = { ...SETTINGS, REDIS_URL: "redis://other.example/" };
    await cluster.look({ agentSettings: ({ namespace }) => (namespace === "team-a" ? agentSettings : SETTINGS) });
    expect(cluster.written()).toEqual(CHANGED);
    expect(cluster.secrets.at(-1)).toMatchObject({ stringData: agentSettings });
  });

  test("a Knative Service of its name that is somebody else's stays as it is", async () => {
    const cluster = createCluster(IMAGE);
    const theirs = { spec: { template: {} } };
    cluster.put("service", AGENT_REF, theirs);
    await cluster.look();
    expect(cluster.written()).toEqual(["merge agent", "status agent"]);
    expect(readyOf(cluster)).toMatchObject({ status: "False", reason: "ServiceNameTaken" });
    expect(cluster.object("service")).toMatchObject(theirs);
  });

  test("what somebody else deleted is made again", async () => {
    const cluster = createCluster(IMAGE);
    await cluster.look();
    cluster.written();
    await cluster.deps.kube.triggers.remove({ namespace: "agentic-system", name: TRIGGER });
    cluster.written();
    await cluster.look();
    expect(cluster.written()).toEqual([...ENSURED, "apply trigger"]);
  });

  test("its walls are there before its first pod, and again when somebody deleted them", async () => {
    const cluster = createCluster(IMAGE);
    await cluster.look();
    cluster.written();
    const walls = { namespace: AGENT_REF.namespace, name: "agent-reader" };
    await cluster.deps.kube.networkPolicies.remove(walls);
    cluster.written();
    await cluster.look();
    expect(cluster.written()).toEqual([...BESIDE, "apply networkpolicy", "ensure secret"]);
    expect(cluster.object("networkpolicy", walls)).toMatchObject(renderNetworkPolicy(imageAgentOf()));
  });

  test("one that is by image no more leaves no Knative Service behind", async () => {
    const cluster = createCluster(IMAGE);
    await cluster.look();
    const service = cluster.object("service");
    const controller = { apiVersion: "agentic.dev/v1alpha1", kind: "Agent", uid: UID, controller: true };
    if (service)
      cluster.put("service", AGENT_REF, {
        ...service,
        metadata: { ...service.metadata, ownerReferences: [controller] },
      });
    cluster.edit({ uri: "http://reader.example/" });
    await cluster.look();
    expect(cluster.object("service")).toBeUndefined();
  });

  test("one that is by address deletes no Knative Service that is somebody else's", async () => {
    const cluster = createCluster({ uri: "http://reader.example/" });
    cluster.put("service", AGENT_REF, {});
    await cluster.look();
    expect(cluster.object("service")).toBeDefined();
  });

  test("while a new image does not pull, its revision is the one that goes on", async () => {
    const cluster = createCluster(IMAGE, { ready: false });
    await cluster.look();
    const service = cluster.object("service");
    const status = {
      observedGeneration: 1,
      conditions: [{ type: "Ready", status: "False", reason: "RevisionMissing", message: "Unable to fetch image" }],
      address: { url: "http://reader.svc/" },
      latestReadyRevisionName: "reader-00003",
    };
    if (service) cluster.put("service", AGENT_REF, { ...service, status });
    await cluster.look();
    const ref = { namespace: "agentic-system", name: TRIGGER };
    const conditions = [{ type: "Ready", status: "True" }];
    cluster.put("trigger", ref, { ...cluster.object("trigger", ref), status: { observedGeneration: 1, conditions } });
    await cluster.look();
    expect(readyOf(cluster)?.reason).toBe("ImageNotReady");
    expect(cluster.status?.revision).toBe("reader-00003.uid-serv");
  });
});

describe("Triggers change one at a time", () => {
  const other = { namespace: "agentic-system", name: "agent-other" };
  const ago = (ms: number): string => new Date(NOW.getTime() - ms).toISOString();
  const made = (over: object) => ({ metadata: { creationTimestamp: ago(1000), ...over } });
  const notReady = (ms: number) => ({
    status: { conditions: [{ type: "Ready", status: "Unknown", lastTransitionTime: ago(ms) }] },
  });

  test.each<[string, object]>([
    ["that Knative has not looked at", made({})],
    ["that is not ready yet", { ...made({ creationTimestamp: ago(60_000) }), ...notReady(1000) }],
    [
      "that is being deleted",
      { ...made({ deletionTimestamp: ago(1000) }), status: { conditions: [{ type: "Ready", status: "True" }] } },
    ],
  ])("one %s is waited for", async (_what, trigger) => {
    const cluster = createCluster(IMAGE);
    cluster.put("trigger", other, trigger);
    const outcome = await cluster.look();
    expect(cluster.written()).not.toContain("apply trigger");
    expect(readyOf(cluster)).toMatchObject({ status: "False", reason: "TriggerNotReady" });
    expect(cluster.status?.revision).toBeUndefined();
    expect(outcome.requeueAt).toEqual(new Date(NOW.getTime() + 500));
    cluster.put("trigger", other, { status: { conditions: [{ type: "Ready", status: "True" }] } });
    await cluster.look();
    expect(readyOf(cluster)?.status).toBe("True");
  });

  test.each<[string, object]>([
    ["that never gets ready", { ...made({ creationTimestamp: ago(60_000) }), ...notReady(31_000) }],
    ["that never goes", made({ creationTimestamp: ago(60_000), deletionTimestamp: ago(31_000) })],
  ])("one %s keeps nobody waiting", async (_what, trigger) => {
    const cluster = createCluster(IMAGE);
    cluster.put("trigger", other, trigger);
    await cluster.look();
    expect(readyOf(cluster)?.status).toBe("True");
  });

  test("and no other process changes one meanwhile", async () => {
    const cluster = createCluster(IMAGE);
    const keys: string[] = [];
    await cluster.look({
      exclusively: async (key, work) => {
        keys.push(`${key} begins`);
        const result = await work();
        keys.push(
          `${key} ends: ${cluster.object("trigger", { namespace: "agentic-system", name: TRIGGER }) !== undefined}`,
        );
        return result;
      },
    });
    expect(keys).toEqual([
      "agent/team-a/reader begins",
      "triggers begins",
      "triggers ends: true",
      "agent/team-a/reader ends: true",
    ]);
  });

  test("a deletion waits its turn as well", async () => {
    const cluster = createCluster(IMAGE);
    await cluster.look();
    cluster.remove();
    cluster.put("trigger", other, made({}));
    cluster.written();
    expect(await cluster.look()).toEqual({ changed: false, requeueAt: new Date(NOW.getTime() + 500) });
    expect(cluster.written()).toEqual([]);
  });

  test("an agent whose Service is not there has no Trigger yet", async () => {
    const cluster = createCluster({ service: { name: "later" } });
    await cluster.look();
    expect(cluster.written()).toEqual(["merge agent", "status agent"]);
    expect(readyOf(cluster)?.reason).toBe("ServiceNotFound");
  });
});

describe("the condition Ready", () => {
  const knative = (ready: object | undefined, over: object = {}) => ({
    status: {
      observedGeneration: 1,
      conditions: ready ? [{ type: "Ready", ...ready }] : [],
      address: { url: "http://reader.svc/" },
      latestReadyRevisionName: "reader-00001",
      ...over,
    },
  });
  const trigger = { namespace: "agentic-system", name: TRIGGER };

  /** After Knative's controllers have said this of the objects that reconcile applied. */
  async function lookAfter(
    spec: object,
    service: object | undefined,
    triggerStatus: object = knative({ status: "True" }),
  ) {
    const cluster = createCluster(spec, { ready: false });
    if (!("image" in spec) && service) cluster.put("service", AGENT_REF, service);
    let outcome = await cluster.look();
    for (const [kind, ref, said] of [
      ["service", AGENT_REF, service],
      ["trigger", trigger, triggerStatus],
    ] as const) {
      const object = cluster.object(kind, ref);
      if (object && said) cluster.put(kind, ref, { ...object, ...said });
      outcome = await cluster.look();
    }
    return { cluster, outcome };
  }

  test.each<[string, object, object | undefined, object | undefined, string, RegExp]>([
    [
      "a Service that Knative has not looked at",
      IMAGE,
      undefined,
      undefined,
      "ImageNotReady",
      /^the Knative Service is being made ready\. 'kubectl -n team-a describe pods -l agentic.dev\/agent=reader' says more/,
    ],
    [
      "an image that does not pull, in the words of Knative's configuration",
      IMAGE,
      knative(undefined, {
        conditions: [
          { type: "Ready", status: "False", reason: "RevisionMissing", message: "no ready Revision" },
          {
            type: "ConfigurationsReady",
            status: "False",
            reason: "RevisionFailed",
            message: 'Unable to fetch image "example/reader:1": not found',
          },
        ],
      }),
      undefined,
      "ImageNotReady",
      /not ready: RevisionFailed: Unable to fetch image "example\/reader:1": not found/,
    ],
    [
      "what Knative says of an earlier generation",
      IMAGE,
      knative({ status: "True" }, { observedGeneration: 0 }),
      undefined,
      "ImageNotReady",
      /being made ready/,
    ],
    ["a Service that says nothing", IMAGE, knative(undefined), undefined, "ImageNotReady", /no reason given/],
    [
      "a Trigger that waits for its Broker",
      IMAGE,
      knative({ status: "True" }),
      knative({ status: "False", reason: "BrokerNotReady", message: "no Broker" }),
      "TriggerNotReady",
      /^the Trigger is not ready: BrokerNotReady: no Broker$/,
    ],
    [
      "a Trigger that has just become ready",
      IMAGE,
      knative({ status: "True" }),
      knative({ status: "True", lastTransitionTime: "2026-01-01T09:59:59Z" }),
      "TriggerNotReady",
      /^the Trigger has just become ready, and delivers 2 s later$/,
    ],
    [
      "a service that is missing",
      { service: { name: "other" } },
      undefined,
      undefined,
      "ServiceNotFound",
      /no Knative Service team-a\/other/,
    ],
    [
      "a service that is not ready",
      { service: { name: "reader" } },
      knative({ status: "Unknown", message: "deploying" }),
      undefined,
      "ServiceNotReady",
      /deploying/,
    ],
  ])("%s", async (_what, spec, service, triggerStatus, reason, message) => {
    const { cluster, outcome } = await lookAfter(spec, service, triggerStatus);
    expect(readyOf(cluster)).toMatchObject({ status: "False", reason });
    expect(readyOf(cluster)?.message).toMatch(message);
    expect(outcome.requeueAt).toEqual(new Date(NOW.getTime() + 2000));
  });

  test.each<[string, string]>([
    ["two seconds ago", "2026-01-01T09:59:58Z"],
    ["by a clock that is ahead of ours", "2026-01-01T10:00:10Z"],
  ])("a Trigger that became ready %s delivers", async (_when, lastTransitionTime) => {
    const since = knative({ status: "True", lastTransitionTime });
    const { cluster } = await lookAfter(IMAGE, knative({ status: "True" }), since);
    expect(readyOf(cluster)?.status).toBe("True");
  });

  test("no run starts while its Trigger does not deliver, though its Service has a revision", async () => {
    const almost = knative({ status: "Unknown", message: "no route yet" });
    const { cluster } = await lookAfter(IMAGE, almost, knative({ status: "Unknown" }));
    expect(readyOf(cluster)).toMatchObject({ status: "False", reason: "ImageNotReady" });
    expect(cluster.status?.revision).toBeUndefined();
    const object = cluster.object("trigger", trigger);
    if (object) cluster.put("trigger", trigger, { ...object, ...knative({ status: "True" }) });
    await cluster.look();
    expect(cluster.status?.revision).toBe("reader-00001.uid-serv");
  });

  test("an address needs no Service", async () => {
    const { cluster } = await lookAfter({ uri: "http://reader.example/steps" }, undefined);
    expect(cluster.status).toMatchObject({ url: "http://reader.example/steps", revision: "1" });
    expect(readyOf(cluster)?.status).toBe("True");
    expect(cluster.written()).not.toContain("apply service");
    cluster.edit({ uri: "http://reader.example/v2" });
    await cluster.look();
    const object = cluster.object("trigger", trigger);
    if (object) cluster.put("trigger", trigger, { ...object, ...knative({ status: "True" }) });
    await cluster.look();
    expect(cluster.status?.revision).toBe("2");
  });

  test("the ready revision of its Service is its own", async () => {
    const { cluster } = await lookAfter({ service: { name: "reader" } }, knative({ status: "True" }));
    expect(cluster.status?.revision).toBe("reader-00001.uid-serv");
    const service = cluster.object("service");
    const next = knative({ status: "True" }, { latestReadyRevisionName: "reader-00002" });
    if (service) cluster.put("service", AGENT_REF, { ...service, ...next });
    await cluster.look();
    expect(cluster.status?.revision).toBe("reader-00002.uid-serv");
    if (service)
      cluster.put("service", AGENT_REF, { ...service, ...next, metadata: { ...service.metadata, uid: "anew" } });
    await cluster.look();
    expect(cluster.status?.revision).toBe("reader-00002.anew");
  });

  test.each<[string, object, RegExp]>([
    ["nothing that does steps", {}, /exactly one of service, uri and image/],
    ["two that do", { ...IMAGE, uri: "http://x.example/" }, /exactly one of service, uri and image/],
    [
      "an output schema that is none",
      { ...IMAGE, output: { schema: { type: "objekt" } } },
      /output\.schema is not a usable JSON Schema/,
    ],
    ["another tenant's service", { service: { name: "reader", namespace: "team-b" } }, /service\.namespace is another/],
    ["an address in the cluster", { uri: "http://redis.agentic-system/" }, /redis\.agentic-system is private/],
    ["a field that no Agent has", { ...IMAGE, replicas: 3 }, /replicas/],
  ])("an invalid spec is not acted on: %s", async (_what, spec, message) => {
    const cluster = createCluster(spec);
    await cluster.look();
    expect(cluster.written()).toEqual(["status agent"]);
    expect(readyOf(cluster)).toMatchObject({ status: "False", reason: "InvalidSpec" });
    expect(readyOf(cluster)?.message).toMatch(message);
  });

  test("its transition time is when it changed, not when its words did", async () => {
    const { cluster } = await lookAfter(IMAGE, knative({ status: "False", message: "one" }));
    const later = { now: () => new Date("2026-01-01T11:00:00Z") };
    const service = cluster.object("service");
    if (service) cluster.put("service", AGENT_REF, { ...service, ...knative({ status: "False", message: "two" }) });
    await cluster.look(later);
    expect(readyOf(cluster)).toMatchObject({ lastTransitionTime: "2026-01-01T10:00:00Z" });
    expect(readyOf(cluster)?.message).toContain("two");
  });

  test("a status that somebody else wrote meanwhile is looked at again at once", async () => {
    const cluster = createCluster(IMAGE);
    const putStatus = async () => "conflict" as const;
    const kube = { ...cluster.deps.kube, agents: { ...cluster.deps.kube.agents, putStatus } };
    expect(await cluster.look({ kube })).toEqual({ changed: false, requeueAt: NOW });
  });
});

describe("deletion", () => {
  /** To its last look. */
  async function goes(cluster: ReturnType<typeof createCluster>): Promise<void> {
    await cluster.look();
    cluster.remove();
    await cluster.look();
    cluster.unsubscribe();
  }

  test("takes the Trigger along, which is in another namespace, and lets the Agent go", async () => {
    const cluster = createCluster(IMAGE);
    await cluster.look();
    cluster.written();
    cluster.remove();
    const later = new Date(NOW.getTime() + 500);
    expect(await cluster.look()).toEqual({ changed: false, requeueAt: later });
    expect(await cluster.look()).toEqual({ changed: false, requeueAt: later });
    expect(cluster.written()).toEqual(["remove trigger"]);
    cluster.unsubscribe();
    expect(await cluster.look()).toEqual({ changed: true });
    expect(cluster.written()).toEqual(["merge agent"]);
    expect(cluster.object("agent")).toBeUndefined();
    expect(await cluster.look()).toEqual({ changed: false });
  });

  test.each([
    ["the last one's takes the namespace's login along", "team-b", ["team-a"]],
    ["one beside others leaves the login", "team-a", []],
  ])("%s", async (_what, elsewhere, removed) => {
    const cluster = createCluster(IMAGE);
    cluster.put("agent", { namespace: elsewhere, name: "other" }, { ...agentOf(IMAGE), metadata: { uid: "other" } });
    const logins: string[] = [];
    await goes(cluster);
    await cluster.look({ removeLogins: async (namespace) => void logins.push(namespace) });
    expect(logins).toEqual(removed);
    expect(cluster.object("agent")).toBeUndefined();
  });

  test("goes on without Redis, which then keeps the login", async () => {
    const cluster = createCluster(IMAGE);
    await goes(cluster);
    const removeLogins = async (): Promise<never> => {
      throw new RetryableError("StoreUnavailable", "away");
    };
    await cluster.look({ removeLogins });
    expect(cluster.object("agent")).toBeUndefined();
  });

  test("waits two minutes for Knative to let the Trigger go", async () => {
    const cluster = createCluster(IMAGE);
    await cluster.look();
    cluster.remove();
    await cluster.look();
    await cluster.look({ now: () => new Date(NOW.getTime() + 120_000) });
    expect(cluster.object("agent")).toBeDefined();
    await cluster.look({ now: () => new Date(NOW.getTime() + 120_001) });
    expect(cluster.object("agent")).toBeUndefined();
  });

  test("of an Agent whose Trigger cannot be deleted waits", async () => {
    const cluster = createCluster(IMAGE);
    await cluster.look();
    cluster.remove();
    const remove = async (): Promise<never> => {
      throw new RetryableError("ApiUnavailable", "away");
    };
    const kube = { ...cluster.deps.kube, triggers: { ...cluster.deps.kube.triggers, remove } };
    await expect(cluster.look({ kube })).rejects.toThrow("away");
    expect(cluster.object("agent")?.metadata.finalizers).toEqual([FINALIZER]);
  });

  test("needs no Redis; anything else does", async () => {
    const cluster = createCluster(IMAGE);
    const exclusively = async (): Promise<never> => {
      throw new RetryableError("StoreUnavailable", "Redis is away");
    };
    await expect(cluster.look({ exclusively })).rejects.toThrow("Redis is away");
    await cluster.look();
    cluster.remove();
    await cluster.look({ exclusively });
    cluster.unsubscribe();
    await cluster.look({ exclusively });
    expect(cluster.object("agent")).toBeUndefined();
  });

  test("of an invalid Agent needs nothing", async () => {
    const cluster = createCluster({});
    await cluster.look();
    cluster.remove();
    expect(await cluster.look()).toEqual({ changed: false });
  });
});

describe("what is rendered", () => {
  const service = (over: object = {}, settings = SETTINGS) => {
    const agent = imageAgentOf(over);
    return renderService(agent, agent.spec, settings) as {
      metadata: { labels: object; annotations: object; ownerReferences: object[] };
      spec: { template: { metadata: { annotations: Record<string, string> }; spec: PodSpec } };
    };
  };
  interface PodSpec {
    readonly containers: readonly { readonly envFrom: object[]; readonly env: object[] }[];
  }

  test("bounds of its own", () => {
    expect(service({ scale: { min: 2, max: 30 } }).spec.template.metadata.annotations).toMatchObject({
      "autoscaling.knative.dev/min-scale": "2",
      "autoscaling.knative.dev/max-scale": "30",
    });
  });

  test("a restricted pod without a token that scales to zero, reached from inside the cluster only", () => {
    expect(service()).toMatchObject({
      metadata: {
        namespace: "team-a",
        name: "reader",
        labels: { "networking.knative.dev/visibility": "cluster-local" },
        ownerReferences: [{ kind: "Agent", name: "reader", uid: UID, controller: true }],
      },
      spec: {
        template: {
          metadata: {
            annotations: { "autoscaling.knative.dev/min-scale": "0", "autoscaling.knative.dev/max-scale": "4" },
          },
          spec: {
            serviceAccountName: "agent-reader",
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            containerConcurrency: 8,
            timeoutSeconds: 300,
            containers: [
              {
                image: "example/reader:1",
                securityContext: {
                  runAsNonRoot: true,
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                  seccompProfile: { type: "RuntimeDefault" },
                },
              },
            ],
          },
        },
      },
    });
    expect(renderServiceAccount(imageAgentOf())).toMatchObject({
      metadata: { namespace: "team-a", name: "agent-reader" },
      automountServiceAccountToken: false,
    });
  });

  test("walls: its pods are called by Knative, and reach names, the product's parts, a receiver of telemetry and nothing else", () => {
    const namespaces = (...values: string[]) => ({
      namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values }] },
    });
    const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: "TCP", port }));
    const part = (name: string, port: number) => ({
      to: [{ ...namespaces("agentic-system"), podSelector: { matchLabels: { "app.kubernetes.io/name": name } } }],
      ports: tcp(port),
    });
    const dns = { ...namespaces("kube-system"), podSelector: { matchLabels: { "k8s-app": "kube-dns" } } };
    const policy = renderNetworkPolicy(imageAgentOf()) as { spec: object };
    expect(policy).toMatchObject({
      metadata: {
        namespace: "team-a",
        name: "agent-reader",
        ownerReferences: [{ kind: "Agent", name: "reader", uid: UID, controller: true }],
      },
    });
    expect(policy.spec).toEqual({
      podSelector: { matchLabels: { "agentic.dev/agent": "reader" } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [namespaces("knative-serving", "kourier-system")], ports: tcp(8012, 8013, 8112, 9090) }],
      egress: [
        { to: [dns], ports: [{ protocol: "UDP", port: 53 }, ...tcp(53)] },
        part("redis", 6379),
        part("store", 7070),
        part("egress", 3128),
        part("browserless", 3000),
        part("litellm", 4000),
        {
          to: [{ namespaceSelector: { matchLabels: { "agentic.dev/receives": "telemetry" } } }],
          ports: tcp(4318, 3000),
        },
      ],
    });
  });

  test("the platform's settings come after the agent's own, and are in its own Secret", () => {
    const env = [{ name: "REDIS_URL", value: "redis://mine.example/" }];
    const envFrom = [{ secretRef: { name: "mine" } }];
    const [container] = service({ env, envFrom }).spec.template.spec.containers;
    expect(container).toMatchObject({ env, envFrom: [...envFrom, { secretRef: { name: "agent-reader" } }] });
    expect(renderSecret(imageAgentOf(), SETTINGS)).toMatchObject({
      metadata: { namespace: "team-a", name: "agent-reader" },
      stringData: SETTINGS,
    });
  });

  test("other settings are another revision of the Service: pods read a Secret when they start", () => {
    const annotations = (settings: typeof SETTINGS) => service({}, settings).spec.template.metadata.annotations;
    expect(annotations({ ...SETTINGS, REDIS_URL: "x" })).not.toEqual(annotations(SETTINGS));
  });

  const own = {
    all: [
      { exact: { agent: "team-a.reader" } },
      {
        any: [{ exact: { type: "dev.agentic.step.requested" } }, { exact: { type: "dev.agentic.step.expected" } }],
      },
    ],
  };
  test.each<[string, object, object]>([
    [
      "its own Service",
      IMAGE,
      { filters: [own], subscriber: { ref: { kind: "Service", name: "reader", namespace: "team-a" } } },
    ],
    [
      "a service of another namespace",
      { service: { name: "other", namespace: "team-b" } },
      { subscriber: { ref: { kind: "Service", name: "other", namespace: "team-b" } } },
    ],
    ["an address", { uri: "http://reader.example/" }, { subscriber: { uri: "http://reader.example/" } }],
    [
      "one that starts with each new workload",
      { ...IMAGE, startAhead: true },
      {
        filters: [{ any: [own, { exact: { type: "dev.knative.apiserver.ref.add", kind: "AgentWorkload" } }] }],
      },
    ],
  ])("a Trigger that brings it only its own requests: %s", (_what, spec, expected) => {
    expect(renderTrigger(agentOf(spec))).toMatchObject({
      metadata: { namespace: "agentic-system", name: TRIGGER },
      spec: { broker: "default", ...expected },
    });
  });

  test("two Agents never share a Trigger", () => {
    const names = [AGENT_REF, { namespace: "team-b", name: "reader" }, { namespace: "team", name: "a-reader" }];
    expect(new Set(names.map((metadata) => triggerName({ metadata }))).size).toBe(3);
  });
});

test("a kind that is not installed is said by its name", async () => {
  const cluster = createCluster(IMAGE);
  const apply = async (): Promise<never> => {
    throw new TerminalError("KindMissing", "install Knative Serving");
  };
  const kube = { ...cluster.deps.kube, services: { ...cluster.deps.kube.services, apply } };
  await expect(cluster.look({ kube })).rejects.toThrow("install Knative Serving");
});
