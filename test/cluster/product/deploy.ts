import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { FUNCTIONS } from "../../../scripts/deploy/images.ts";
import { kubectlAt } from "../../../scripts/deploy/kubectl.ts";
import { type Manifest, readManifests } from "../../../scripts/deploy/manifests.ts";
import { bin, home, kubeconfig } from "../context.ts";
import { buildTestImages } from "../images/build.ts";
import { kubeletFolder } from "../parts/kubelet.ts";
import { merge, type Resource } from "../pods/merge.ts";
import { deployForTests, manifestsForTests, SUPPORT } from "./for-tests.ts";

/** The user that the images' processes run as. */
const UID = 65_532;

/** The product for its tests, on images made from this tree: those that config/ names cannot be pulled everywhere. */
export async function deployToTestCluster(say: (line: string) => void): Promise<void> {
  const tags = await buildTestImages();
  await deployForTests({
    kubectl: kubectlAt(bin("kubectl"), kubeconfig),
    manifests: [...manifestsForTests().map(atKubelet), ...volumes()],
    images: {
      [FUNCTIONS]: tags.functions,
      [SUPPORT]: tags.support,
      "docker.io/library/redis": tags.redis,
      "ghcr.io/versity/versitygw": tags.store,
      "docker.io/jaegertracing/all-in-one": tags.jaeger,
      "ghcr.io/browserless/chromium": tags.browser,
      "ghcr.io/berriai/litellm": tags.litellm,
    },
    say,
  });
}

/** Where this machine's kubelet takes seccomp profiles from. */
export const profilesFolder = join(kubeletFolder, "seccomp/agentic");

/** As config/ mounts them. */
const SUB_PATHS: Readonly<Record<string, readonly string[]>> = { store: ["buckets", "accounts"] };
/** The DaemonSet that brings seccomp profiles, with the folder of this machine's kubelet. */
function atKubelet(manifest: Manifest): Manifest {
  if (manifest.kind !== "DaemonSet" || manifest.metadata.name !== "seccomp") return manifest;
  const volumes = [{ name: "kubelet", hostPath: { path: profilesFolder } }];
  const patch = { spec: { template: { spec: { volumes } } } };
  return merge(manifest as unknown as Resource, patch) as unknown as Manifest;
}

/** The volumes that a provisioner would make: a folder each, named as the claim. */
export function volumes(): Manifest[] {
  return readManifests(join(import.meta.dirname, "volumes.yaml")).map((manifest) => {
    const { claimRef } = manifest["spec"] as { claimRef: { name: string } };
    const path = join(home, "volumes", claimRef.name);
    // A volume's plugin would give subPath's folders to the pod's fsGroup; of a host's path they are root's.
    for (const folder of [path, ...(SUB_PATHS[claimRef.name] ?? []).map((name) => join(path, name))]) {
      mkdirSync(folder, { recursive: true });
      chownSync(folder, UID, UID);
    }
    return merge(manifest as unknown as Resource, { spec: { hostPath: { path } } }) as unknown as Manifest;
  });
}
