import { expect, test } from "vitest";
import { type ClusterFacts, canRun, LOOKED_FOR, preflight } from "../../functions/setup/preflight.ts";

const deployment = (namespace: string, name: string, env: string[] = []) => ({
  namespace,
  name,
  ready: true,
  version: undefined,
  env,
});
const WHOLE: ClusterFacts = {
  version: "v1.34.4",
  kinds: new Set(LOOKED_FOR),
  deployments: [
    deployment("argo", "workflow-controller", ["INFORMER_WRITE_BACK"]),
    ...["controller", "webhook", "activator", "autoscaler"].map((name) => deployment("knative-serving", name)),
    deployment("knative-serving", "net-kourier-controller"),
    deployment("kourier-system", "3scale-kourier-gateway"),
    ...["eventing-controller", "eventing-webhook", "imc-controller", "imc-dispatcher"].map((name) =>
      deployment("knative-eventing", name),
    ),
    ...["mt-broker-controller", "mt-broker-ingress", "mt-broker-filter"].map((name) =>
      deployment("knative-eventing", name),
    ),
  ],
  authentication: "enabled",
  ingressClass: "kourier.ingress.networking.knative.dev",
  hasDefaultStorage: true,
  notReady: [],
};

test("nothing is said of a cluster that has everything", () => {
  expect(preflight(WHOLE).filter(({ state }) => state !== "ok")).toEqual([]);
});

test.each([
  ["Kafka", ["kafka-controller", "kafka-broker-receiver"], []],
  ["NATS JetStream", ["jetstream-ch-controller"], ["mt-broker-controller", "mt-broker-ingress", "mt-broker-filter"]],
])("a Broker on %s needs no channel in memory, and all of its parts", (_, own, shared) => {
  const inMemory = WHOLE.deployments.map(({ name }) => name).filter((name) => /^(imc|mt-broker)-/.test(name));
  const others = lacking(inMemory.filter((name) => !shared.includes(name)));
  const facts = { ...WHOLE, kinds: unknown("messaging.knative.dev") };
  const missing = (deployments: ClusterFacts["deployments"]) =>
    preflight({ ...facts, deployments }).flatMap(({ what, state }) => (state === "ok" ? [] : [what]));
  const parts = own.map((name) => deployment("knative-eventing", name));
  expect(missing([...others, ...parts])).toEqual([]);
  expect(missing([...others, ...parts.slice(1)])).toEqual(["Kinds of messaging.knative.dev", "Broker"]);
});

const lacking = (names: readonly string[]) => WHOLE.deployments.filter(({ name }) => !names.includes(name));
const unknown = (prefix: string) => new Set(LOOKED_FOR.filter((kind) => !kind.startsWith(prefix)));

test.each<[string, Partial<ClusterFacts>, string, RegExp]>([
  ["an old API server", { version: "v1.30.9" }, "Kubernetes", /1\.31/],
  ["no Argo", { kinds: unknown("argoproj.io") }, "Kinds of argoproj.io", /argo-workflows.*install\.yaml/],
  ["no controller of Argo's", { deployments: lacking(["workflow-controller"]) }, "Argo Workflows", /install\.yaml/],
  [
    "no Knative Serving",
    { kinds: unknown("serving.knative.dev") },
    "Kinds of serving.knative.dev",
    /serving-core\.yaml/,
  ],
  ["no Eventing", { kinds: unknown("eventing.knative.dev") }, "Kinds of eventing.knative.dev", /eventing-core\.yaml/],
  [
    "no channel",
    { kinds: unknown("messaging.knative.dev") },
    "Kinds of messaging.knative.dev",
    /in-memory-channel\.yaml/,
  ],
  ["no Broker", { deployments: lacking(["mt-broker-ingress"]) }, "Broker", /mt-channel-broker\.yaml/],
  ["no Kourier", { deployments: lacking(["3scale-kourier-gateway"]) }, "Kourier", /kourier\.yaml/],
  [
    "a Deployment that is down",
    { deployments: WHOLE.deployments.map((one) => (one.name === "imc-dispatcher" ? { ...one, ready: false } : one)) },
    "Broker",
    /-n knative-eventing describe deployment imc-dispatcher/,
  ],
  ["no kinds of ours", { kinds: unknown("agentic.dev") }, "Kinds of agentic.dev", /helm upgrade --install/],
  ["no product", { notReady: undefined }, "agentic-system", /helm upgrade --install/],
  [
    "an Agent that is not ready",
    { notReady: [{ name: "agents.agentic.dev/scrape", why: "ImagePull" }] },
    "agentic-system",
    /describe agents\.agentic\.dev\/scrape/,
  ],
])("%s is missing, with what brings it", (_, change, what, remedy) => {
  const findings = preflight({ ...WHOLE, ...change });
  const missing = findings.filter(({ state }) => state === "missing");
  expect(missing.map((one) => one.what)).toEqual([what]);
  expect(missing[0]?.remedy).toMatch(remedy);
  expect(canRun(findings)).toBe(false);
});

test.each<[string, Partial<ClusterFacts>, string]>([
  ["anybody may publish", { authentication: undefined }, "Who publishes to the Broker"],
  ["no KEDA", { kinds: unknown("keda.sh") }, "KEDA"],
  ["Argo in its own time", { deployments: WHOLE.deployments.map((one) => ({ ...one, env: [] })) }, "Argo's pace"],
  ["no default StorageClass", { hasDefaultStorage: false }, "Volumes"],
  ["another gateway", { ingressClass: undefined }, "Knative's ingress class"],
])("%s is advice, and it runs", (_, change, what) => {
  const findings = preflight({ ...WHOLE, ...change });
  expect(findings.filter(({ state }) => state !== "ok").map((one) => [one.what, one.state])).toEqual([
    [what, "advice"],
  ]);
  expect(canRun(findings)).toBe(true);
});
