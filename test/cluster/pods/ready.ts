import { kubectl } from "../kubectl.ts";

type Deployment = {
  metadata: { name: string; namespace: string; generation?: number };
  spec: { replicas?: number };
  status?: { readyReplicas?: number; updatedReplicas?: number; observedGeneration?: number };
};

/** The Deployments in these namespaces that lack pods which are ready. */
export async function notReady(namespaces: string[]): Promise<string[]> {
  const { items } = JSON.parse(await kubectl(["get", "deployments", "-A", "-o", "json"])) as { items: Deployment[] };
  return items
    .filter(({ metadata }) => namespaces.includes(metadata.namespace))
    .filter(({ metadata, spec, status }) => {
      const wanted = spec.replicas ?? 1;
      const seen = status?.observedGeneration === metadata.generation;
      return !seen || (status?.readyReplicas ?? 0) < wanted || (status?.updatedReplicas ?? 0) < wanted;
    })
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

/** Why a Deployment's pods may not be ready: what they say, or why there are none. */
export async function logOfDeployment(name: string): Promise<string> {
  const [namespace = "", deployment = ""] = name.split("/");
  const of = ["-n", namespace];
  const logs = await kubectl([...of, "logs", `deployment/${deployment}`, "--tail=30"]).catch(() => "");
  const events = await kubectl([...of, "get", "events", "--sort-by=.lastTimestamp"]).catch(() => "");
  return `${logs}\n${events.trimEnd().split("\n").slice(-10).join("\n")}`;
}
