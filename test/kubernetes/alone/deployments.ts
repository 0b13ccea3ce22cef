import { kubectl } from "../cluster.ts";

/** Waits until a Deployment is what it is to be. @throws Error after two minutes */
export async function available(namespace: string, deployment: string): Promise<void> {
  await kubectl(["-n", namespace, "rollout", "status", "deployment", deployment, "--timeout=120s"]);
}
