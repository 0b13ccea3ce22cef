import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { config, kubectl } from "./cluster.ts";

/** Service accounts that stand for people, with the ClusterRoles that an administrator bound to them there. To be applied. */
export function people(namespace: string, rolesOf: Readonly<Record<string, readonly string[]>>): object[] {
  return Object.entries(rolesOf).flatMap(([name, roles]) => [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace, name } },
    ...roles.map((role) => ({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { namespace, name: `${name}-${role}` },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ kind: "ServiceAccount", namespace, name }],
    })),
  ]);
}

/** Who holds a service account's token, may do what it may. @returns the path of its kubeconfig */
export async function writeKubeconfig(
  folder: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<string> {
  const token = (await kubectl(["-n", namespace, "create", "token", name])).trim();
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error("the kubeconfig has no cluster");
  const own = new KubeConfig();
  own.loadFromClusterAndUser(cluster, { name, token });
  const file = join(folder, name);
  await writeFile(file, own.exportConfig(), { mode: 0o600 });
  return file;
}

/** What the API server says against it; empty: nothing. */
export function objection(kubeconfig: string, args: readonly string[], object?: object): Promise<string> {
  const input = object === undefined ? undefined : JSON.stringify(object);
  return kubectl([...args, "--kubeconfig", kubeconfig], input).then(
    () => "",
    (error: unknown) => String(error),
  );
}
