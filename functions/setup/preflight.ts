import { API_VERSION } from "../../crd/fields.ts";
import { KINDS } from "../../crd/kinds.ts";
import { WORKFLOW_KIND } from "../../lib/edges/kube.ts";

/** What a cluster is asked for the pre-flight check. */
export interface ClusterFacts {
  /** As v1.34.4. */
  readonly version: string;
  /** GROUP/VERSION/KIND of those in WANTED and OPTIONAL that the API server knows. */
  readonly kinds: ReadonlySet<string>;
  readonly deployments: readonly Deployment[];
  /** `authentication-oidc` of Knative Eventing. */
  readonly authentication: string | undefined;
  /** Of Knative Serving. */
  readonly ingressClass: string | undefined;
  readonly hasDefaultStorage: boolean;
  /** Objects in agentic-system that are not ready, and why. Absent: the product is not installed. */
  readonly notReady: readonly { readonly name: string; readonly why: string }[] | undefined;
}

export interface Deployment {
  readonly namespace: string;
  readonly name: string;
  readonly ready: boolean;
  /** Its label app.kubernetes.io/version. */
  readonly version: string | undefined;
  /** Names of the variables that its first container is given. */
  readonly env: readonly string[];
}

export interface Finding {
  readonly what: string;
  /** `advice`: it works without. */
  readonly state: "ok" | "missing" | "advice";
  readonly found: string;
  /** A command, or where to read, for what is not ok. */
  readonly remedy?: string;
}

const KNATIVE = "knative-v1.20.0";
const ARGO = "v4.0.2";
const release = (repository: string, version: string, ...files: string[]): string =>
  `kubectl apply ${files.map((file) => `-f https://github.com/${repository}/releases/download/${version}/${file}`).join(" ")}`;

const INSTALL = {
  argo: `kubectl create namespace argo; kubectl apply --server-side -n argo -f https://github.com/argoproj/argo-workflows/releases/download/${ARGO}/install.yaml`,
  serving: release("knative/serving", KNATIVE, "serving-crds.yaml", "serving-core.yaml"),
  kourier: `${release("knative-extensions/net-kourier", KNATIVE, "kourier.yaml")} && kubectl -n knative-serving patch configmap config-network --type merge -p '{"data":{"ingress-class":"kourier.ingress.networking.knative.dev"}}'`,
  eventing: release("knative/eventing", KNATIVE, "eventing-crds.yaml", "eventing-core.yaml"),
  channel: release("knative/eventing", KNATIVE, "in-memory-channel.yaml", "mt-channel-broker.yaml"),
  product: "helm upgrade --install agentic charts/agentic -n agentic-system --create-namespace",
};

/** Kinds of the cluster without which nothing works, and what brings them. */
export const WANTED: Readonly<Record<string, string>> = {
  [WORKFLOW_KIND]: INSTALL.argo,
  "serving.knative.dev/v1/Service": INSTALL.serving,
  "eventing.knative.dev/v1/Broker": INSTALL.eventing,
  "eventing.knative.dev/v1/Trigger": INSTALL.eventing,
  "sources.knative.dev/v1/ApiServerSource": INSTALL.eventing,
  "sources.knative.dev/v1/PingSource": INSTALL.eventing,
  "messaging.knative.dev/v1/InMemoryChannel": INSTALL.channel,
};
const OWN = KINDS.map(({ kind }) => `${API_VERSION}/${kind}`);
const KEDA = "keda.sh/v1alpha1/ScaledObject";
export const LOOKED_FOR: readonly string[] = [...Object.keys(WANTED), ...OWN, KEDA];

/** Whose pods must run, and what brings them. Argo's has no namespace that is everybody's. */
const CONTROLLERS: readonly {
  readonly what: string;
  readonly namespace?: string;
  readonly names: readonly string[];
  readonly remedy: string;
}[] = [
  { what: "Argo Workflows", names: ["workflow-controller"], remedy: INSTALL.argo },
  {
    what: "Knative Serving",
    namespace: "knative-serving",
    names: ["controller", "webhook", "activator", "autoscaler"],
    remedy: INSTALL.serving,
  },
  { what: "Kourier", names: ["net-kourier-controller", "3scale-kourier-gateway"], remedy: INSTALL.kourier },
  {
    what: "Knative Eventing",
    namespace: "knative-eventing",
    names: ["eventing-controller", "eventing-webhook"],
    remedy: INSTALL.eventing,
  },
];

const MT_BROKER = ["mt-broker-controller", "mt-broker-ingress", "mt-broker-filter"];
const BROKER = {
  what: "Broker",
  namespace: "knative-eventing",
  names: ["imc-controller", "imc-dispatcher", ...MT_BROKER],
  remedy: INSTALL.channel,
};
/** Whoever has one of these (docs/scaling.md) needs no channel in memory. */
const OTHER_BROKERS = [
  { ...BROKER, names: ["kafka-controller", "kafka-broker-receiver"] },
  { ...BROKER, names: ["jetstream-ch-controller", ...MT_BROKER] },
];

/** From Kubernetes' selectable fields and the authorizer of admission policies on. */
const MIN_MINOR = 31;

/** What a cluster lacks, each with what brings it; pure. */
export function preflight(facts: ClusterFacts): Finding[] {
  const broker = [BROKER, ...OTHER_BROKERS].find((one) => isThere(one, facts)) ?? BROKER;
  const wanted = Object.keys(WANTED).filter((kind) => broker === BROKER || WANTED[kind] !== INSTALL.channel);
  return [
    kubernetes(facts),
    ...Object.entries(Object.groupBy(wanted, (kind) => WANTED[kind] ?? "")).map(([remedy, kinds = []]) =>
      kindsFinding(kinds, facts, remedy),
    ),
    ...[...CONTROLLERS, broker].map((one) => controller(one, facts)),
    ingress(facts),
    argoPace(facts),
    storage(facts),
    authentication(facts),
    keda(facts),
    kindsFinding(OWN, facts, INSTALL.product),
    product(facts),
  ];
}

/** Whether the product can run. */
export const canRun = (findings: readonly Finding[]): boolean => findings.every(({ state }) => state !== "missing");

export function findingText({ what, state, found, remedy }: Finding): string {
  return `${state.padEnd(8)}${what.padEnd(26)} ${found}${remedy === undefined ? "" : `\n${" ".repeat(8)}${remedy}`}\n`;
}

function kubernetes({ version }: ClusterFacts): Finding {
  const [, major = "0", minor = "0"] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const isNew = Number(major) > 1 || Number(minor) >= MIN_MINOR;
  const what = "Kubernetes";
  return isNew
    ? { what, state: "ok", found: version }
    : { what, state: "missing", found: version, remedy: `1.${MIN_MINOR} or later is needed: upgrade the cluster` };
}

function kindsFinding(kinds: readonly string[], facts: ClusterFacts, remedy: string): Finding {
  const missing = kinds.filter((kind) => !facts.kinds.has(kind));
  const names = (list: readonly string[]): string => list.map((kind) => kind.split("/").at(-1)).join(", ");
  const what = `Kinds of ${kinds[0]?.split("/")[0]}`;
  if (missing.length === 0) return { what, state: "ok", found: names(kinds) };
  return { what, state: "missing", found: `not known: ${names(missing)}`, remedy };
}

function isThere({ namespace, names }: typeof BROKER, { deployments }: ClusterFacts): boolean {
  return names.every((name) => deployments.some((one) => one.name === name && one.namespace === namespace));
}

function controller(
  { what, namespace, names, remedy }: (typeof CONTROLLERS)[number],
  { deployments }: ClusterFacts,
): Finding {
  const found = names.map((name) => ({
    name,
    one: deployments.find((each) => each.name === name && (namespace === undefined || each.namespace === namespace)),
  }));
  const absent = found.flatMap(({ name, one }) => (one ? [] : [name]));
  if (absent.length > 0) return { what, state: "missing", found: `no Deployment ${absent.join(", ")}`, remedy };
  const down = found.flatMap(({ one }) => (one && !one.ready ? [one] : []));
  if (down[0])
    return {
      what,
      state: "missing",
      found: `not ready: ${down.map(({ name }) => name).join(", ")}`,
      remedy: `kubectl -n ${down[0].namespace} describe deployment ${down.map(({ name }) => name).join(" ")}`,
    };
  return { what, state: "ok", found: found.find(({ one }) => one?.version)?.one?.version ?? "ready" };
}

function ingress({ ingressClass }: ClusterFacts): Finding {
  const what = "Knative's ingress class";
  if (ingressClass?.startsWith("kourier")) return { what, state: "ok", found: ingressClass };
  return {
    what,
    state: "advice",
    found: ingressClass ?? "Knative's default, Istio",
    remedy:
      "NetworkPolicies of this product let Kourier in: with another gateway, change the policy functions, or switch networkPolicies.enabled off",
  };
}

function argoPace({ deployments }: ClusterFacts): Finding {
  const what = "Argo's pace";
  const argo = deployments.find(({ name }) => name === "workflow-controller");
  if (argo?.env.includes("INFORMER_WRITE_BACK")) return { what, state: "ok", found: "INFORMER_WRITE_BACK is set" };
  return {
    what,
    state: "advice",
    found: "each write costs it a second more",
    remedy: `kubectl -n ${argo?.namespace ?? "argo"} patch deployment workflow-controller --patch-file config/argo/workflow-controller.yaml`,
  };
}

function storage({ hasDefaultStorage }: ClusterFacts): Finding {
  const what = "Volumes";
  if (hasDefaultStorage) return { what, state: "ok", found: "a default StorageClass" };
  return {
    what,
    state: "advice",
    found: "no default StorageClass",
    remedy:
      "name one in redis.storage.className and store.storage.className, or have volumes for the claims redis and store",
  };
}

function authentication(facts: ClusterFacts): Finding {
  const what = "Who publishes to the Broker";
  if (facts.authentication?.toLowerCase() === "enabled")
    return { what, state: "ok", found: "is asked: authentication-oidc" };
  return {
    what,
    state: "advice",
    found: "nobody asks: any pod may",
    remedy: `kubectl -n knative-eventing patch configmap config-features --type merge -p '{"data":{"authentication-oidc":"enabled"}}', then upgrade the release`,
  };
}

function keda({ kinds }: ClusterFacts): Finding {
  const what = "KEDA";
  if (kinds.has(KEDA)) return { what, state: "ok", found: "the pool of browsers grows" };
  return {
    what,
    state: "advice",
    found: "none: the pool of browsers stays as large as it is",
    remedy: "docs/deploy.md, More browsers",
  };
}

function product({ notReady }: ClusterFacts): Finding {
  const what = "agentic-system";
  if (notReady === undefined) return { what, state: "missing", found: "not installed", remedy: INSTALL.product };
  const [first] = notReady;
  if (!first) return { what, state: "ok", found: "all of it is ready" };
  return {
    what,
    state: "missing",
    found: `not ready: ${notReady.map(({ name, why }) => `${name} (${why})`).join("; ")}`,
    remedy: `kubectl -n agentic-system describe ${first.name}`,
  };
}
