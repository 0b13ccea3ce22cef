import { apply, kubectl } from "./cluster.ts";

/** Where tests apply workloads, each under a name of its own. */
export const NAMESPACE = "agentic-tests";
/** For what concerns two namespaces. */
export const OTHER = "agentic-tests-too";

const NAMESPACES = [NAMESPACE, OTHER];

/**
 * Vitest's global setup of what runs on a cluster: both namespaces, empty. They are made once for all of it, for Knative rolls out
 * both ApiServerSources anew with every namespace that comes or goes.
 */
export async function setup(): Promise<void> {
  await apply(...NAMESPACES.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })));
  for (const namespace of NAMESPACES)
    for (const kind of ["agentworkloads", "workflows.argoproj.io"])
      await kubectl(["-n", namespace, "delete", kind, "--all", "--timeout=120s"]);
}

export async function teardown(): Promise<void> {
  await kubectl(["delete", "namespace", ...NAMESPACES, "--ignore-not-found", "--wait=false"]);
}
