import { join } from "node:path";
import { folderOf } from "./binaries.ts";
import { run } from "./run.ts";

// What scripts and tests need of the cluster.

/** The folder of everything that the running cluster writes. */
export const home = process.env["AGENTIC_CLUSTER_HOME"] ?? "/var/lib/agentic-cluster";

/** The administrator's. */
export const kubeconfig = join(home, "kubeconfig");

export const containerdSocket = join(home, "containerd", "containerd.sock");

/** The node's address: what listens on this machine is reached there from pods. */
export const nodeIP = "10.90.0.1";

/**
 * Addresses of the node that no rule takes for the cluster's: where a pod that reaches the internet gets to, and one that reaches a cloud's
 * metadata. The API server and the kubelet listen on all addresses.
 */
export const internetIP = "203.0.113.1";
export const linkLocalIP = "169.254.90.1";

/** The path of a cached client. */
export function bin(name: "kubectl" | "func"): string {
  return join(folderOf(name === "kubectl" ? "kubernetes" : name), name);
}

/** Gives the cluster the images of an OCI archive. Names that start with `dev.local/` are never looked for elsewhere. */
export async function importImage(archive: string): Promise<void> {
  await ctr("images", "import", archive);
}

export async function imageNames(): Promise<string[]> {
  return (await ctr("images", "ls", "-q")).split("\n").filter(Boolean);
}

function ctr(...args: string[]): Promise<string> {
  return run("ctr", ["--address", containerdSocket, "-n", "k8s.io", ...args]);
}
