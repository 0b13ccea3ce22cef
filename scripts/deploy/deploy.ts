import pRetry from "p-retry";
import { clusterAddresses } from "./cluster-addresses.ts";
import { askRegistry, byDigest } from "./digests.ts";
import type { Kubectl } from "./kubectl.ts";
import type { Manifest } from "./manifests.ts";
import { withClusterAddresses } from "./network-policies.ts";
import { untilReady } from "./ready.ts";
import { ensureSecrets, NAMESPACE } from "./secrets.ts";

export interface DeployOptions {
  readonly kubectl: Kubectl;
  readonly manifests: readonly Manifest[];
  readonly model: { readonly apiKey: string; readonly apiBase: string };
  readonly say: (line: string) => void;
}

/** A first start pulls images. */
const READY_TIMEOUT_MS = 5 * 60_000;

/** Installs the product, or brings what is there up to date, and waits until it is ready. Doing it again changes nothing. */
export async function deploy({ kubectl, manifests: tagged, model, say }: DeployOptions): Promise<void> {
  const manifests = await byDigest(tagged, askRegistry, say);
  const first = manifests.filter(({ kind }) => kind === "Namespace" || kind === "CustomResourceDefinition");
  await apply(kubectl, first);
  const kinds = first
    .filter(({ kind }) => kind === "CustomResourceDefinition")
    .map(({ metadata }) => `crd/${metadata.name}`);
  await kubectl(["wait", "--for=condition=Established", "--timeout=60s", ...kinds]);
  const made = await ensureSecrets(kubectl, model);
  if (made.length > 0) say(`made the Secrets ${made.join(", ")}`);
  const addresses = await clusterAddresses(kubectl);
  const authenticated = await authenticatesPublishers(kubectl);
  if (!authenticated)
    say("anybody in the cluster may publish to the Broker: docs/deploy.md says how Knative asks them who they are");
  const optional = { authenticated, scaled: await hasKeda(kubectl) };
  const rest = manifests
    .filter((manifest) => !first.includes(manifest) && isFor(optional, manifest))
    .map((manifest) => withClusterAddresses(withDenied(manifest, addresses.ranges), addresses));
  await apply(kubectl, rest);
  say(`applied ${first.length + rest.length} objects`);
  await untilReady(kubectl, rest, NAMESPACE, { timeoutMs: READY_TIMEOUT_MS, say });
  say("ready");
}

/** Whether Knative asks publishers who they are. Where it does not, it refuses EventPolicies. */
export async function authenticatesPublishers(kubectl: Kubectl): Promise<boolean> {
  const flag = "jsonpath={.data.authentication-oidc}";
  const what = ["get", "configmap", "config-features", "--ignore-not-found", "-o", flag];
  return (await kubectl(["-n", "knative-eventing", ...what])).toLowerCase() === "enabled";
}

/** Whether the cluster knows the kinds of config/scaling. */
async function hasKeda(kubectl: Kubectl): Promise<boolean> {
  return (await kubectl(["get", "crd", "scaledobjects.keda.sh", "--ignore-not-found", "-o", "name"])) !== "";
}

/** Whether the cluster, as it is set up, takes the object: Knative and KEDA are other people's to install and set. */
export function isFor(
  { authenticated, scaled }: { readonly authenticated: boolean; readonly scaled: boolean },
  { kind, apiVersion }: Pick<Manifest, "kind" | "apiVersion">,
): boolean {
  return (authenticated || kind !== "EventPolicy") && (scaled || !apiVersion.startsWith("keda.sh/"));
}

/** The egress proxy's settings, with the cluster's own addresses. */
function withDenied(manifest: Manifest, ranges: readonly string[]): Manifest {
  const data = manifest["data"] as Record<string, string> | undefined;
  if (manifest.kind !== "ConfigMap" || data?.["EGRESS_DENY"] === undefined) return manifest;
  const denied = [...data["EGRESS_DENY"].split(",").filter(Boolean), ...ranges];
  return { ...manifest, data: { ...data, EGRESS_DENY: [...new Set(denied)].join(",") } };
}

/** Server-side, so that it says of each object what it is to be, and leaves to others what they say. */
export async function apply(kubectl: Kubectl, items: readonly Manifest[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const applied = () => kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], list);
  await pRetry(applied, { retries: 3, minTimeout: 2000, shouldRetry: ({ error }) => WEBHOOK_AWAY.test(error.message) });
}

/** A webhook of Knative's on a busy node: it answers too late, or its pod has just started. */
const WEBHOOK_AWAY = /failed calling webhook|context deadline exceeded/;
