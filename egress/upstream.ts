import { isIPv6 } from "node:net";
import type { OpenProxies } from "../lib/sealed-access.ts";
import type { EgressClaims } from "../lib/token.ts";
import { decideTarget, type Policy } from "./policy.ts";

/** The proxy by which a host is reached, or why it is not. */
export type Upstream =
  | { readonly url: string }
  | { readonly reason: "ProxyUnreadable" | "ProxyRefused"; readonly message: string };

/**
 * Of a token, the proxy by which exactly this host is reached, which a namespace names for it; undefined: none. Its address is judged as a
 * target's, and is the one that is connected to: a name of this installation's own is no way in. Messages do not name it.
 */
export async function upstreamOf(
  { jti, via }: EgressClaims,
  host: string,
  { openProxies, ...policy }: Policy & { readonly openProxies: OpenProxies },
): Promise<Upstream | undefined> {
  if (via === undefined) return undefined;
  const proxies = await openProxies(via, jti);
  if (!proxies) return { reason: "ProxyUnreadable", message: "the token's proxies cannot be decrypted" };
  const name = host.toLowerCase().replace(/\.$/, "");
  const url = Object.hasOwn(proxies, name) ? URL.parse(proxies[name] ?? "") : undefined;
  if (url === undefined) return undefined;
  if (!url) return { reason: "ProxyRefused", message: `what ${name} is to be reached by is no address` };
  const port = Number(url.port || 80);
  const target = await decideTarget({ host: url.hostname, port, allow: [`${url.hostname}:${port}`] }, policy);
  if ("reason" in target)
    return { reason: "ProxyRefused", message: `the proxy that ${name} is to be reached by: ${target.reason}` };
  url.hostname = isIPv6(target.address) ? `[${target.address}]` : target.address;
  url.port = String(target.port);
  return { url: url.href };
}
