import type { WorkloadRef } from "./result.ts";

/** The workload whose bytes an artifact is. */
export type ArtifactOwner = Pick<WorkloadRef, "namespace" | "uid">;

/** Two path segments that are no dot files: nothing outside the store, and nothing of another workload, can be named. */
const SCOPE_FORM = /^[a-z0-9][a-z0-9.-]*\/[A-Za-z0-9][\w.-]*$/;
const FILE_FORM = /^([0-9a-f]{64})\.[a-z]+$/;

/**
 * `<namespace>/<uid>`: what the keys of all artifacts of a workload begin with. The namespace comes first, so that a tenant's login to
 * the object store reaches what begins with its own (lib/edges/tenant-login/versitygw.ts). Undefined: these name no workload.
 */
export function artifactScope({ namespace, uid }: ArtifactOwner): string | undefined {
  const scope = `${namespace}/${uid}`;
  return SCOPE_FORM.test(scope) ? scope : undefined;
}

/** `<namespace>/<uid>/<sha256>.<extension>` */
export function artifactKey({ namespace, uid }: ArtifactOwner, digest: string, extension: string): string {
  return `${namespace}/${uid}/${digest}.${extension}`;
}

/** Agents name keys; nobody reads another workload's artifact because of it. */
export function isArtifactOf(owner: ArtifactOwner, key: string): boolean {
  const scope = artifactScope(owner);
  return scope !== undefined && key.startsWith(`${scope}/`) && FILE_FORM.test(key.slice(scope.length + 1));
}

/** The SHA-256 in an artifact's key; undefined where the text is no key. */
export function digestIn(key: string): string | undefined {
  const at = key.lastIndexOf("/");
  return SCOPE_FORM.test(key.slice(0, Math.max(at, 0))) ? FILE_FORM.exec(key.slice(at + 1))?.[1] : undefined;
}
