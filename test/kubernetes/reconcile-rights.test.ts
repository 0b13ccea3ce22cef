import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objection, writeKubeconfig } from "./accounts.ts";
import { createAgents } from "./agents.ts";
import { apply, kubectl } from "./cluster.ts";
import { TENANT } from "./namespaces.ts";
import { pipeline, run, testAgent } from "./tenant.ts";
import { SYSTEM, untilPhase, workflowOf } from "./workload.ts";

// Who holds reconcile's token. Each attack is a dry run: admission judges it as it would the act, and nothing is made.

let folder: string;
let reconcile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-reconcile-"));
  reconcile = await writeKubeconfig(folder, { namespace: SYSTEM, name: "reconcile" });
  await createAgents(await testAgent("policed"));
  await apply(
    pipeline("policed", {
      steps: [
        { name: "find", agent: "policed" },
        { name: "ask", gate: {}, after: ["find"] },
      ],
      output: "find",
    }),
    run("policed", { pipeline: "policed" }),
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace: TENANT, name: "not-an-agents" },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { namespace: TENANT, name: "agent-taken" },
      spec: { podSelector: podsOf("taken"), policyTypes: ["Ingress"] },
    },
    // Knative looks whether it is there.
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace: TENANT, name: "agent-attack" } },
  );
  await untilPhase(TENANT, "policed", "AwaitingReview");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const dryRun = ["--dry-run=server"];
const tries = (...args: string[]) => objection(reconcile, [...args]);
const creates = (object: object) => objection(reconcile, ["create", ...dryRun, "-f", "-"], object);
const owner = (kind: string, name: string) => ({ apiVersion: "agentic.dev/v1alpha1", kind, name, uid: "0-0" });

const main = { name: "main", dag: { tasks: [{ name: "wait", template: "wait" }] } };
const wait = { name: "wait", suspend: {} };
const workflow = (spec: object = {}, metadata: object = {}) => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "Workflow",
  metadata: { namespace: TENANT, name: "attack", ownerReferences: [owner("AgentWorkload", "policed")], ...metadata },
  spec: { entrypoint: "main", templates: [main, wait], ...spec },
});
const withTemplate = (template: object) => workflow({ templates: [main, { name: "wait", ...template }] });
const withTask = (task: object) =>
  workflow({ templates: [{ name: "main", dag: { tasks: [{ name: "wait", ...task }] } }, wait] });
const container = { image: "example.com/attack:1", command: ["sh"] };

const RESTRICTED = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};
const service = (pod: object = {}, securityContext: object | undefined = RESTRICTED, metadata: object = {}) => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: {
    namespace: TENANT,
    name: "attack",
    labels: { "networking.knative.dev/visibility": "cluster-local" },
    ownerReferences: [owner("Agent", "attack")],
    ...metadata,
  },
  spec: {
    template: {
      spec: {
        serviceAccountName: "agent-attack",
        automountServiceAccountToken: false,
        containers: [{ image: "dev.local/attack:1", ...(securityContext ? { securityContext } : {}) }],
        ...pod,
      },
    },
  },
});

const side = (kind: string, over: object = {}, metadata: object = {}) => ({
  apiVersion: "v1",
  kind,
  metadata: { namespace: TENANT, name: "agent-attack", ownerReferences: [owner("Agent", "attack")], ...metadata },
  ...(kind === "ServiceAccount" ? { automountServiceAccountToken: false } : {}),
  ...over,
});
const walls = (podSelector: object, metadata: object = {}) => ({
  ...side("NetworkPolicy", { apiVersion: "networking.k8s.io/v1" }, metadata),
  spec: { podSelector, policyTypes: ["Ingress", "Egress"] },
});
const podsOf = (name: string) => ({ matchLabels: { "agentic.dev/agent": name } });
const trigger = (name: string, labels: object) => ({
  apiVersion: "eventing.knative.dev/v1",
  kind: "Trigger",
  metadata: { namespace: SYSTEM, name, labels },
  spec: { broker: "default", subscriber: { uri: "http://attack.example" } },
});

describe.concurrent("the token of reconcile", () => {
  test.each([
    ["a Workflow of dag and suspend", workflow()],
    ["a restricted Knative Service", service()],
    ["a Secret of an agent", side("Secret")],
    [
      "a service account of an agent",
      side("ServiceAccount", {}, { name: "agent-other", ownerReferences: [owner("Agent", "other")] }),
    ],
    ["walls of an agent", walls(podsOf("attack"))],
    ["a Trigger of an agent", trigger("agent-attack-01234567", { "agentic.dev/agent": "attack" })],
  ])("makes %s", async (_, object) => {
    expect(await creates(object)).toBe("");
  });

  const TEMPLATES = /templates of the types dag and suspend only/;
  const TASKS = /names a template of its own Workflow/;
  const FIELDS = /templates, a deadline and a time to live, and nothing else/;
  const WORKFLOWS = /Workflows of AgentWorkloads only/;
  test.each([
    ["a container", withTemplate({ container }), TEMPLATES],
    ["a container beside its suspend", withTemplate({ suspend: {}, container }), TEMPLATES],
    ["a script", withTemplate({ script: { ...container, source: "id" } }), TEMPLATES],
    ["a container set", withTemplate({ containerSet: { containers: [{ name: "main", ...container }] } }), TEMPLATES],
    ["a resource", withTemplate({ resource: { action: "create", manifest: "{}" } }), TEMPLATES],
    ["an http call", withTemplate({ http: { url: "http://169.254.169.254/" } }), TEMPLATES],
    ["a plugin", withTemplate({ plugin: { attack: {} } }), TEMPLATES],
    ["steps", withTemplate({ steps: [[{ name: "a", template: "wait" }]] }), TEMPLATES],
    ["a suspend with an init container", withTemplate({ suspend: {}, initContainers: [] }), TEMPLATES],
    ["a template of an account", withTemplate({ suspend: {}, serviceAccountName: "default" }), TEMPLATES],
    ["a template inside a task", withTask({ inline: { container } }), TASKS],
    ["a template of a WorkflowTemplate", withTask({ templateRef: { name: "attack", template: "main" } }), TASKS],
    ["a hook", withTask({ template: "wait", hooks: { running: { template: "wait" } } }), TASKS],
    ["a service account", workflow({ serviceAccountName: "default" }), FIELDS],
    ["a WorkflowTemplate", workflow({ workflowTemplateRef: { name: "attack" } }), FIELDS],
    ["an exit handler", workflow({ onExit: "wait" }), FIELDS],
    ["a patch of pods", workflow({ podSpecPatch: "{}" }), FIELDS],
    ["template defaults", workflow({ templateDefaults: { container } }), FIELDS],
    ["no owner", workflow({}, { ownerReferences: [] }), WORKFLOWS],
    ["an owner of another kind", workflow({}, { ownerReferences: [owner("Agent", "policed")] }), WORKFLOWS],
  ])("makes no Workflow with %s", async (_, object, said) => {
    expect(await creates(object)).toMatch(said);
  });

  const ACCOUNT = /as its own service account, without a token/;
  const POD = /one container, empty volumes, and nothing of its node|must not set|may not set/;
  const CONTAINER = /an agent's container is restricted/;
  test.each([
    ["of another account", service({ serviceAccountName: "default" }), ACCOUNT],
    ["with a token", service({ automountServiceAccountToken: true }), ACCOUNT],
    ["with a Secret's volume", service({ volumes: [{ name: "a", secret: { secretName: "agentic-agent" } }] }), POD],
    [
      "with a token's volume",
      service({ volumes: [{ name: "a", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }] }),
      POD,
    ],
    ["with a folder of the node", service({ volumes: [{ name: "a", hostPath: { path: "/" } }] }), POD],
    ["on the node's network", service({ hostNetwork: true }), POD],
    ["with a second container", service({ containers: [...service().spec.template.spec.containers, container] }), POD],
    ["without restrictions", service({}, { runAsNonRoot: false }), CONTAINER],
    ["as root", service({}, { ...RESTRICTED, runAsNonRoot: false }), CONTAINER],
    ["as user 0", service({}, { ...RESTRICTED, runAsUser: 0 }), CONTAINER],
    ["with privileges to gain", service({}, { ...RESTRICTED, allowPrivilegeEscalation: true }), CONTAINER],
    [
      "with a capability",
      service({}, { ...RESTRICTED, capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } }),
      CONTAINER,
    ],
    ["that keeps capabilities", service({}, { ...RESTRICTED, capabilities: { drop: [] } }), CONTAINER],
    ["without seccomp", service({}, { ...RESTRICTED, seccompProfile: { type: "Unconfined" } }), CONTAINER],
    ["with a root to write on", service({}, { ...RESTRICTED, readOnlyRootFilesystem: false }), CONTAINER],
    ["for the world", service({}, RESTRICTED, { labels: {} }), /reached from inside the cluster only/],
    ["of no Agent", service({}, RESTRICTED, { ownerReferences: [] }), /Knative Services of Agents only/],
    [
      "of another Agent",
      service({}, RESTRICTED, { ownerReferences: [owner("Agent", "another")] }),
      /Knative Services of Agents only/,
    ],
  ])("makes no Knative Service %s", async (_, object, said) => {
    expect(await creates(object)).toMatch(said);
  });

  const SELECTS = /selects its own pods only/;
  const SIDES = /what is an Agent's own, and \S+ is somebody else's/;
  test.each([
    [
      "Secret with an account's token",
      side(
        "Secret",
        { type: "kubernetes.io/service-account-token" },
        { annotations: { "kubernetes.io/service-account.name": "default" } },
      ),
      /has the type Opaque/,
    ],
    ["Secret of nobody", side("Secret", {}, { ownerReferences: [] }), SIDES],
    ["Secret of another name", side("Secret", {}, { name: "agentic-agent" }), SIDES],
    ["service account with a token", side("ServiceAccount", { automountServiceAccountToken: true }), /mounts no token/],
    ["service account of another name", side("ServiceAccount", {}, { name: "default-too" }), SIDES],
    ["NetworkPolicy of nobody", walls(podsOf("attack"), { ownerReferences: [] }), SIDES],
    ["NetworkPolicy of another name", walls(podsOf("attack"), { name: "closed" }), SIDES],
    ["NetworkPolicy of every pod", walls({}), SELECTS],
    ["NetworkPolicy of another agent's pods", walls(podsOf("policed")), SELECTS],
    [
      "NetworkPolicy of more than an agent's pods",
      walls({ matchExpressions: [{ key: "agentic.dev/agent", operator: "Exists" }] }),
      SELECTS,
    ],
    ["Trigger of no agent", trigger("agent-attack", {}), /Triggers of agents only/],
    ["Trigger of another name", trigger("attack", { "agentic.dev/agent": "attack" }), /Triggers of agents only/],
  ])("makes no %s", async (_, object, said) => {
    expect(await creates(object)).toMatch(said);
  });

  const configMap = (name: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: SYSTEM, name },
    data: { accounts: "{}" },
  });
  const replaces = (object: object) => objection(reconcile, ["replace", ...dryRun, "-f", "-"], object);

  test("writes the accounts of quotas, and no quota and no setting", async () => {
    const ACCOUNTS = /the ConfigMaps agentic-usage and agentic-usage-NAMESPACE only/;
    expect(await creates(configMap("agentic-usage-attack"))).toBe("");
    expect(await replaces(configMap("agentic-usage"))).not.toMatch(ACCOUNTS);
    expect(await creates(configMap("agentic-usages"))).toMatch(ACCOUNTS);
    expect(await creates(configMap("agentic-quotas"))).toMatch(ACCOUNTS);
    expect(await replaces(configMap("agentic-settings"))).toMatch(ACCOUNTS);
    expect(await creates({ ...configMap("agentic-usage-attack"), metadata: { namespace: TENANT, name: "a" } })).toMatch(
      /cannot create resource "configmaps"/,
    );
    expect(await tries("-n", SYSTEM, "delete", "configmap", "agentic-quotas", ...dryRun)).toMatch(/cannot delete/);
  });

  const AGENTS = /the spec of an Agent only where a workload's image is its own/;
  const byImage = (metadata: object) => ({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "Agent",
    metadata: { namespace: TENANT, name: "attack", ...metadata },
    spec: { image: "dev.local/attack:1" },
  });

  test("makes the Agent of a workload's image, and no other", async () => {
    expect(await creates(byImage({ ownerReferences: [owner("AgentWorkload", "attack")] }))).toBe("");
    expect(await creates(byImage({}))).toMatch(AGENTS);
    expect(await creates(byImage({ ownerReferences: [owner("AgentWorkload", "another")] }))).toMatch(AGENTS);
  });

  const SCHEDULED = /the workloads of AgentSchedules only/;
  const scheduled = (metadata: object) => ({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentWorkload",
    metadata: {
      namespace: TENANT,
      name: "weekly-29600000",
      labels: { "agentic.dev/schedule": "weekly" },
      ownerReferences: [owner("AgentSchedule", "weekly")],
      ...metadata,
    },
    spec: { pipeline: "policed" },
  });

  test("makes workloads of schedules, and no other", async () => {
    expect(await creates(scheduled({}))).toBe("");
    expect(await creates(scheduled({ ownerReferences: [] }))).toMatch(SCHEDULED);
    expect(await creates(scheduled({ ownerReferences: [owner("Agent", "weekly")] }))).toMatch(SCHEDULED);
    expect(await creates(scheduled({ name: "another-29600000" }))).toMatch(SCHEDULED);
    expect(await creates(scheduled({ labels: {} }))).toMatch(SCHEDULED);
  });

  test("changes nothing that is others'", async () => {
    const flow = (await workflowOf(TENANT, "policed"))?.metadata.name ?? "";
    const patch = (kind: string, namespace: string, name: string, body: object) =>
      tries("-n", namespace, "patch", kind, name, ...dryRun, "--type=merge", "-p", JSON.stringify(body));
    expect(await patch("workflow", TENANT, flow, { spec: { serviceAccountName: "default" } })).toMatch(FIELDS);
    expect(await patch("workflow", TENANT, flow, { metadata: { ownerReferences: null } })).toMatch(WORKFLOWS);
    expect(await patch("agentworkload", TENANT, "policed", { spec: { suspend: true } })).toMatch(/changes no spec/);
    const theirs = { metadata: { ownerReferences: [owner("AgentSchedule", "policed")] } };
    expect(await patch("agentworkload", TENANT, "policed", theirs)).toMatch(/nor whose it is/);
    const image = "dev.local/attack:1";
    expect(await patch("agent", TENANT, "policed", { spec: { image } })).toMatch(AGENTS);
    const ownerReferences = [owner("AgentWorkload", "policed")];
    expect(await patch("agent", TENANT, "policed", { metadata: { ownerReferences }, spec: { image } })).toMatch(AGENTS);
    const subscriber = { uri: "http://attack.example" };
    expect(await patch("trigger", SYSTEM, "reconcile", { spec: { subscriber } })).toMatch(/Triggers of agents only/);
    const mine = { metadata: { ownerReferences: [owner("Agent", "taken")] } };
    expect(await patch("networkpolicy", TENANT, "agent-taken", mine)).toMatch(SIDES);
    expect(await tries("-n", TENANT, "delete", "agentworkload", "policed", ...dryRun)).toMatch(SCHEDULED);
    const remove = (kind: string, namespace: string, name: string) =>
      tries("-n", namespace, "delete", kind, name, ...dryRun);
    expect(await remove("secret", TENANT, "not-an-agents")).toMatch(SIDES);
    // It deletes none: they go with their Agent.
    expect(await remove("networkpolicy", SYSTEM, "closed")).toMatch(/cannot delete resource "networkpolicies"/);
    expect(await remove("trigger", SYSTEM, "reconcile")).toMatch(/Triggers of agents only/);
    expect(await remove("services.serving.knative.dev", SYSTEM, "approve")).toMatch(/Services of Agents only/);
    // Of an agent's own it may.
    expect(await remove("services.serving.knative.dev", TENANT, "policed")).toBe("");
    expect(await remove("secret", TENANT, "agent-policed")).toBe("");
    expect(await patch("workflow", TENANT, flow, { spec: { shutdown: "Terminate" } })).toBe("");
  });

  test("starts three servers anew, and changes nothing else of them", async () => {
    const patch = (name: string, spec: object) =>
      tries("-n", SYSTEM, "patch", "deployment", name, ...dryRun, "--type=merge", "-p", JSON.stringify({ spec }));
    const pod = (template: object) => patch("store", { template });
    expect(await pod({ metadata: { annotations: { "agentic.dev/login": "other" } } })).toBe("");
    const ANEW = /starts Deployments anew, and changes nothing else/;
    expect(await pod({ spec: { serviceAccountName: "reconcile" } })).toMatch(ANEW);
    expect(await pod({ spec: { containers: [{ name: "store", image: "dev.local/attack:1" }] } })).toMatch(ANEW);
    expect(await pod({ metadata: { labels: { "app.kubernetes.io/component": "control" } } })).toMatch(ANEW);
    expect(await patch("store", { replicas: 0 })).toMatch(ANEW);
    expect(await patch("store", { paused: true })).toMatch(ANEW);
    expect(await patch("store", { strategy: { rollingUpdate: null, type: "RollingUpdate" } })).toMatch(ANEW);
    expect(await patch("egress", { replicas: 0 })).toMatch(/cannot get resource "deployments"/);
    expect(await tries("-n", SYSTEM, "delete", "deployment", "store", ...dryRun)).toMatch(/cannot delete/);
  });

  test("reads no Secret but what is held for hosts, makes no pod, becomes nobody else", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace: TENANT, name: "attack" },
      spec: { containers: [{ name: "main", image: "dev.local/attack:1" }] },
    };
    expect(await creates(pod)).toMatch(/cannot create resource "pods"/);
    expect(await tries("-n", TENANT, "get", "secrets")).toMatch(/cannot list resource "secrets"/);
    expect(await tries("-n", SYSTEM, "get", "secret", "agentic-agent")).toMatch(/cannot get resource "secrets"/);
    expect(await tries("-n", TENANT, "get", "secret", "agentic-host-access", "--ignore-not-found")).toBe("");
    expect(await tries("-n", TENANT, "create", "token", "default")).toMatch(
      /cannot create resource "serviceaccounts\/token"/,
    );
    expect(await tries("--as=system:admin", "get", "nodes")).toMatch(/cannot impersonate/);
    expect(await tries("-n", TENANT, "get", "pods")).toMatch(/cannot list resource "pods"/);
  });
});

test("each kind that its roles let it write is policed, or is its own", async () => {
  const rules = JSON.parse(await kubectl(["get", "clusterrole", "agentic-reconcile", "-o", "json"])).rules as {
    resources: string[];
    verbs: string[];
  }[];
  const policies = JSON.parse(await kubectl(["get", "validatingadmissionpolicies", "-o", "json"])).items as {
    metadata: { name: string };
    spec: { matchConstraints: { resourceRules: { resources: string[] }[] } };
  }[];
  const policed = policies
    .filter(({ metadata }) => metadata.name.startsWith("agentic-reconcile-"))
    .flatMap(({ spec }) => spec.matchConstraints.resourceRules)
    .flatMap(({ resources }) => resources);
  const writes = rules
    .filter(({ verbs }) => verbs.some((verb) => ["create", "update", "patch", "delete"].includes(verb)))
    .flatMap(({ resources }) => resources);
  // Statuses, finalizers and Events; decisions it only deletes.
  const statuses = ["agentworkloads/status", "agents/status", "agentdecisions/status", "agentschedules/status"];
  const own = [...statuses, "agentworkloads/finalizers", "agents/finalizers", "agentschedules/finalizers"];
  expect(writes.filter((resource) => !policed.includes(resource)).toSorted()).toEqual(
    [...own, "events", "agentdecisions"].toSorted(),
  );
});
