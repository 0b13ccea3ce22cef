import { isIPv6 } from "node:net";
import { join } from "node:path";
import { sampleHosts } from "../../../examples/serve.ts";
import { apply, deploy } from "../../../scripts/deploy/deploy.ts";
import { type Images, withImages } from "../../../scripts/deploy/images.ts";
import type { Kubectl } from "../../../scripts/deploy/kubectl.ts";
import { type Manifest, productManifests, readManifests } from "../../../scripts/deploy/manifests.ts";
import { NAMESPACE } from "../../../scripts/deploy/secrets.ts";
import { merge, type Resource } from "../pods/merge.ts";

/** The provider of models that tests bring. */
const MODEL = { apiKey: "test", apiBase: `http://openai.${NAMESPACE}.svc.cluster.local/v1` };

/** The image of what support.yaml runs, as that file names it. */
export const SUPPORT = "agentic/support";

/** The product, and what its tests need around it. */
export const manifestsForTests = (): Manifest[] => [
  ...productManifests(),
  ...["support.yaml", "network-policies.yaml"].flatMap((file) => readManifests(join(import.meta.dirname, file))),
];

/** Deploys `manifests` with the settings of the tests, on any cluster. @throws Error where it is installed for something else */
export async function deployForTests({
  kubectl,
  manifests,
  images,
  say,
}: {
  readonly kubectl: Kubectl;
  readonly manifests: readonly Manifest[];
  readonly images: Images;
  readonly say: (line: string) => void;
}): Promise<void> {
  await refuseOtherProvider(kubectl);
  const sites = await addressOfSites(kubectl, manifests);
  await deploy({
    kubectl,
    manifests: withImages(
      manifests.map((manifest) => adapt(manifest, sites)),
      images,
    ),
    model: MODEL,
    say,
  });
}

/** Secrets that are there stay as they are: with a real provider's, tests would be paid for, and its installation changed. */
async function refuseOtherProvider(kubectl: Kubectl): Promise<void> {
  const what = ["get", "secret", "agentic-model", "--ignore-not-found", "-o", "jsonpath={.data.OPENAI_API_BASE}"];
  const base = Buffer.from(await kubectl(["-n", NAMESPACE, ...what]), "base64").toString();
  if (base !== "" && base !== MODEL.apiBase)
    throw new Error(
      `the product is installed here and asks for its models at ${base}: take another cluster for tests, or remove it (kubectl delete namespace ${NAMESPACE})`,
    );
}

/** ADDRESS:PORT of the sample sites: the cluster gives the Service its address, and the egress proxy's settings name it. */
async function addressOfSites(kubectl: Kubectl, manifests: readonly Manifest[]): Promise<string> {
  const first = manifests.filter(
    ({ apiVersion, kind, metadata }) =>
      kind === "Namespace" || (apiVersion === "v1" && kind === "Service" && metadata.name === "sites"),
  );
  await apply(kubectl, first);
  const address = await kubectl(["-n", NAMESPACE, "get", "service", "sites", "-o", "jsonpath={.spec.clusterIP}"]);
  return `${isIPv6(address) ? `[${address}]` : address}:80`;
}

/** Settings of the tests: sample sites instead of the internet, a model behind LiteLLM, a resync that is worth waiting for. */
function adapt(manifest: Manifest, sites: string): Manifest {
  const changed = changes(manifest, sites);
  return changed ? (merge(manifest as unknown as Resource, changed) as unknown as Manifest) : manifest;
}

function changes({ kind, metadata }: Manifest, sites: string): Resource | undefined {
  if (kind === "PingSource") return { spec: { schedule: "* * * * *" } };
  if (kind === "Deployment" && metadata.name === "redis") {
    const env = [{ name: "BOTH_HOLD_SECONDS", value: "45" }];
    return { spec: { template: { spec: { containers: [{ name: "secrets", env }] } } } };
  }
  if (kind !== "ConfigMap") return undefined;
  const both = {
    LLM_BASE_URL: `http://litellm.${NAMESPACE}.svc.cluster.local:4000/v1`,
    LOG_LEVEL: "debug",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://jaeger.agentic-observability.svc.cluster.local:4318",
    // Jaeger takes no logs.
    OTEL_LOGS_EXPORTER: "none",
  };
  if (metadata.name === "agentic-agent") return { data: both };
  const hosts = sampleHosts().map((host) => `${host}=${sites}`);
  return metadata.name === "agentic-settings" ? { data: { ...both, EGRESS_RESOLVE: hosts.join(",") } } : undefined;
}
