import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import { AGENT_LABEL } from "../../functions/reconcile/agent/render.ts";
import { deleteAgents } from "./agents.ts";
import { apply, type KubeObject, kubectl, list, until } from "./cluster.ts";

/** Where tests apply workloads, each under a name of its own. */
export const NAMESPACE = "agentic-tests";
/** For what concerns two namespaces. */
export const OTHER = "agentic-tests-too";
/** For agents and pipelines of a tenant's own: their pods are in no other test's way. */
export const TENANT = "agentic-tests-tenant";

/** With a quota (quota.test.ts). */
export const LIMITED = "agentic-tests-limited";

/** KEDA's, which stays: the autoscaler comes and goes (alone/browser-scaling.test.ts), and on a cluster of one's own it is there already. */
export const KEDA = "keda";

/** Of what alone/secrets.test.ts starts on the test cluster: made before, for the same reason. */
const VAULT = process.env["KUBECONFIG"] ? [] : ["openbao", "external-secrets"];

const NAMESPACES = [NAMESPACE, OTHER, TENANT, LIMITED];

/**
 * Vitest's global setup of what runs on a cluster: its namespaces, empty. They are made once for all of it, for Knative rolls out
 * both ApiServerSources anew with every namespace that comes or goes, and what changes meanwhile is seen by the next resync only.
 */
export async function setup(): Promise<void> {
  // Those of a run that has just ended are still going.
  await kubectl(["wait", "--for=delete", ...going(await namespaces()), "namespace/none", "--timeout=180s"]);
  const there = new Set((await namespaces()).map(({ metadata }) => metadata.name));
  const before = await sources();
  const needed = [...NAMESPACES, KEDA, ...VAULT];
  await apply(...needed.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })));
  await apply(...[TENANT, LIMITED].map(agentsReport));
  if (needed.some((name) => !there.has(name))) await untilRolledOut(before);
  await empty();
}

/** Agents of tests report to the inbox: more than an Agent's own NetworkPolicy opens, which whoever owns the namespace adds. */
function agentsReport(namespace: string): object {
  const to = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": SHARED_NAMESPACE } },
    podSelector: { matchLabels: { "app.kubernetes.io/name": "inbox" } },
  };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace, name: "agents-report" },
    spec: {
      podSelector: { matchExpressions: [{ key: AGENT_LABEL, operator: "Exists" }] },
      policyTypes: ["Egress"],
      egress: [{ to: [to], ports: [{ port: 8080 }] }],
    },
  };
}

export async function teardown(): Promise<void> {
  await empty();
  await kubectl(["delete", "namespace", ...NAMESPACES, "--ignore-not-found", "--wait=false"]);
}

async function empty(): Promise<void> {
  for (const namespace of NAMESPACES) {
    const deleteAll = (kind: string) => kubectl(["-n", namespace, "delete", kind, "--all", "--timeout=120s"]);
    // Before their workloads: they make others.
    await deleteAll("agentschedules");
    await deleteAll("agentworkloads");
    await deleteAll("workflows.argoproj.io");
    await deleteAgents(namespace);
    await deleteAll("agentpipelines");
  }
}

async function namespaces(): Promise<KubeObject[]> {
  return JSON.parse(await kubectl(["get", "namespaces", "-o", "json"])).items;
}

function going(all: readonly KubeObject[]): string[] {
  return all
    .filter(({ metadata }) => NAMESPACES.includes(metadata.name) && metadata.deletionTimestamp !== undefined)
    .map(({ metadata }) => `namespace/${metadata.name}`);
}

/** The Deployments behind the product's ApiServerSources; none where it is not installed. */
const sources = () => list("deployments", "agentic-system", "eventing.knative.dev/source=apiserver-source-controller");

/** Until each has another generation than `before`, and is available again; not for ever, for Knative may leave one as it is. */
async function untilRolledOut(before: readonly KubeObject[]): Promise<void> {
  const generations = new Map(before.map(({ metadata }) => [metadata.uid, metadata.generation]));
  const changed = async () =>
    (await sources()).every(({ metadata }) => metadata.generation !== generations.get(metadata.uid));
  await until("the ApiServerSources to roll out", changed, { ms: 20_000 }).catch(() => undefined);
  for (const { metadata } of before)
    await kubectl(["-n", metadata.namespace, "rollout", "status", `deployment/${metadata.name}`, "--timeout=120s"]);
}
