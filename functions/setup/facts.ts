import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import type { FactsClient } from "../../lib/edges/kube-facts.ts";
import { type ClusterFacts, LOOKED_FOR } from "./preflight.ts";

/** Those of ours that say whether they are ready, as `kubectl describe` names them. */
const OWN = [
  { group: "serving.knative.dev", version: "v1", plural: "services" },
  { group: "eventing.knative.dev", version: "v1", plural: "brokers" },
  { group: "eventing.knative.dev", version: "v1", plural: "triggers" },
  { group: "sources.knative.dev", version: "v1", plural: "apiserversources" },
  { group: "agentic.dev", version: "v1alpha1", plural: "agents" },
];

/** @throws what the edge throws */
export async function readFacts(cluster: FactsClient): Promise<ClusterFacts> {
  const [version, kinds, deployments, authentication, ingressClass, hasDefaultStorage, ...own] = await Promise.all([
    cluster.version(),
    cluster.known(LOOKED_FOR),
    cluster.deployments(),
    cluster.setting("knative-eventing", "config-features", "authentication-oidc"),
    cluster.setting("knative-serving", "config-network", "ingress-class"),
    cluster.hasDefaultStorage(),
    ...OWN.map(async (kind) =>
      (await cluster.conditions(kind)).map((one) => ({ ...one, name: `${kind.plural}.${kind.group}/${one.name}` })),
    ),
  ]);
  const ours = [
    // Sources and functions have Deployments that come and go with what made them.
    ...deployments
      .filter(({ namespace, name }) => namespace === SHARED_NAMESPACE && PARTS.includes(name))
      .map(({ name, ready }) => ({ name: `deployment/${name}`, ready, why: "its pods are not ready" })),
    ...own.flat(),
  ];
  const notReady = ours.filter(({ ready }) => !ready).map(({ name, why }) => ({ name, why }));
  return {
    version,
    kinds,
    deployments,
    authentication,
    ingressClass,
    hasDefaultStorage,
    notReady: deployments.some(({ namespace, name }) => namespace === SHARED_NAMESPACE && name === "admit")
      ? notReady
      : undefined,
  };
}

const PARTS = ["admit", "artifacts", "browserless", "egress", "litellm", "redis", "store"];
