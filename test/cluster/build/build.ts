import { buildImages } from "../images/cluster-images.ts";
import { fail } from "../say.ts";
import { buildEnvoy } from "./envoy.ts";
import { goBuild } from "./go.ts";
import { type Upstream, upstreams } from "./upstreams.ts";

/** Builds what is not cached: everything, or one upstream. One at a time: each uses all cores. */
export async function build(only?: string): Promise<void> {
  const all: Upstream[] = upstreams;
  const chosen = all.filter(({ name }) => only === undefined || name === only);
  const names = [...all.map(({ name }) => name), "envoy"];
  if (only !== undefined && !names.includes(only))
    fail(`nothing to build is named ${only}; there are ${names.join(", ")}`);
  for (const upstream of chosen) await goBuild(upstream);
  if (only === undefined || only === "envoy") await buildEnvoy();
  if (only === undefined) await buildImages();
}
