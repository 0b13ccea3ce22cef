import type { V1NetworkPolicyPeer, V1Secret, V1ServiceAccount } from "@kubernetes/client-node";
import type { Agent, AgentSpec } from "../../../crd/agent.ts";
import { parseDuration } from "../../../crd/duration.ts";
import { canonicalJson, sha256 } from "../../../engine/canonical.ts";
import { SHARED_NAMESPACE } from "../../../engine/freeze.ts";
import { agentAttribute, STEP_EXPECTED, STEP_REQUESTED, WORKLOAD_ADDED } from "../../../lib/step-events.ts";

/** Which Agent an object was made for: its name. */
export const AGENT_LABEL = "agentic.dev/agent";
/** Annotation: hash of what the object was rendered from. It is applied again only when that has changed. */
export const RENDERED_FROM = "agentic.dev/rendered-from";

type ImageSpec = AgentSpec & { readonly image: string };

export function isByImage(spec: AgentSpec): spec is ImageSpec {
  return spec.image !== undefined;
}

/** Name of the objects beside an Agent: service account, Secret and NetworkPolicy. */
export function sideName({ metadata }: Agent): string {
  return `agent-${metadata.name}`;
}

/** Without rights, and without a token: an agent reaches no Kubernetes API. */
export function renderServiceAccount(agent: Agent): V1ServiceAccount & { metadata: { namespace: string } } {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: metadataFor(agent, sideName(agent)),
    automountServiceAccountToken: false,
  };
}

/** What the platform gives each agent: where stores, proxy, browser and models are, and its login there. */
export function renderSecret(
  agent: Agent,
  settings: Readonly<Record<string, string>>,
): V1Secret & { metadata: { namespace: string; name: string } } {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadataFor(agent, sideName(agent)),
    stringData: { ...settings },
  };
}

/** The Knative Service of an agent by image: it scales within its bounds, in a restricted pod. */
export function renderService(agent: Agent, spec: ImageSpec, settings: Readonly<Record<string, string>>): object {
  const { min, max } = spec.scale ?? { min: 0, max: 4 };
  const timeoutSeconds = Math.ceil(parseDuration(spec.timeout) / 1000);
  const template = {
    metadata: {
      labels: { [AGENT_LABEL]: agent.metadata.name },
      annotations: {
        "autoscaling.knative.dev/min-scale": String(min),
        "autoscaling.knative.dev/max-scale": String(max),
        "autoscaling.knative.dev/window": "20s",
        // How long an image takes to be pulled before the Service says that it cannot be; Knative's default is 10 minutes.
        "serving.knative.dev/progress-deadline": "180s",
        // Changed settings are another revision: pods read a Secret when they start.
        "agentic.dev/settings": sha256(canonicalJson(settings)).slice(0, 12),
      },
    },
    spec: {
      serviceAccountName: sideName(agent),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      containerConcurrency: spec.concurrency,
      timeoutSeconds,
      // An agent answers once, at its end: without this the answer would be expected to begin earlier.
      responseStartTimeoutSeconds: timeoutSeconds,
      containers: [
        {
          image: spec.image,
          ...(spec.command ? { command: spec.command } : {}),
          ...(spec.args ? { args: spec.args } : {}),
          // The platform's come last of these. An entry of its own in `env` still wins, for its own container only.
          env: spec.env ?? [],
          envFrom: [...(spec.envFrom ?? []), { secretRef: { name: sideName(agent) } }],
          ports: [{ containerPort: 8080 }],
          // Without a period Knative asks each 50 ms: an agent that starts is found at once.
          readinessProbe: { httpGet: { path: "/health/readiness", port: 8080 } },
          ...(spec.resources ? { resources: spec.resources } : {}),
          securityContext: {
            runAsNonRoot: true,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
            seccompProfile: { type: "RuntimeDefault" },
          },
          volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
        },
      ],
      volumes: [{ name: "tmp", emptyDir: {} }],
    },
  };
  return withHash({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: {
      ...metadataFor(agent, agent.metadata.name),
      labels: {
        [AGENT_LABEL]: agent.metadata.name,
        "app.kubernetes.io/managed-by": "agentic",
        // Reached from inside the cluster only.
        "networking.knative.dev/visibility": "cluster-local",
      },
    },
    spec: { template },
  });
}

/** What of the product agents connect to, by the name of its pods, and the port there. */
const PARTS = { redis: 6379, store: 7070, egress: 3128, browserless: 3000, litellm: 4000 };
/** Receivers of OTLP over HTTP, and Langfuse, in a namespace that an administrator labels so. */
const TELEMETRY = { namespace: { "agentic.dev/receives": "telemetry" }, ports: [4318, 3000] };
/** Where Knative's activator and autoscaler are, and its gateway: who calls a function's pods. */
const CALLERS = ["knative-serving", "kourier-system"];
/** Of the queue proxy in each pod: HTTP/1, HTTP/2, TLS, metrics. */
const QUEUE_PROXY = [8012, 8013, 8112, 9090];

/** The walls around an agent's pods: called by Knative only, they reach the product's parts, and nothing else. */
export function renderNetworkPolicy(agent: Agent): object {
  const namespace = (...names: string[]) => ({
    namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: names }] },
  });
  const pods = (of: V1NetworkPolicyPeer, label: string, value: string) => ({
    ...of,
    podSelector: { matchLabels: { [label]: value } },
  });
  const port = (number: number, protocol = "TCP") => ({ protocol, port: number });
  return withHash({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadataFor(agent, sideName(agent)),
    spec: {
      podSelector: { matchLabels: { [AGENT_LABEL]: agent.metadata.name } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [namespace(...CALLERS)], ports: QUEUE_PROXY.map((number) => port(number)) }],
      egress: [
        { to: [pods(namespace("kube-system"), "k8s-app", "kube-dns")], ports: [port(53, "UDP"), port(53)] },
        ...Object.entries(PARTS).map(([part, number]) => ({
          to: [pods(namespace(SHARED_NAMESPACE), "app.kubernetes.io/name", part)],
          ports: [port(number)],
        })),
        {
          to: [{ namespaceSelector: { matchLabels: TELEMETRY.namespace } }],
          ports: TELEMETRY.ports.map((number) => port(number)),
        },
      ],
    },
  });
}

/** Triggers are in the Broker's namespace, which owns no object of another one: the Agent's finalizer deletes it. */
export function triggerName({ metadata }: Pick<Agent, "metadata">): string {
  return `agent-${metadata.name}-${sha256(`${metadata.namespace}/${metadata.name}`).slice(0, 8)}`;
}

/** Brings an agent the requests that name it, and the hints that some will come. */
export function renderTrigger(agent: Agent): object {
  const { metadata, spec } = agent;
  const own = {
    all: [
      { exact: { agent: agentAttribute(metadata) } },
      { any: [{ exact: { type: STEP_REQUESTED } }, { exact: { type: STEP_EXPECTED } }] },
    ],
  };
  const added = { exact: { type: WORKLOAD_ADDED, kind: "AgentWorkload" } };
  return withHash({
    apiVersion: "eventing.knative.dev/v1",
    kind: "Trigger",
    metadata: {
      namespace: SHARED_NAMESPACE,
      name: triggerName(agent),
      labels: { [AGENT_LABEL]: metadata.name, "app.kubernetes.io/managed-by": "agentic" },
    },
    spec: {
      broker: "default",
      filters: spec.startAhead ? [{ any: [own, added] }] : [own],
      subscriber: subscriberOf(agent),
    },
  });
}

function subscriberOf({ metadata, spec }: Agent): object {
  if (spec.uri !== undefined) return { uri: spec.uri };
  const { name, namespace } = { namespace: metadata.namespace, name: metadata.name, ...spec.service };
  return { ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name, namespace } };
}

function metadataFor({ metadata }: Agent, name: string) {
  return {
    namespace: metadata.namespace,
    name,
    labels: { [AGENT_LABEL]: metadata.name, "app.kubernetes.io/managed-by": "agentic" },
    ownerReferences: [
      {
        apiVersion: "agentic.dev/v1alpha1",
        kind: "Agent",
        name: metadata.name,
        uid: metadata.uid ?? "",
        controller: true,
      },
    ],
  };
}

function withHash<T extends { metadata: object }>(object: T): T {
  const hash = sha256(canonicalJson(object)).slice(0, 16);
  return { ...object, metadata: { ...object.metadata, annotations: { [RENDERED_FROM]: hash } } };
}

export function hashIn(object: object): string | undefined {
  const { metadata } = object as { metadata?: { annotations?: Record<string, string> } };
  return metadata?.annotations?.[RENDERED_FROM];
}
