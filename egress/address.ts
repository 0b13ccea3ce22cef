import ipaddr from "ipaddr.js";

/** A range of addresses: the first, and how many of its bits count. */
export type AddressRange = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Azure's agent of each virtual machine has an address that looks public. Those of other clouds are link-local or private. */
const CLOUD_AGENTS: readonly AddressRange[] = [ipaddr.parseCIDR("168.63.129.16/32")];
/** What of IPv6 is routed on the internet (RFC 4291, 2.4). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");

/** `10.96.0.0/12`, or one address. @returns undefined for what is neither */
export function parseRange(text: string): AddressRange | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.isValid(text)) return undefined;
  const address = ipaddr.parse(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

/**
 * Whether an address belongs to the public internet: neither private, loopback, link-local (cloud metadata lives there),
 * shared (CGNAT), multicast, unspecified, reserved, nor IPv6 that carries an IPv4 address (mapped, NAT64, 6to4, Teredo); nor in
 * `denied`, the cluster's own. Any notation that ipaddr.js reads; what is no address is not public.
 */
export function isPublicAddress(address: string, denied: readonly AddressRange[] = []): boolean {
  const text = address.replace(/^\[|\]$/g, "");
  if (!ipaddr.isValid(text)) return false;
  // process() turns a v4-mapped address into the IPv4 address that a connection would go to.
  const parsed = ipaddr.process(text);
  if (parsed.range() !== "unicast" || isIn(parsed, [...CLOUD_AGENTS, ...denied])) return false;
  return parsed.kind() === "ipv4" || parsed.match(GLOBAL_UNICAST);
}

function isIn(address: ipaddr.IPv4 | ipaddr.IPv6, ranges: readonly AddressRange[]): boolean {
  return ranges.some(([first, bits]) => first.kind() === address.kind() && address.match(first, bits));
}
