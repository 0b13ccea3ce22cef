import { stringify } from "yaml";
import type { Artifact } from "./checksums.ts";

const HOME = "https://github.com/agentic-kubernetes/agentic-kubernetes";

/** The manifest of the plugin: `kubectl krew install --manifest=agentic.yaml --archive=ARCHIVE`. */
export function krewManifest(version: string, { name, sha256 }: Artifact): string {
  return stringify({
    apiVersion: "krew.googlecontainertools.github.com/v1alpha2",
    kind: "Plugin",
    metadata: { name: "agentic" },
    spec: {
      version: `v${version}`,
      homepage: HOME,
      shortDescription: "Watch, review and decide runs of durable agents",
      caveats: "It needs Node.js 24 on the PATH.",
      platforms: [
        {
          selector: { matchExpressions: [{ key: "os", operator: "In", values: ["linux", "darwin"] }] },
          uri: `${HOME}/releases/download/v${version}/${name}`,
          sha256,
          bin: "kubectl-agentic",
        },
      ],
    },
  });
}
