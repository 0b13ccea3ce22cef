import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { hostAllowed, portAllowed } from "../lib/allow-list.ts";
import type { EgressReason } from "../lib/edges/egress-refusal.ts";
import { type AddressRange, isPublicAddress } from "./address.ts";

/** Where a connection goes. Decided before the connection is made: no name is resolved a second time. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

export interface Refusal {
  readonly reason: Exclude<EgressReason, "InvalidToken" | "TooManyBytes" | "ProxyUnreadable" | "ProxyRefused">;
  readonly message: string;
}

/** What holds for all jobs. */
export interface Policy {
  /** Names that go to exactly one address and port, private ones included. */
  readonly resolve: ReadonlyMap<string, Target>;
  readonly denied: readonly AddressRange[];
  readonly lookupAll: Lookup;
}

/** All addresses of a name. @throws what node:dns throws */
export type Lookup = (host: string) => Promise<string[]>;

export const systemLookup: Lookup = async (host) => {
  // An absolute name: a cluster's resolver completes others with names of its own, and shop.example could be a Service.
  const name = isIP(host) === 0 ? `${host}.` : host;
  // The first address is used. IPv4 comes first: many clusters route no IPv6 to the outside.
  const found = await lookup(name, { all: true, order: "ipv4first" });
  return found.map(({ address }) => address);
};

/**
 * Decides on one request. A name in `resolve` goes to exactly its address and port, a private one included; it must be on the job's
 * list, too.
 */
export async function decideTarget(
  asked: { host: string; port: number; allow: readonly string[] },
  { resolve, denied, lookupAll }: Policy,
): Promise<Target | Refusal> {
  const host = asked.host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
  if (!hostAllowed(host, asked.allow))
    return { reason: "HostNotAllowed", message: `${host} is not on this job's list of allowed hosts` };
  const fixed = resolve.get(host);
  if (fixed) return fixed;
  if (!portAllowed(host, asked.port, asked.allow))
    return { reason: "PortNotAllowed", message: `port ${asked.port} of ${host} is not on this job's list` };
  // One without a dot is the cluster's, or the local network's.
  if (isIP(host) === 0 && !host.includes("."))
    return { reason: "HostNotFound", message: `${host} is no name of the public internet` };
  let addresses: string[];
  try {
    addresses = await lookupAll(host);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return code === "ENOTFOUND" || code === "ENODATA"
      ? { reason: "HostNotFound", message: `no address is known for ${host}` }
      : { reason: "NameServerUnavailable", message: `${host} could not be resolved (${code || "unknown error"})` };
  }
  const [address] = addresses;
  if (address === undefined) return { reason: "HostNotFound", message: `no address is known for ${host}` };
  // A private address among public ones is an attack: which of them gets connected to would be chance.
  const hidden = addresses.find((candidate) => !isPublicAddress(candidate, denied));
  if (hidden !== undefined)
    return { reason: "AddressNotPublic", message: `${host} resolves to ${hidden}, which is not a public address` };
  return { address, port: asked.port };
}
