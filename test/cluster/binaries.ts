import { binaries } from "./build/go.ts";
import { upstreams } from "./build/upstreams.ts";

type Name = (typeof upstreams)[number]["name"];

/** The folder of an upstream's binaries in the cache. */
export function folderOf(name: Name): string {
  const upstream = upstreams.find((each) => each.name === name);
  if (upstream === undefined) throw new Error(`no upstream ${name}`);
  return binaries(upstream);
}
