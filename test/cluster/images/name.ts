import { basename } from "node:path";
import { folderOf } from "../binaries.ts";

type Upstream = Parameters<typeof folderOf>[0];

/** `dev.local`: Knative asks no registry for the digests of such names. The tag is the hash of what is in it. */
export function imageName(upstream: Upstream, binary: string): string {
  return `dev.local/${upstream}/${binary}:${basename(folderOf(upstream)).slice(-12)}`;
}
