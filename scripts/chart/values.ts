import { z } from "zod";

/** What an installation decides. Becomes values.schema.json, and the comments of values.yaml. */

const text = z.string();
const url = z.string().regex(/^([a-z][a-z0-9+.-]*:\/\/\S+)?$/, "an address, or nothing");
const name = z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
const cidr = z.string().regex(/^[0-9a-fA-F.:]+(\/[0-9]{1,3})?$/, "an address or a range of addresses");
const port = z.int().min(1).max(65_535);
/** Kubernetes' own types: the API server says what is wrong with one. */
const anything = z.record(z.string(), z.unknown());
const list = z.array(anything);

const image = z
  .strictObject({
    repository: text,
    tag: text,
    digest: z
      .string()
      .regex(/^(sha256:[0-9a-f]{64})?$/)
      .describe("sha256:…; it counts instead of the tag, and what runs is the same on every node"),
  })
  .describe("the image");
const resources = z
  .strictObject({ requests: z.record(z.string(), text).optional(), limits: z.record(z.string(), text).optional() })
  .describe("what a pod asks for, and its limits");
const replicas = z.int().min(1).max(100).describe("pods");
const scale = z.int().min(0).max(100);
const secretName = (what: string) => name.describe(`the Secret with ${what}; one that is there stays as it is`);
const storage = z
  .strictObject({ size: text, className: text.describe("the StorageClass; empty: the cluster's default") })
  .describe("its volume");
/** `auto`: as the cluster is when Helm looks at it. `helm template` and GitOps tools see none: say it there. */
const whenever = (what: string) => z.union([z.boolean(), z.literal("auto")]).describe(what);
const settings = z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), text);

const fn = (what: string) =>
  z.strictObject({ minScale: scale, maxScale: scale, resources }).describe(`${what}: pods at least and at most`);
const part = (what: string) => z.strictObject({ replicas, resources }).describe(what);
const agent = z
  .strictObject({
    minScale: scale,
    maxScale: scale.min(1),
    concurrency: z.int().min(1).max(1000).describe("steps of a pod at once"),
    resources,
  })
  .describe("pods at least and at most");

export const valuesSchema = z.strictObject({
  image: image.describe("the image of all functions"),
  imagePullSecrets: z
    .array(z.strictObject({ name }))
    .describe(
      "Secrets in agentic-system with logins to registries. Agents have service accounts of their own: their images are pulled with what nodes have",
    ),
  priorityClassName: text.describe("of everything but the functions, which Knative runs"),
  nodeSelector: z.record(z.string(), text).describe("of everything but the functions"),
  tolerations: list.describe("of everything but the functions"),
  topologyKey: text.describe(
    "spreads the pods of each part over nodes or zones, as topology.kubernetes.io/zone; empty: as the scheduler likes",
  ),
  podDisruptionBudgets: z.boolean().describe("of parts with several replicas, one goes at a time"),

  reconcile: fn("the one writer of runs"),
  approve: fn("the review page"),
  runs: fn("the pages of runs"),
  admit: part("the admission webhook"),
  artifacts: part("hands out what runs made, to kubectl agentic"),
  egress: z
    .strictObject({
      replicas,
      resources,
      deny: z.array(cidr).describe("what no page reaches though it looks public; the cluster's own is added"),
    })
    .describe("the one way from a page to the network"),
  marketAnalysis: z
    .strictObject({
      enabled: z.boolean(),
      scrape: agent,
      analyze: agent,
      report: agent,
    })
    .describe("the pipeline that ships, and its agents"),

  broker: z
    .strictObject({
      class: z
        .enum(["MTChannelBasedBroker", "Kafka"])
        .describe("its kind; Knative changes that of none that is there: docs/scaling.md says how"),
      channel: anything.describe(
        "of MTChannelBasedBroker, a channel's template: { apiVersion: messaging.knative.dev/v1alpha1, kind: NatsJetStreamChannel }; empty: the cluster's default, which is in memory as Knative ships it",
      ),
      kafka: z
        .strictObject({
          bootstrapServers: text.describe("of Kafka: kafka-1.example.com:9092,kafka-2.example.com:9092"),
          partitions: z.int().min(1).describe("of its topic"),
          replicationFactor: z.int().min(1).describe("of its topic; at most the Kafka servers that there are"),
          secretName: text.describe(
            "a Secret in agentic-system with protocol, user, password, ca.crt; empty: no login",
          ),
        })
        .describe("of the class Kafka"),
      url: url.describe(
        "where it takes events, as its status.address says; empty: where Knative puts a Broker of its class",
      ),
    })
    .describe("what events go through. docs/scaling.md says what each keeps"),
  redis: z
    .strictObject({
      bundled: z.boolean().describe("false: one of your own (docs/deploy.md says what it must be)"),
      url: text.describe("of your own, reconcile's login: rediss://:$(REDIS_PASSWORD)@redis.example.com:6379"),
      agentsUrl: text.describe("of your own, the agents' login: rediss://agents:$(REDIS_AGENTS_PASSWORD)@…"),
      authority: z
        .boolean()
        .describe("of your own: ca.crt of the Secret agentic-redis-ca signs its certificate; false: a public one"),
      secretName: secretName("password, agentsPassword and tenantsKey"),
      image,
      resources,
      maxmemory: text.describe("Redis' own limit, well below the pod's"),
      storage,
    })
    .describe("progress of running steps"),
  store: z
    .strictObject({
      bundled: z.boolean().describe("false: an S3 of your own"),
      endpoint: url.describe("where S3 is spoken"),
      adminEndpoint: url.describe("where versitygw makes accounts; empty for any other: all namespaces share a login"),
      region: text,
      artifactsUrl: text.describe("s3://BUCKET, or s3://PREFIX-{namespace} for a bucket of each namespace"),
      secretName: secretName("accessKey and secretKey"),
      image,
      resources,
      storage: storage.describe("its volume, which stays when the release is uninstalled"),
    })
    .describe("results and artifacts"),
  litellm: z
    .strictObject({
      bundled: z.boolean(),
      url: url.describe(
        "where agents find models: http://litellm.agentic-system.svc.cluster.local:4000/v1 is the bundled one; empty: they work without",
      ),
      secretName: secretName("key, what agents show to LiteLLM"),
      providerSecretName: secretName("OPENAI_API_KEY and OPENAI_API_BASE, the provider behind LiteLLM"),
      config: text.describe("LiteLLM's own config.yaml"),
      image,
      replicas,
      resources,
    })
    .describe("the gateway to models"),
  browserless: z
    .strictObject({
      bundled: z.boolean(),
      url: text.describe("of your own: wss://browsers.example.com/chromium?token=$(BROWSER_TOKEN)"),
      secretName: secretName("token"),
      concurrency: z.int().min(1).describe("browsers at once, a pod"),
      image,
      replicas: replicas.describe("pods, where KEDA does not scale them"),
      resources,
    })
    .describe("the pool of browsers"),
  keda: z
    .strictObject({
      enabled: whenever("the pool grows with its sessions; needs KEDA"),
      namespace: name.describe("where KEDA is"),
      maxReplicas: z.int().min(1),
    })
    .describe("scaling of the pool"),
  seccomp: z
    .strictObject({
      install: z.boolean().describe("a DaemonSet brings the profile to each node"),
      kubeletFolder: text.describe("below the kubelet's --root-dir"),
      profile: text.describe("as the pool's pods name it"),
    })
    .describe("the profile that lets Chrome make its sandbox"),

  settings: settings.describe(
    "of the control functions and the egress proxy; lib/config.ts says what each means. Telemetry's OTEL_* go here, too",
  ),
  agentSettings: settings.describe("of every agent by image"),
  telemetry: z
    .strictObject({
      endpoint: url.describe("a receiver of OTLP over HTTP: http://collector.observability.svc.cluster.local:4318"),
      traceUrl: text.describe("where a trace is looked at: https://jaeger.example.com/trace/{trace}"),
      langfuseSecretName: name.describe(
        "a Secret with LANGFUSE_BASE_URL, LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY; optional",
      ),
    })
    .describe("traces and metrics"),
  licence: z
    .strictObject({
      token: text.describe("a licence; empty: the Secret below, or the community's limits"),
      secretName: name.describe("the Secret with the key licence; optional"),
    })
    .describe("docs/licence.md"),
  quotas: z
    .record(z.string(), z.strictObject({ maxRunning: z.int().min(0).optional(), maxUsdPerMonth: text.optional() }))
    .describe('by namespace, _default for the others: { team-a: { maxRunning: 40, maxUsdPerMonth: "50" } }'),
  review: z
    .strictObject({
      url: url.describe("where a reviewer's browser reaches the review page: links begin with it"),
      host: text.describe("a public host name for it, as review.example.com; empty: none"),
      gateway: z
        .strictObject({ namespace: name, name, port })
        .describe("the Service of Knative's gateway, where the host's requests go"),
      ingress: z.strictObject({
        enabled: z.boolean(),
        className: text,
        annotations: z.record(z.string(), text),
        tlsSecretName: text.describe("in the gateway's namespace; empty: no TLS"),
      }),
      httpRoute: z.strictObject({
        enabled: z.boolean(),
        parentRefs: list.describe("Gateways, as { name: public, namespace: gateways }"),
      }),
    })
    .describe("the way to the review page"),

  cluster: z
    .strictObject({
      lookup: z
        .boolean()
        .describe("Helm asks the cluster for the addresses below, which takes the right to list nodes"),
      ranges: z.array(cidr).describe("pods, Services, nodes, API server: no page and no model's call reaches them"),
      apiServer: z
        .array(z.strictObject({ addresses: z.array(cidr), ports: z.array(port) }))
        .describe("the control functions may call these alone; without: any address at 443 and 6443"),
    })
    .describe("what only the cluster knows"),
  networkPolicies: z
    .strictObject({
      enabled: z.boolean(),
      stores: z
        .array(z.strictObject({ cidr, port }))
        .describe("a Redis or S3 of your own: opened to those in agentic-system who use it"),
    })
    .describe("who talks to whom"),
  ciliumEgress: z
    .strictObject({
      enabled: z.boolean().describe("a CiliumNetworkPolicy in place of egress-to-internet"),
      hosts: z
        .array(z.string())
        .describe(
          "the only hosts that the egress proxy reaches, whatever a job allows: shop.example.com, *.example.org",
        ),
      ports: z.array(port),
    })
    .describe("an allow-list of the installation, by name; needs Cilium"),
  eventPolicies: z
    .strictObject({
      enabled: whenever("who may publish to the Broker; Knative refuses them unless authentication-oidc is enabled"),
    })
    .describe("docs/deploy.md, Who may publish to the Broker"),

  secrets: z
    .strictObject({
      create: z.boolean().describe("a Job makes those that are missing, before installation and upgrade"),
    })
    .describe("keys and passwords. docs/deploy.md lists the Secrets"),
  externalSecrets: z
    .strictObject({
      enabled: z.boolean().describe("ExternalSecrets in place of that Job"),
      apiVersion: text,
      store: z.strictObject({ kind: z.enum(["SecretStore", "ClusterSecretStore"]), name: text }),
      prefix: text.describe("an entry of the store is named by it and the Secret's name, and has the Secret's keys"),
      refreshInterval: text,
      names: z
        .array(name)
        .describe("the Secrets that come from there; agentic-agent, unless it is one, is put together of the others"),
    })
    .describe("the External Secrets Operator"),
  crds: z
    .strictObject({
      apply: z.boolean().describe("the Job brings our kinds up to date, which Helm does not; nothing deletes them"),
    })
    .describe("our kinds"),
  setup: z
    .strictObject({ resources })
    .describe("the Jobs before installation, upgrade and removal, and the check of helm test"),
});

export type Values = z.infer<typeof valuesSchema>;

type Deep<T> = T extends object ? { [key in keyof T]?: Deep<T[key]> } : T;

/** What the plain YAML has no place for. Everything else is as it is there (substitutions.ts). */
export const OWN_DEFAULTS: Deep<Values> = {
  imagePullSecrets: [],
  priorityClassName: "",
  nodeSelector: {},
  tolerations: [],
  topologyKey: "",
  podDisruptionBudgets: true,
  admit: { replicas: 1 },
  artifacts: { replicas: 1 },
  egress: { replicas: 1, deny: [] },
  marketAnalysis: { enabled: true },
  broker: {
    channel: {},
    kafka: { bootstrapServers: "", partitions: 10, replicationFactor: 3, secretName: "" },
    url: "",
  },
  redis: { bundled: true, url: "", agentsUrl: "", authority: true, storage: { className: "" } },
  store: { bundled: true, storage: { className: "" } },
  litellm: { bundled: true, replicas: 1 },
  browserless: { bundled: true, replicas: 1, url: "" },
  keda: { enabled: "auto" },
  seccomp: { install: true },
  licence: { token: "" },
  quotas: {},
  review: {
    host: "",
    gateway: { namespace: "kourier-system", name: "kourier", port: 80 },
    ingress: { enabled: false, className: "", annotations: {}, tlsSecretName: "" },
    httpRoute: { enabled: false, parentRefs: [] },
  },
  cluster: { lookup: true, ranges: [], apiServer: [] },
  networkPolicies: { enabled: true, stores: [] },
  ciliumEgress: { enabled: false, hosts: [], ports: [80, 443] },
  eventPolicies: { enabled: "auto" },
  secrets: { create: true },
  externalSecrets: {
    enabled: false,
    apiVersion: "external-secrets.io/v1",
    store: { kind: "ClusterSecretStore", name: "" },
    prefix: "agentic/",
    refreshInterval: "1h",
    names: [
      "agentic-signing-keys",
      "agentic-public-keys",
      "agentic-evidence",
      "agentic-egress",
      "agentic-redis",
      "agentic-redis-ca",
      "agentic-store",
      "agentic-browser",
      "agentic-litellm",
      "agentic-model",
    ],
  },
  crds: { apply: true },
  setup: { resources: { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "256Mi" } } },
};
