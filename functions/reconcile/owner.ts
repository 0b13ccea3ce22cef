import { z } from "zod";
import type { KubeObject } from "../../lib/edges/kube.ts";

/** One of the same name that somebody else made is never changed. */
export function isOwnedBy(object: KubeObject, { metadata }: KubeObject): boolean {
  const owners = z.array(z.looseObject({ uid: z.string() })).safeParse(object.metadata["ownerReferences"]).data ?? [];
  return owners.some(({ uid }) => uid === metadata.uid);
}
