import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import type { Kube, KubeObject } from "../../lib/edges/kube.ts";
import type { Logger } from "../../lib/log.ts";

/** By Deployment: the login that it is guarded with, as reconcile hands it on. */
export type ServerLogins = Readonly<Record<string, unknown>>;

/** Annotation: hash of the login that its clients have. */
export const LOGIN = "agentic.dev/login";

/**
 * Servers of others read the login that they ask for when they start, and never again. So each is started anew when its clients have
 * another one than before: then, and no earlier, for until then nobody could log in. One of somebody's own is not there.
 * @throws what the edge throws
 */
export async function restartServers(
  logins: ServerLogins,
  { kube, log }: { readonly kube: Pick<Kube, "deployments">; readonly log: Logger },
): Promise<void> {
  for (const [name, login] of Object.entries(logins)) {
    const ref = { namespace: SHARED_NAMESPACE, name };
    const server = await kube.deployments.get(ref);
    const change = server && planRestart(server, login);
    // Written by another instance meanwhile: it had the same in mind.
    if (!change || (await kube.deployments.merge(ref, change)) !== "written") continue;
    if ("spec" in change) log.info({ server: name }, "its login is another: it is started anew");
  }
}

/** Of a server whose login nobody noted yet it is noted, and the server goes on: it was started with it. */
export function planRestart({ metadata }: KubeObject, login: unknown): object | undefined {
  const hash = sha256(canonicalJson(login)).slice(0, 12);
  const before = metadata.annotations[LOGIN];
  if (before === hash) return undefined;
  const annotations = { [LOGIN]: hash };
  const noted = { metadata: { annotations, resourceVersion: metadata.resourceVersion } };
  return before === undefined ? noted : { ...noted, spec: { template: { metadata: { annotations } } } };
}
