import ipaddr from "ipaddr.js";

/**
 * Whether an address belongs to the public internet: neither private, loopback, link-local (cloud metadata lives there),
 * shared (CGNAT), multicast, unspecified, reserved, nor IPv6 that carries an IPv4 address (mapped, NAT64, 6to4, Teredo).
 * Any notation that ipaddr.js reads; what is no address is not public.
 */
export function isPublicAddress(address: string): boolean {
  const text = address.replace(/^\[|\]$/g, "");
  if (!ipaddr.isValid(text)) return false;
  // process() turns a v4-mapped address into the IPv4 address that a connection would go to.
  return ipaddr.process(text).range() === "unicast";
}
