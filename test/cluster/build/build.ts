import { buildImages } from "../images/cluster-images.ts";
import { fail } from "../say.ts";
import { goBuild } from "./go.ts";
import { type Upstream, upstreams } from "./upstreams.ts";
import { buildWheel, wheels } from "./wheels.ts";

/** Builds what is not cached: everything, or one upstream. One at a time: each uses all cores. */
export async function build(only?: string): Promise<void> {
  const all: Upstream[] = upstreams;
  const chosen = all.filter(({ name }) => only === undefined || name === only);
  const names = [...all.map(({ name }) => name), ...wheels];
  if (only !== undefined && !names.includes(only))
    fail(`nothing to build is named ${only}; there are ${names.join(", ")}`);
  for (const upstream of chosen) await goBuild(upstream);
  for (const wheel of wheels) if (only === undefined || only === wheel) await buildWheel(wheel);
  if (only === undefined) await buildImages();
}
