import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { sampleHosts } from "../../../examples/serve.ts";
import { deploy } from "../../../scripts/deploy/deploy.ts";
import { kubectlAt } from "../../../scripts/deploy/kubectl.ts";
import { type Manifest, productManifests, readManifests, withImages } from "../../../scripts/deploy/manifests.ts";
import { NAMESPACE } from "../../../scripts/deploy/secrets.ts";
import { bin, home, kubeconfig } from "../context.ts";
import { buildTestImages } from "../images/build.ts";
import { merge, type Resource } from "../pods/merge.ts";

/** Whom the images' processes run as. */
const UID = 65_532;
/** A fixed address in the Service network, so that the egress proxy's settings can name it: sites.yaml has it. */
const SITES = "10.91.0.80:80";

/** The product as it is, on images made from this tree, with the sites, the provider and the inbox that its tests need. */
export async function deployToTestCluster(say: (line: string) => void): Promise<void> {
  const tags = await buildTestImages();
  const images = {
    "ghcr.io/agentic-kubernetes/functions": tags.functions,
    "docker.io/library/redis": tags.redis,
    "ghcr.io/browserless/chromium": tags.browser,
    "ghcr.io/berriai/litellm": tags.litellm,
    "agentic/support": tags.support,
  };
  const volume = join(home, "volumes", "redis");
  mkdirSync(volume, { recursive: true });
  chownSync(volume, UID, UID);
  const extra = ["support.yaml", "volume.yaml"].flatMap((file) => readManifests(join(import.meta.dirname, file)));
  const manifests = [...productManifests().map(adapt), ...extra.map((manifest) => atHome(manifest, volume))];
  await deploy({
    kubectl: kubectlAt(bin("kubectl"), kubeconfig),
    manifests: withImages(manifests, images),
    model: { apiKey: "test", apiBase: `http://openai.${NAMESPACE}.svc.cluster.local/v1` },
    say,
  });
}

/** Settings of the tests: sample sites instead of the internet, a model behind LiteLLM, a resync that is worth waiting for. */
function adapt(manifest: Manifest): Manifest {
  if (manifest.kind === "PingSource")
    return merge(manifest as unknown as Resource, { spec: { schedule: "* * * * *" } }) as unknown as Manifest;
  if (manifest.kind !== "ConfigMap" || manifest.metadata.name !== "agentic-settings") return manifest;
  const data = {
    LLM_BASE_URL: `http://litellm.${NAMESPACE}.svc.cluster.local:4000/v1`,
    EGRESS_RESOLVE: sampleHosts()
      .map((host) => `${host}=${SITES}`)
      .join(","),
    LOG_LEVEL: "debug",
  };
  return merge(manifest as unknown as Resource, { data }) as unknown as Manifest;
}

function atHome(manifest: Manifest, path: string): Manifest {
  if (manifest.kind !== "PersistentVolume") return manifest;
  return merge(manifest as unknown as Resource, { spec: { hostPath: { path } } }) as unknown as Manifest;
}
