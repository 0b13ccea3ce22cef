import type { Manifest } from "../deploy/manifests.ts";
import type { Mark, TemplateWriter } from "./template.ts";
import { OWN_DEFAULTS, type Values, valuesSchema } from "./values.ts";

/** Fields by name; an entry of a list by its `name`, its number, its text after `=`; `+` is one more. */
type Path = readonly string[];

interface Substitution {
  /** KIND/NAME */
  readonly object: string;
  /** With dots, or as a list where a name has dots. */
  readonly at: string | Path;
  /** The value whose default is what the plain YAML has there. */
  readonly value?: string;
  readonly put: (plain: unknown, mark: (inner: Mark) => string) => Mark;
}

const values = (path: string): string => `.Values.${path}`;

/** A whole value. */
const block = (object: string, at: string | Path, value: string): Substitution => ({
  object,
  at,
  value,
  put: () => ({ form: "block", expression: values(value) }),
});
/** A text or a number; `quoted` where it must stay a text. */
const scalar = (object: string, at: string | Path, value: string, quoted = true): Substitution => ({
  object,
  at,
  value,
  put: () => ({ form: "inline", expression: `${values(value)}${quoted ? " | quote" : ""}` }),
});
const lines = (object: string, at: string | Path, put: (plain: unknown) => string): Substitution => ({
  object,
  at,
  put: (plain) => ({ form: "lines", text: put(plain) }),
});
const onlyIf = (object: string, at: string | Path, condition: string): Substitution => ({
  object,
  at,
  put: (value) => ({ form: "if", condition, value }),
});

const container = (name: string, field: string): string => `spec.template.spec.containers.${name}.${field}`;
const annotation = (name: string): Path => ["spec", "template", "metadata", "annotations", name];

const FUNCTIONS = ["reconcile", "approve", "runs"];
const REPLICATED = ["admit", "artifacts", "egress", "litellm", "browserless"];
const DEPLOYMENTS = [...REPLICATED, "redis", "store"];
const AGENTS = ["scrape", "analyze", "report"];

const KAFKA = 'eq .Values.broker.class "Kafka"';

const SUBSTITUTIONS: readonly Substitution[] = [
  ...DEPLOYMENTS.map((name) => block(`Deployment/${name}`, container(name, "resources"), `${name}.resources`)),
  ...FUNCTIONS.flatMap((name) => [
    block(`Service/${name}`, container("0", "resources"), `${name}.resources`),
    scalar(`Service/${name}`, annotation("autoscaling.knative.dev/min-scale"), `${name}.minScale`),
    scalar(`Service/${name}`, annotation("autoscaling.knative.dev/max-scale"), `${name}.maxScale`),
  ]),
  ...AGENTS.flatMap((name) => [
    block(`Agent/${name}`, "spec.resources", `marketAnalysis.${name}.resources`),
    scalar(`Agent/${name}`, "spec.concurrency", `marketAnalysis.${name}.concurrency`, false),
    scalar(`Agent/${name}`, "spec.scale.min", `marketAnalysis.${name}.minScale`, false),
    scalar(`Agent/${name}`, "spec.scale.max", `marketAnalysis.${name}.maxScale`, false),
  ]),
  ...["redis", "store"].map((name) =>
    scalar(`PersistentVolumeClaim/${name}`, "spec.resources.requests.storage", `${name}.storage.size`),
  ),
  scalar("ConfigMap/litellm", ["data", "config.yaml"], "litellm.config"),
  scalar("Deployment/browserless", container("browserless", "env.CONCURRENT.value"), "browserless.concurrency"),
  scalar(
    "Deployment/browserless",
    "spec.template.spec.securityContext.seccompProfile.localhostProfile",
    "seccomp.profile",
  ),
  scalar("DaemonSet/seccomp", "spec.template.spec.volumes.kubelet.hostPath.path", "seccomp.kubeletFolder"),
  scalar("ScaledObject/browserless", "spec.maxReplicaCount", "keda.maxReplicas", false),
  // Four fifths of what a pod holds.
  {
    object: "ScaledObject/browserless",
    at: "spec.triggers.0.metadata.targetValue",
    put: () => ({ form: "inline", expression: "max 1 (div (mul .Values.browserless.concurrency 4) 5) | quote" }),
  },
  scalar(
    "NetworkPolicy/browserless",
    ["spec", "ingress", "0", "from", "1", "namespaceSelector", "matchLabels", "kubernetes.io/metadata.name"],
    "keda.namespace",
  ),
  scalar("Deployment/redis", "spec.template.spec.containers.redis.args.=640mb", "redis.maxmemory"),

  // Another Broker.
  scalar("Broker/default", ["metadata", "annotations", "eventing.knative.dev/broker.class"], "broker.class"),
  {
    object: "Broker/default",
    at: "spec.config",
    put: () => ({
      form: "if",
      condition: `or (${KAFKA}) .Values.broker.channel`,
      value: { apiVersion: "v1", kind: "ConfigMap", name: "agentic-broker", namespace: "agentic-system" },
    }),
  },
  ...[
    { object: "NetworkPolicy/sources-to-broker", rule: "0" },
    { object: "NetworkPolicy/reconcile", rule: "2" },
  ].map(
    ({ object, rule }): Substitution => ({
      object,
      at: `spec.egress.${rule}.to.0.podSelector.matchLabels`,
      put: (plain) => ({
        form: "block",
        expression: `ternary (dict "app" "kafka-broker-receiver") ${goMap(plain)} (${KAFKA})`,
      }),
    }),
  ),

  // A Redis of one's own.
  ...["REDIS_URL", "AGENT_REDIS_URL"].map(
    (name): Substitution => ({
      object: "Service/reconcile",
      at: container("0", `env.${name}.value`),
      put: (plain) => ({
        form: "inline",
        expression: `ternary ${JSON.stringify(plain)} .Values.redis.${name === "REDIS_URL" ? "url" : "agentsUrl"} .Values.redis.bundled | quote`,
      }),
    }),
  ),
  ...["REDIS_CA", "AGENT_REDIS_CA"].map((name) =>
    onlyIf("Service/reconcile", container("0", `env.${name}`), "or .Values.redis.bundled .Values.redis.authority"),
  ),
  // A pool of one's own. What stands here counts before what agentic-agent says.
  {
    object: "Service/reconcile",
    at: container("0", "env.+"),
    put: (_, mark) => ({
      form: "if",
      condition: "not .Values.browserless.bundled",
      value: {
        name: "BROWSER_TOKEN",
        valueFrom: {
          secretKeyRef: {
            name: mark({ form: "inline", expression: ".Values.browserless.secretName" }),
            key: "token",
            optional: true,
          },
        },
      },
    }),
  },
  {
    object: "Service/reconcile",
    at: container("0", "env.+"),
    put: (_, mark) => ({
      form: "if",
      condition: "not .Values.browserless.bundled",
      value: {
        name: "AGENT_BROWSER_URL",
        value: mark({ form: "inline", expression: ".Values.browserless.url | quote" }),
      },
    }),
  },

  // Settings: what has a value of its own, and the rest as a map.
  lines("ConfigMap/agentic-settings", "data", settingsOf("settings")),
  lines("ConfigMap/agentic-agent", "data", settingsOf("agentSettings")),

  // What only the cluster knows.
  ...["control", "sources"].map((name) =>
    lines(
      `NetworkPolicy/${name}`,
      "spec.egress",
      (plain) => `{{- include "agentic.apiServerRules" (dict "root" $ "otherwise" ${goList(plain)}) | nindent 4 }}`,
    ),
  ),
  ...["egress-to-internet", "litellm-to-internet"].flatMap((name): Substitution[] => [
    lines(`NetworkPolicy/${name}`, "spec.egress.0.to.0.ipBlock.except", (plain) => {
      const all = `concat ${goList(plain)} (include "agentic.ranges4" $ | fromJsonArray) | uniq`;
      return `{{- toYaml (${all}) | nindent 14 }}`;
    }),
    {
      object: `NetworkPolicy/${name}`,
      at: "spec.egress.0.to.1.ipBlock.except",
      put: () => ({ form: "optional", expression: '(include "agentic.ranges6" $ | fromJsonArray)' }),
    },
  ]),
];

/** Settings that have a value of their own, by ConfigMap. */
const DERIVED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  settings: {
    ARTIFACTS_URL: "store.artifactsUrl",
    S3_ENDPOINT: "store.endpoint",
    S3_ADMIN_ENDPOINT: "store.adminEndpoint",
    S3_REGION: "store.region",
    REVIEW_URL: "review.url",
    LLM_BASE_URL: "litellm.url",
    OTEL_EXPORTER_OTLP_ENDPOINT: "telemetry.endpoint",
    TRACE_URL: "telemetry.traceUrl",
  },
  agentSettings: {
    ARTIFACTS_URL: "store.artifactsUrl",
    S3_ENDPOINT: "store.endpoint",
    S3_REGION: "store.region",
    LLM_BASE_URL: "litellm.url",
    OTEL_EXPORTER_OTLP_ENDPOINT: "telemetry.endpoint",
    TRACE_URL: "telemetry.traceUrl",
  },
};
const DENIED = "EGRESS_DENY";
const BROKER = "BROKER_URL";

/** Where Knative puts the Broker: each class has an ingress of its own. */
function brokerUrl(plain: string): string {
  const kafka = plain.replace("//broker-ingress.", "//kafka-broker-ingress.");
  return `${BROKER}: {{ .Values.broker.url | default (ternary ${JSON.stringify(kafka)} ${JSON.stringify(plain)} (${KAFKA})) | quote }}`;
}

function settingsOf(map: "settings" | "agentSettings"): (plain: unknown) => string {
  return (plain) => {
    const there = plain as Record<string, string>;
    const derived = Object.entries(DERIVED[map] ?? {});
    const gone = derived.find(([key]) => there[key] === undefined)?.[0];
    if (gone)
      throw new Error(`config/settings.yaml has no ${gone} any more, which scripts/chart/substitutions.ts replaces`);
    return [
      `{{- range $key, $value := .Values.${map} }}`,
      "{{ $key }}: {{ $value | quote }}",
      "{{- end }}",
      ...derived.map(([key, value]) => `${key}: {{ .Values.${value} | quote }}`),
      ...(there[BROKER] === undefined ? [] : [brokerUrl(there[BROKER])]),
      ...(there[DENIED] === undefined ? [] : [`${DENIED}: {{ include "agentic.denied" . | quote }}`]),
    ].join("\n");
  };
}

const auto = (value: string, found: string): string =>
  `or (eq (toString ${values(value)}) "true") (and (eq (toString ${values(value)}) "auto") (${found}))`;

/** Whole objects that are there on a condition; of several that name an object, all must hold. */
const CONDITIONS: readonly {
  readonly condition: string;
  readonly on: (object: string, manifest: Manifest) => boolean;
}[] = [
  only(
    values("redis.bundled"),
    ["PersistentVolumeClaim", "Secret", "Service", "Deployment", "NetworkPolicy"].map(of("redis")),
    "Secret/agentic-redis-tls",
  ),
  only(values("store.bundled"), ["PersistentVolumeClaim", "Service", "Deployment", "NetworkPolicy"].map(of("store"))),
  only(
    values("litellm.bundled"),
    ["ConfigMap", "Service", "Deployment", "NetworkPolicy"].map(of("litellm")),
    "NetworkPolicy/litellm-to-internet",
  ),
  only(
    values("browserless.bundled"),
    ["Service", "Deployment", "NetworkPolicy", "ScaledObject", "TriggerAuthentication"].map(of("browserless")),
  ),
  only(values("seccomp.install"), ["Namespace/agentic-node", "DaemonSet/seccomp", "ConfigMap/seccomp"]),
  only(`not ${values("ciliumEgress.enabled")}`, ["NetworkPolicy/egress-to-internet"]),
  { condition: values("networkPolicies.enabled"), on: (_, { kind }) => kind === "NetworkPolicy" },
  {
    condition: auto("keda.enabled", '.Capabilities.APIVersions.Has "keda.sh/v1alpha1"'),
    on: (_, { apiVersion }) => apiVersion.startsWith("keda.sh/"),
  },
  {
    condition: auto("eventPolicies.enabled", 'eq (include "agentic.authenticates" .) "true"'),
    on: (_, { kind }) => kind === "EventPolicy",
  },
  { condition: values("marketAnalysis.enabled"), on: (_, { kind }) => kind === "Agent" || kind === "AgentPipeline" },
];

function only(condition: string, ...objects: readonly (string | readonly string[])[]): (typeof CONDITIONS)[number] {
  const all = objects.flat();
  return { condition, on: (object) => all.includes(object) };
}

function of(name: string): (kind: string) => string {
  return (kind) => `${kind}/${name}`;
}

/** Repositories of the plain YAML, and the values that name an image in their place. */
const IMAGES: Readonly<Record<string, string>> = {
  "ghcr.io/agentic-kubernetes/functions": "image",
  "docker.io/library/redis": "redis.image",
  "ghcr.io/versity/versitygw": "store.image",
  "ghcr.io/berriai/litellm": "litellm.image",
  "ghcr.io/browserless/chromium": "browserless.image",
};

/** Secrets that are used by reference alone, wherever that is. */
const SECRETS: Readonly<Record<string, string>> = {
  "agentic-redis": "redis.secretName",
  "agentic-store": "store.secretName",
  "agentic-litellm": "litellm.secretName",
  "agentic-model": "litellm.providerSecretName",
  "agentic-browser": "browserless.secretName",
  "agentic-langfuse": "telemetry.langfuseSecretName",
  "agentic-licence": "licence.secretName",
};

/** One object as a template, and the defaults of the values that it reads. */
export interface Substituted {
  readonly object: Manifest;
  /** All must hold. */
  readonly conditions: readonly string[];
}

/** The chart's part of every object. `defaults` gets what the plain YAML says of the values. */
export function substitute(
  manifests: readonly Manifest[],
  writer: TemplateWriter,
): { objects: Substituted[]; defaults: Values } {
  const defaults: Record<string, unknown> = structuredClone(OWN_DEFAULTS);
  const unused = new Set(SUBSTITUTIONS);
  const objects = manifests.map((manifest) => {
    const id = `${manifest.kind}/${manifest.metadata.name}`;
    const object = structuredClone(manifest);
    for (const one of SUBSTITUTIONS.filter(
      (substitution) => substitution.object === id && isOurs(substitution, manifest),
    )) {
      unused.delete(one);
      replace(object, typeof one.at === "string" ? one.at.split(".") : one.at, (plain) => {
        if (one.value !== undefined) setDefault(defaults, one.value, plain);
        return writer.mark(one.put(plain, (inner) => writer.mark(inner)));
      });
    }
    withImages(object, writer, defaults);
    withSecrets(object, writer, defaults);
    withPodSettings(object, writer);
    const conditions = CONDITIONS.filter(({ on }) => on(id, manifest)).map(({ condition }) => condition);
    return { object, conditions };
  });
  const [lost] = unused;
  if (lost)
    throw new Error(
      `no ${lost.object} is in config/, eventing/ or pipelines/ any more: scripts/chart/substitutions.ts names it`,
    );
  setSettings(defaults, manifests);
  return { objects, defaults: valuesSchema.parse(defaults) };
}

/** Kubernetes' Services and Knative's have names in common. */
const isOurs = ({ object }: Substitution, { apiVersion }: Manifest): boolean =>
  !object.startsWith("Service/") || apiVersion !== "v1";

function setSettings(defaults: Record<string, unknown>, manifests: readonly Manifest[]): void {
  for (const [map, configMap] of Object.entries({ settings: "agentic-settings", agentSettings: "agentic-agent" })) {
    const found = manifests.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === configMap);
    const plain = (found?.["data"] ?? {}) as Record<string, string>;
    const derived = DERIVED[map] ?? {};
    for (const [key, text] of Object.entries(plain)) {
      const value = derived[key];
      if (key !== DENIED && key !== BROKER) setDefault(defaults, value ?? `${map}.${key}`, text);
    }
  }
}

/** @throws Error where the place is not there, or two places disagree on what a value is by default */
function replace(object: object, path: Path, put: (plain: unknown) => unknown): void {
  let at = object as Record<string, unknown>;
  path.forEach((step, index) => {
    const key = keyIn(at, step);
    const isLast = index === path.length - 1;
    // An absent field may be added, to something that is there.
    if (key === undefined || (!isLast && at[key] === undefined))
      throw new Error(`nothing is at ${path.slice(0, index + 1).join(".")}: scripts/chart/substitutions.ts names it`);
    if (isLast) at[key] = put(at[key]);
    else at = at[key] as Record<string, unknown>;
  });
}

function keyIn(at: unknown, step: string): string | undefined {
  if (!Array.isArray(at)) return step;
  if (step === "+") return String(at.length);
  if (step.startsWith("=")) return indexOr(at.indexOf(step.slice(1)));
  if (/^\d+$/.test(step)) return Number(step) < at.length ? step : undefined;
  return indexOr(at.findIndex((one: { name?: string }) => one.name === step));
}

const indexOr = (index: number): string | undefined => (index < 0 ? undefined : String(index));

function setDefault(defaults: Record<string, unknown>, path: string, plain: unknown): void {
  const steps = path.split(".");
  const last = steps.pop() ?? "";
  let at = defaults;
  for (const step of steps) {
    at[step] ??= {};
    at = at[step] as Record<string, unknown>;
  }
  const value = typeof plain === "string" && NUMBERS.has(last) ? Number(plain) : plain;
  if (at[last] !== undefined && JSON.stringify(at[last]) !== JSON.stringify(value))
    throw new Error(
      `${path} would be ${JSON.stringify(at[last])} and ${JSON.stringify(value)}: the plain YAML has both`,
    );
  at[last] = value;
}

/** Texts in the plain YAML. */
const NUMBERS = new Set(["minScale", "maxScale", "concurrency"]);

/** The setter of every `image` field. */
function withImages(value: unknown, writer: TemplateWriter, defaults: Record<string, unknown>): void {
  walk(value, (at, key, inner) => {
    if (key !== "image" || typeof inner !== "string") return;
    const [, repository = inner, tag = ""] = /^(.*):([^/:]+)$/.exec(inner) ?? [];
    const path = IMAGES[repository];
    if (!path)
      throw new Error(`${inner} is in no list of scripts/chart/substitutions.ts: IMAGES gives each image its value`);
    setDefault(defaults, `${path}.repository`, repository);
    setDefault(defaults, `${path}.tag`, tag);
    setDefault(defaults, `${path}.digest`, "");
    at[key] = writer.mark({ form: "inline", expression: `include "agentic.image" .Values.${path} | quote` });
  });
}

function withSecrets(value: unknown, writer: TemplateWriter, defaults: Record<string, unknown>): void {
  const put = (at: Record<string, unknown>, key: string): void => {
    const name = at[key];
    const path = typeof name === "string" ? SECRETS[name] : undefined;
    if (!path) return;
    setDefault(defaults, path, name);
    at[key] = writer.mark({ form: "inline", expression: `.Values.${path}` });
  };
  walk(value, (at, key, inner) => {
    if (key === "secretName") put(at, key);
    if (key === "secretKeyRef" || key === "secretRef") put(inner as Record<string, unknown>, "name");
    // A source of a projected volume; a volume of its own says secretName.
    if (key === "secret") put(inner as Record<string, unknown>, "name");
    if (key === "secretTargetRef") for (const one of inner as Record<string, unknown>[]) put(one, "name");
  });
}

function walk(value: unknown, visit: (at: Record<string, unknown>, key: string, inner: unknown) => void): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    visit(value as Record<string, unknown>, key, inner);
    walk(inner, visit);
  }
}

const POD_KINDS = ["Deployment", "DaemonSet"];

/** What an installation says of all pods, and what an object of ours needs to be Helm's. */
function withPodSettings(object: Manifest, writer: TemplateWriter): void {
  const { kind, metadata } = object;
  const optional = (expression: string): string => writer.mark({ form: "optional", expression });
  const isFunction = kind === "Service" && object.apiVersion !== "v1";
  const checksum = (): string => writer.mark({ form: "inline", expression: 'include "agentic.checksum" . | quote' });
  // reconcile hands settings on to an agent when its Agent changes.
  if (kind === "Agent") Object.assign(metadata, { annotations: { "checksum/settings": checksum() } });
  if (kind === "PersistentVolumeClaim") {
    const spec = object["spec"] as Record<string, unknown>;
    const value = `.Values.${metadata.name}.storage.className`;
    spec["storageClassName"] = writer.mark({
      form: "if",
      condition: value,
      value: writer.mark({ form: "inline", expression: `${value} | quote` }),
    });
    // Bytes of runs, which nobody can make again.
    if (metadata.name === "store") Object.assign(metadata, { annotations: { "helm.sh/resource-policy": "keep" } });
    return;
  }
  if (!POD_KINDS.includes(kind) && !isFunction) return;
  const { template } = object["spec"] as {
    template: { metadata?: Record<string, unknown>; spec: Record<string, unknown> };
  };
  const pod = template.spec;
  pod["imagePullSecrets"] = optional(".Values.imagePullSecrets");
  if (usesSettings(pod)) {
    template.metadata ??= {};
    const annotations = (template.metadata["annotations"] ?? {}) as Record<string, unknown>;
    // Changed settings start new pods.
    annotations["checksum/settings"] = checksum();
    template.metadata["annotations"] = annotations;
  }
  if (isFunction) return;
  if (kind === "Deployment") {
    const spec = object["spec"] as Record<string, unknown>;
    if (REPLICATED.includes(metadata.name)) {
      const several = `gt (int .Values.${metadata.name}.replicas) 1`;
      const condition =
        metadata.name === "browserless"
          ? `and (${several}) (not (${auto("keda.enabled", '.Capabilities.APIVersions.Has "keda.sh/v1alpha1"')}))`
          : several;
      spec["replicas"] = writer.mark({
        form: "if",
        condition,
        value: writer.mark({ form: "inline", expression: `.Values.${metadata.name}.replicas` }),
      });
    }
    pod["topologySpreadConstraints"] = writer.mark({
      form: "if",
      condition: ".Values.topologyKey",
      value: [
        {
          maxSkew: 1,
          topologyKey: writer.mark({ form: "inline", expression: ".Values.topologyKey | quote" }),
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: (object["spec"] as { selector: unknown }).selector,
        },
      ],
    });
    pod["tolerations"] = optional(".Values.tolerations");
    pod["nodeSelector"] = optional(".Values.nodeSelector");
  }
  pod["priorityClassName"] = writer.mark({
    form: "if",
    condition: ".Values.priorityClassName",
    value: writer.mark({ form: "inline", expression: ".Values.priorityClassName | quote" }),
  });
}

const usesSettings = (pod: object): boolean => JSON.stringify(pod).includes('"configMapRef":{"name":"agentic-');

/** As Go's templates write a list of plain data. */
function goList(value: unknown): string {
  return `(${JSON.stringify(JSON.stringify(value))} | fromJsonArray)`;
}

function goMap(value: unknown): string {
  return `(${JSON.stringify(JSON.stringify(value))} | fromJson)`;
}
