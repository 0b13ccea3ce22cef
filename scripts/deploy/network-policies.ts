import { parseRange } from "../../egress/address.ts";
import type { ClusterAddresses } from "./cluster-addresses.ts";
import type { Manifest } from "./manifests.ts";

/** Says of a NetworkPolicy of config/ what it opens that only the cluster knows the addresses of. */
const OPENS = "agentic.dev/opens";

interface IpBlock {
  readonly cidr: string;
  readonly except?: readonly string[];
}
interface Rule {
  readonly to?: readonly { readonly ipBlock: IpBlock }[];
  readonly ports?: readonly object[];
}

/** A NetworkPolicy that opens the API server names its addresses; one that opens the internet leaves the cluster's out. */
export function withClusterAddresses(manifest: Manifest, { ranges, apiServer }: ClusterAddresses): Manifest {
  const opens = manifest.kind === "NetworkPolicy" ? manifest.metadata.labels?.[OPENS] : undefined;
  const spec = manifest["spec"] as { readonly egress: readonly Rule[] };
  if (opens === "api-server") {
    const egress = apiServer
      .map(({ addresses, ports }) => ({
        to: addresses.flatMap(cidrs).map((cidr) => ({ ipBlock: { cidr } })),
        ports: ports.map((port) => ({ protocol: "TCP", port })),
      }))
      // A rule without addresses is one for all of them.
      .filter(({ to }) => to.length > 0);
    return egress.length > 0 ? { ...manifest, spec: { ...spec, egress } } : manifest;
  }
  if (opens === "internet") {
    const egress = spec.egress.map(({ to = [], ...rule }) => ({
      ...rule,
      to: to.map(({ ipBlock }) => ({ ipBlock: without(ipBlock, ranges.flatMap(cidrs)) })),
    }));
    return { ...manifest, spec: { ...spec, egress } };
  }
  return manifest;
}

function without({ cidr, except = [] }: IpBlock, ranges: readonly string[]): IpBlock {
  const inside = [...new Set([...except, ...ranges.filter((range) => isWithin(range, cidr))])];
  return inside.length > 0 ? { cidr, except: inside } : { cidr };
}

/** The API server refuses an exception that is not a part of its block. */
function isWithin(range: string, cidr: string): boolean {
  const [inner, outer] = [parseRange(range), parseRange(cidr)];
  if (!inner || !outer || inner[0].kind() !== outer[0].kind()) return false;
  return inner[1] > outer[1] && inner[0].match(outer[0], outer[1]);
}

/** As a range. None for what is neither an address nor a range. */
function cidrs(text: string): string[] {
  const range = parseRange(text);
  return range ? [`${range[0].toString()}/${range[1]}`] : [];
}
