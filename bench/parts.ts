import { podProcesses } from "../test/cluster/machine/cgroups.ts";
import { parts } from "../test/cluster/parts/all.ts";
import { pidOf } from "../test/cluster/processes.ts";
import { kubectl } from "../test/kubernetes/cluster.ts";

/** Processes of the test cluster: of its own parts, and of each Deployment's or Service's pods, by name. */
export async function pidsByPart(): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  const add = (name: string, pids: readonly number[]) => found.set(name, [...(found.get(name) ?? []), ...pids]);
  for (const { name } of parts)
    add(
      name,
      [pidOf(name)].filter((pid) => pid !== undefined),
    );
  const { items } = JSON.parse(await kubectl(["get", "pods", "-A", "-o", "json"])) as {
    items: { metadata: { name: string; uid: string; labels?: Record<string, string> } }[];
  };
  for (const { metadata } of items) {
    const { "serving.knative.dev/service": service, app, "app.kubernetes.io/name": name } = metadata.labels ?? {};
    add(service ?? name ?? app ?? metadata.name, podProcesses(metadata.uid));
  }
  return found;
}
