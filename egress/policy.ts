import { lookup } from "node:dns/promises";
import { hostAllowed } from "../lib/allow-list.ts";
import type { EgressReason } from "../lib/edges/egress-refusal.ts";
import { isPublicAddress } from "./address.ts";

/** Where a connection goes. Decided before the connection is made: no name is resolved a second time. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

export interface Refusal {
  readonly reason: Exclude<EgressReason, "InvalidToken">;
  readonly message: string;
}

/** All addresses of a name. @throws what node:dns throws */
export type Lookup = (host: string) => Promise<string[]>;

export const systemLookup: Lookup = async (host) => {
  // The first address is used. IPv4 comes first: many clusters route no IPv6 to the outside.
  const found = await lookup(host, { all: true, order: "ipv4first" });
  return found.map(({ address }) => address);
};

/**
 * Decides on one request. A name in `resolve` goes to exactly its address and port, a private one included; it must be on the job's
 * list, too.
 */
export async function decideTarget(
  asked: { host: string; port: number; allow: readonly string[] },
  resolve: ReadonlyMap<string, Target>,
  lookupAll: Lookup,
): Promise<Target | Refusal> {
  const host = asked.host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
  if (!hostAllowed(host, asked.allow))
    return { reason: "HostNotAllowed", message: `${host} is not on this job's list of allowed hosts` };
  const fixed = resolve.get(host);
  if (fixed) return fixed;
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
  const hidden = addresses.find((candidate) => !isPublicAddress(candidate));
  if (hidden !== undefined)
    return { reason: "AddressNotPublic", message: `${host} resolves to ${hidden}, which is not a public address` };
  return { address, port: asked.port };
}
