import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { allSecretNames, SECRET_NAMES } from "../../functions/setup/secrets.ts";
import { quotaIn } from "../../lib/quota/limits.ts";
import { type Manifest, productManifests, readManifests } from "../../scripts/deploy/manifests.ts";
import { BUILD_MS, built } from "../cluster/built.ts";
import { CHART, helm, idOf, render } from "../helm.ts";

beforeAll(async () => {
  await built("helm");
  await built("optional-kinds");
}, BUILD_MS);

const EVERYTHING = ["keda.enabled=true", "eventPolicies.enabled=true"];

const find = (manifests: readonly Manifest[], id: string): Manifest | undefined =>
  manifests.find(({ kind, metadata }) => `${kind}/${metadata.name}` === id);
/** The one that is there. @throws Error where none is */
function the(manifests: readonly Manifest[], id: string): Manifest {
  const found = find(manifests, id);
  if (!found) throw new Error(`no ${id} in ${manifests.map(idOf).join(", ")}`);
  return found;
}
const podOf = (manifest: Manifest) =>
  (
    manifest["spec"] as {
      template: { metadata: { annotations?: Record<string, string> }; spec: Record<string, unknown> };
    }
  ).template;

describe("the chart and the plain YAML", () => {
  /** Without what Helm alone needs. */
  const plainly = (manifest: Manifest): Manifest => {
    const copy = structuredClone(manifest) as Manifest & { metadata: { annotations?: Record<string, string> } };
    const { annotations } = copy.metadata;
    delete annotations?.["helm.sh/resource-policy"];
    delete annotations?.["checksum/settings"];
    if (annotations && Object.keys(annotations).length === 0) delete copy.metadata.annotations;
    const pod = (copy["spec"] as { template?: { metadata?: { annotations?: Record<string, string> } } } | undefined)
      ?.template;
    delete pod?.metadata?.annotations?.["checksum/settings"];
    if (pod?.metadata?.annotations && Object.keys(pod.metadata.annotations).length === 0)
      delete pod.metadata.annotations;
    return copy;
  };

  test("are the same, object by object", async () => {
    const plain = productManifests().filter(
      ({ kind, metadata }) =>
        kind !== "CustomResourceDefinition" && !(kind === "Namespace" && metadata.name === "agentic-system"),
    );
    const rendered = await render(EVERYTHING);
    expect(rendered.map(idOf).toSorted()).toEqual(plain.map(idOf).toSorted());
    const of = new Map(rendered.map((manifest) => [idOf(manifest), manifest]));
    for (const manifest of plain) expect(plainly(of.get(idOf(manifest)) as Manifest), idOf(manifest)).toEqual(manifest);
  });

  test("have the same kinds", () => {
    const crds = (folder: string) =>
      Object.fromEntries(
        readdirSync(folder)
          .filter((file) => file.endsWith(".yaml"))
          .map((file) => [file, readFileSync(join(folder, file), "utf8")]),
      );
    expect(crds(join(CHART, "crds"))).toEqual(crds(join(import.meta.dirname, "../../crd")));
  });

  test("Helm's own lint has nothing to say", async () => {
    await helm(["lint", "--strict", CHART, "-n", "agentic-system"]);
  });
});

describe("values", () => {
  const refused = async (...set: string[]): Promise<string> =>
    render(set).then(
      () => "",
      (error: Error) => error.message,
    );

  test("that are wrong are told with their paths, all at once", async () => {
    const said = await refused(
      "redis.bundeld=false",
      'admit.replicas="many"',
      'image.digest="sha256:short"',
      'quotas={"team-a":{"maxRuning":1}}',
    );
    for (const path of ["redis", "bundeld", "/admit/replicas", "/image/digest", "/quotas/team-a", "maxRuning"])
      expect(said).toContain(path);
  });

  test("that do not fit together are told, all at once", async () => {
    const said = await refused(
      'broker={"class":"Kafka","channel":{"kind":"NatsJetStreamChannel"}}',
      "redis.bundled=false",
      "store.bundled=false",
      "browserless.bundled=false",
      "litellm.bundled=false",
      'litellm.url="http://litellm.agentic-system.svc.cluster.local:4000/v1"',
      "review.ingress.enabled=true",
      "review.httpRoute.enabled=true",
      "ciliumEgress.enabled=true",
      "externalSecrets.enabled=true",
    );
    for (const path of [
      "broker.kafka.bootstrapServers:",
      "broker.channel: a Broker of the class Kafka",
      "broker.channel: a channel's template",
      "redis.url",
      "store.endpoint",
      "browserless.url",
      "litellm.url",
      "review.host",
      "review.httpRoute.parentRefs",
      "ciliumEgress.hosts",
      "externalSecrets.store.name",
    ])
      expect(said).toContain(path);
  });

  test("another namespace is refused: what is installed knows itself by its own", async () => {
    await expect(helm(["template", "agentic", CHART, "-n", "team-a"])).rejects.toThrow(
      "add --namespace agentic-system",
    );
  });

  test("an image by its digest, from a registry with a login", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const rendered = await render(
      [
        `image.digest="${digest}"`,
        'image.repository="registry.example.com/agentic"',
        'imagePullSecrets=[{"name":"pull"}]',
      ],
      { hooks: true },
    );
    const pods = rendered.filter(
      ({ kind, apiVersion }) =>
        ["Deployment", "DaemonSet", "Job"].includes(kind) || apiVersion === "serving.knative.dev/v1",
    );
    expect(pods).toHaveLength(13);
    for (const one of pods) expect(podOf(one).spec["imagePullSecrets"], idOf(one)).toEqual([{ name: "pull" }]);
    const images = JSON.stringify(rendered).match(/"image":"[^"]*agentic[^"]*"/g) ?? [];
    expect(new Set(images)).toEqual(new Set([`"image":"registry.example.com/agentic@${digest}"`]));
    // Of control functions, egress, artifacts, admit, seccomp, agents, Jobs.
    expect(images).toHaveLength(12);
  });

  test("a Redis, an S3, a LiteLLM and browsers of one's own leave nothing of the bundled ones", async () => {
    const rendered = await render([
      ...EVERYTHING,
      "redis.bundled=false",
      'redis.url="rediss://me:$(REDIS_PASSWORD)@redis.example.com:6379"',
      'redis.agentsUrl="rediss://agents:$(REDIS_AGENTS_PASSWORD)@redis.example.com:6379"',
      "redis.authority=false",
      'redis.secretName="my-redis"',
      "store.bundled=false",
      'store.endpoint="https://s3.example.com"',
      'store.adminEndpoint=""',
      'store.artifactsUrl="s3://my-bucket"',
      'store.secretName="my-s3"',
      "litellm.bundled=false",
      'litellm.url="https://models.example.com/v1"',
      "browserless.bundled=false",
      'browserless.url="wss://browsers.example.com/chromium?token=$(BROWSER_TOKEN)"',
      'networkPolicies.stores=[{"cidr":"192.0.2.7","port":6379}]',
    ]);
    const left = rendered.filter(({ metadata }) =>
      /^(redis|store|litellm|browserless|agentic-redis-tls|litellm-to-internet)$/.test(metadata.name),
    );
    expect(left.map(idOf)).toEqual([]);
    const container = (
      podOf(the(rendered, "Service/reconcile")).spec["containers"] as { env: { name: string; value?: string }[] }[]
    )[0];
    const env = new Map(container?.env.map((one) => [one.name, one.value]));
    expect(env.get("REDIS_URL")).toBe("rediss://me:$(REDIS_PASSWORD)@redis.example.com:6379");
    expect(env.get("AGENT_REDIS_URL")).toBe("rediss://agents:$(REDIS_AGENTS_PASSWORD)@redis.example.com:6379");
    expect(env.get("AGENT_BROWSER_URL")).toBe("wss://browsers.example.com/chromium?token=$(BROWSER_TOKEN)");
    expect([env.has("REDIS_CA"), env.has("AGENT_REDIS_CA")]).toEqual([false, false]);
    for (const name of ["agentic-settings", "agentic-agent"])
      expect(the(rendered, `ConfigMap/${name}`)["data"]).toMatchObject({
        S3_ENDPOINT: "https://s3.example.com",
        ARTIFACTS_URL: "s3://my-bucket",
        LLM_BASE_URL: "https://models.example.com/v1",
      });
    expect(JSON.stringify(rendered)).not.toMatch(/"name":"agentic-(redis|store)"/);
    expect(the(rendered, "NetworkPolicy/functions-to-stores")["spec"]).toMatchObject({
      egress: [{ to: [{ ipBlock: { cidr: "192.0.2.7/32" } }], ports: [{ protocol: "TCP", port: 6379 }] }],
    });
  });

  const brokerOf = (rendered: readonly Manifest[]) => ({
    broker: the(rendered, "Broker/default"),
    settings: the(rendered, "ConfigMap/agentic-settings")["data"],
    walls: ["sources-to-broker", "reconcile"].map((name) =>
      JSON.stringify(the(rendered, `NetworkPolicy/${name}`)["spec"]),
    ),
  });
  const CONFIG = { apiVersion: "v1", kind: "ConfigMap", name: "agentic-broker", namespace: "agentic-system" };

  test("a Broker on Kafka has its topic's settings, and events are sent to its receiver", async () => {
    const kafka = { bootstrapServers: "kafka-1:9092,kafka-2:9092", partitions: 20, secretName: "kafka-login" };
    const rendered = await render([...EVERYTHING, `broker=${JSON.stringify({ class: "Kafka", kafka })}`]);
    const { broker, settings, walls } = brokerOf(rendered);
    expect(broker).toMatchObject({
      metadata: { annotations: { "eventing.knative.dev/broker.class": "Kafka" } },
      spec: { config: CONFIG, delivery: { retry: 10, deadLetterSink: { ref: { name: "reconcile" } } } },
    });
    expect(the(rendered, "ConfigMap/agentic-broker")["data"]).toEqual({
      "bootstrap.servers": "kafka-1:9092,kafka-2:9092",
      "default.topic.partitions": "20",
      "default.topic.replication.factor": "3",
      "auth.secret.ref.name": "kafka-login",
    });
    expect(settings).toMatchObject({
      BROKER_URL: "http://kafka-broker-ingress.knative-eventing.svc.cluster.local/agentic-system/default",
    });
    for (const wall of walls) {
      expect(wall).toContain('{"app":"kafka-broker-receiver"}');
      expect(wall).not.toContain("brokerRole");
    }
  });

  test("a Broker on JetStream has a channel of its own, and takes events where Knative's does", async () => {
    const channel = {
      apiVersion: "messaging.knative.dev/v1alpha1",
      kind: "NatsJetStreamChannel",
      spec: { stream: { config: { replicas: 3, maxAge: "24h" } }, consumerConfigTemplate: { ackWait: "11m" } },
    };
    const rendered = await render([...EVERYTHING, `broker.channel=${JSON.stringify(channel)}`]);
    const { broker, settings, walls } = brokerOf(rendered);
    expect(broker).toMatchObject({
      metadata: { annotations: { "eventing.knative.dev/broker.class": "MTChannelBasedBroker" } },
      spec: { config: CONFIG },
    });
    const { data } = the(rendered, "ConfigMap/agentic-broker") as unknown as { data: Record<string, string> };
    expect(parse(data["channel-template-spec"] ?? "")).toEqual(channel);
    expect(settings).toMatchObject({ BROKER_URL: expect.stringContaining("//broker-ingress.") });
    for (const wall of walls) expect(wall).toContain('{"eventing.knative.dev/brokerRole":"ingress"}');
    const elsewhere = await render(['broker.url="https://broker.example.com/agentic-system/default"']);
    expect(brokerOf(elsewhere).settings).toMatchObject({
      BROKER_URL: "https://broker.example.com/agentic-system/default",
    });
  });

  test("functions and agents have bounds", async () => {
    const rendered = await render([
      "reconcile.maxScale=6",
      'marketAnalysis.scrape={"minScale":2,"maxScale":20,"concurrency":32}',
    ]);
    expect(podOf(the(rendered, "Service/reconcile")).metadata.annotations).toMatchObject({
      "autoscaling.knative.dev/min-scale": "0",
      "autoscaling.knative.dev/max-scale": "6",
    });
    expect(the(rendered, "Agent/scrape")["spec"]).toMatchObject({ concurrency: 32, scale: { min: 2, max: 20 } });
    expect(the(rendered, "Agent/report")["spec"]).toMatchObject({ concurrency: 4, scale: { min: 0, max: 4 } });
  });

  test("several replicas are spread, and go one at a time", async () => {
    const rendered = await render([
      "admit.replicas=2",
      "egress.replicas=3",
      'topologyKey="kubernetes.io/hostname"',
      'priorityClassName="high"',
    ]);
    expect(rendered.filter(({ kind }) => kind === "PodDisruptionBudget").map(({ metadata }) => metadata.name)).toEqual([
      "admit",
      "egress",
    ]);
    const egress = the(rendered, "Deployment/egress");
    expect(egress["spec"]).toMatchObject({ replicas: 3 });
    expect(podOf(egress).spec).toMatchObject({
      priorityClassName: "high",
      topologySpreadConstraints: [
        {
          topologyKey: "kubernetes.io/hostname",
          labelSelector: { matchLabels: { "app.kubernetes.io/name": "egress" } },
        },
      ],
    });
    // Knative refuses both, unless its flags allow them.
    expect(Object.keys(podOf(the(rendered, "Service/approve")).spec)).not.toContain("priorityClassName");
    // Where KEDA scales, nobody else does.
    expect(the(await render(["browserless.replicas=3"]), "Deployment/browserless")["spec"]).toMatchObject({
      replicas: 3,
    });
    expect(
      the(await render(["browserless.replicas=3", "keda.enabled=true"]), "Deployment/browserless")["spec"],
    ).not.toHaveProperty("replicas");
  });

  test("addresses of the cluster close what the plain YAML must leave open", async () => {
    const rendered = await render([
      'cluster.ranges=["203.0.113.0/24","2001:db8::/32","fd00::/8"]',
      'cluster.apiServer=[{"addresses":["203.0.113.5"],"ports":[6443]}]',
      'egress.deny=["198.51.100.1"]',
    ]);
    const internet = JSON.stringify(the(rendered, "NetworkPolicy/egress-to-internet")["spec"]);
    for (const range of ["203.0.113.0/24", "203.0.113.5/32", "192.168.0.0/16"]) expect(internet).toContain(range);
    // Where it is a part of the block, and nowhere else: the API server would refuse the policy.
    expect(internet).toContain('{"cidr":"2000::/3","except":["2001:db8::/32"]}');
    expect(the(rendered, "NetworkPolicy/control")["spec"]).toMatchObject({
      egress: [{ to: [{ ipBlock: { cidr: "203.0.113.5/32" } }], ports: [{ protocol: "TCP", port: 6443 }] }],
    });
    expect(the(rendered, "ConfigMap/agentic-settings")["data"]).toMatchObject({
      EGRESS_DENY: "198.51.100.1,2001:db8::/32,203.0.113.0/24,203.0.113.5,fd00::/8",
    });
  });

  test("changed settings start new pods, and reach agents", async () => {
    const sums = async (...set: string[]) => {
      const rendered = await render(set);
      return [
        ...["Deployment/egress", "Service/reconcile"].map((id) => podOf(the(rendered, id)).metadata),
        the(rendered, "Agent/scrape").metadata as { annotations?: Record<string, string> },
      ].map(({ annotations }) => annotations?.["checksum/settings"]);
    };
    const [before, after] = [await sums(), await sums('settings.LOG_LEVEL="debug"')];
    expect(new Set(before).size).toBe(1);
    expect(after).not.toEqual(before);
  });

  test("without NetworkPolicies there are none, without the pipeline no agents", async () => {
    const kinds = new Set(
      (await render(["networkPolicies.enabled=false", "marketAnalysis.enabled=false"])).map(({ kind }) => kind),
    );
    expect([...kinds].filter((kind) => ["NetworkPolicy", "Agent", "AgentPipeline"].includes(kind))).toEqual([]);
  });

  test("quotas and a licence are objects that reconcile reads", async () => {
    const rendered = await render([
      'quotas={"_default":{"maxRunning":20},"team-a":{"maxUsdPerMonth":"50"}}',
      'licence.token="a.b.c"',
    ]);
    const { data } = the(rendered, "ConfigMap/agentic-quotas") as unknown as { data: Record<string, string> };
    expect(await quotaIn(data, "team-a")).toEqual({ maxRunning: 20, maxPerMonth: 50_000_000 });
    expect(the(rendered, "Secret/agentic-licence")["stringData"]).toEqual({ licence: "a.b.c" });
  });

  test("the review page has a public name: a domain of Knative's, and a way to its gateway", async () => {
    const rendered = await render([
      'review.host="review.example.com"',
      'review.url="https://review.example.com"',
      "review.ingress.enabled=true",
      'review.ingress.tlsSecretName="review-tls"',
      "review.httpRoute.enabled=true",
      'review.httpRoute.parentRefs=[{"name":"public"}]',
    ]);
    expect(the(rendered, "DomainMapping/review.example.com")["spec"]).toMatchObject({ ref: { name: "approve" } });
    expect(the(rendered, "Ingress/agentic-review")).toMatchObject({
      metadata: { namespace: "kourier-system" },
      spec: { rules: [{ host: "review.example.com" }] },
    });
    expect(the(rendered, "HTTPRoute/agentic-review")["spec"]).toMatchObject({
      hostnames: ["review.example.com"],
      parentRefs: [{ name: "public" }],
    });
    expect(the(rendered, "ConfigMap/agentic-settings")["data"]).toMatchObject({
      REVIEW_URL: "https://review.example.com",
    });
  });

  test("ExternalSecrets stand for every Secret that the Job would make, and the Job makes none", async () => {
    const rendered = await render(["externalSecrets.enabled=true", 'externalSecrets.store.name="vault"'], {
      hooks: true,
    });
    const external = rendered.filter(({ kind }) => kind === "ExternalSecret");
    expect(external.map(({ metadata }) => metadata.name).toSorted()).toEqual(allSecretNames(SECRET_NAMES).toSorted());
    expect(external[0]?.["spec"]).toMatchObject({ secretStoreRef: { kind: "ClusterSecretStore", name: "vault" } });
    // Of the entries that the others come from, wherever these are named otherwise; or an entry of its own.
    const set = ["externalSecrets.enabled=true", 'externalSecrets.store.name="vault"', 'store.secretName="s3"'];
    const agent = async (...more: string[]) =>
      the(await render([...set, ...more]), "ExternalSecret/agentic-agent")["spec"];
    expect(await agent()).toMatchObject({
      target: { template: { data: { AWS_ACCESS_KEY_ID: "{{ .accessKey }}" } } },
      dataFrom: ["s3", "agentic-browser", "agentic-litellm", "agentic-public-keys"].map((name) => ({
        extract: { key: `agentic/${name}` },
      })),
    });
    expect(await agent('externalSecrets.names=["agentic-agent"]')).toMatchObject({
      target: { name: "agentic-agent" },
      dataFrom: [{ extract: { key: "agentic/agentic-agent" } }],
    });
    expect(JSON.stringify(podOf(the(rendered, "Job/setup")).spec)).toContain(
      '{"name":"SETUP_SECRETS","value":"false"}',
    );
    expect(find(rendered, "Role/agentic-setup")).toBeUndefined();
  });

  test("the Job that makes Secrets may read them and make others, and change none", async () => {
    const rendered = await render([], { hooks: true });
    const { rules } = the(rendered, "Role/agentic-setup") as unknown as {
      rules: { verbs: string[]; resources: string[]; resourceNames?: string[] }[];
    };
    expect(rules.map(({ verbs }) => verbs)).toEqual([["create"], ["get"]]);
    expect(rules[1]?.resourceNames?.toSorted()).toEqual(allSecretNames(SECRET_NAMES).toSorted());
    // Helm takes away what it had: no right outlives the upgrade.
    for (const one of rendered.filter(({ metadata }) => /setup|remove/.test(metadata.name)))
      expect(
        (one.metadata as unknown as { annotations: Record<string, string> }).annotations["helm.sh/hook-delete-policy"],
        idOf(one),
      ).toBe("before-hook-creation,hook-succeeded");
  });

  test("a Cilium policy by names takes the place of the way to the internet", async () => {
    const rendered = await render([
      "ciliumEgress.enabled=true",
      'ciliumEgress.hosts=["shop.example.com","*.example.org"]',
    ]);
    expect(find(rendered, "NetworkPolicy/egress-to-internet")).toBeUndefined();
    expect(the(rendered, "CiliumNetworkPolicy/egress-to-hosts")["spec"]).toMatchObject({
      egress: [{}, { toFQDNs: [{ matchName: "shop.example.com" }, { matchPattern: "*.example.org" }] }],
    });
  });

  test.each([
    ["CiliumNetworkPolicy", "cilium/ciliumnetworkpolicies.yaml", "toFQDNs"],
    ["ExternalSecret", "external-secrets/external-secrets.io_externalsecrets.yaml", "refreshInterval"],
    ["HTTPRoute", "gateway/gateway.networking.k8s.io_httproutes.yaml", "backendRefs"],
  ])("%s fits its upstream's own schema", async (kind, file, field) => {
    const rendered = await render([
      "ciliumEgress.enabled=true",
      'ciliumEgress.hosts=["shop.example.com","*.example.org"]',
      "externalSecrets.enabled=true",
      'externalSecrets.store.name="vault"',
      'review.host="review.example.com"',
      "review.httpRoute.enabled=true",
      'review.httpRoute.parentRefs=[{"name":"public","namespace":"gateways"}]',
    ]);
    const objects = rendered.filter((one) => one.kind === kind);
    expect(objects).not.toEqual([]);
    const validate = await schemaIn(file, objects[0]?.apiVersion.split("/")[1] ?? "");
    for (const one of objects) expect(validate(one), JSON.stringify(validate.errors)).toBe(true);
    expect(validate(JSON.parse(JSON.stringify(objects[0]).replace(field, "misspelt")))).toBe(false);
  });
});

interface Crd {
  readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: object } }[];
}

/** Of a CRD's version; a field that it does not know is an error, as `kubectl apply` says it. */
async function schemaIn(file: string, version: string): Promise<ValidateFunction> {
  const crds = readManifests(join(await built("optional-kinds"), "manifests", file));
  const spec = crds.find(({ kind }) => kind === "CustomResourceDefinition")?.["spec"] as Crd | undefined;
  const found = spec?.versions.find(({ name }) => name === version);
  const schema = closed(found?.schema.openAPIV3Schema) as { properties: Record<string, object> };
  // The API server's own.
  schema.properties["metadata"] = {};
  // Go's \PC is JavaScript's \P{C}.
  const regExp = Object.assign((source: string, flags: string) => new RegExp(source.replace("\\PC", "\\P{C}"), flags), {
    code: "",
  });
  return new Ajv({ strict: false, logger: false, code: { regExp } }).compile(schema);
}

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner: Record<string, unknown> = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value)]),
  );
  const isOpen = inner["type"] !== "object" || !inner["properties"] || inner["additionalProperties"] !== undefined;
  return isOpen || inner["x-kubernetes-preserve-unknown-fields"] ? inner : { ...inner, additionalProperties: false };
}
