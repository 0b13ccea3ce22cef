/** A host name's requests go to one address and port, as with curl's --resolve. */
export interface ResolvedHost {
  /** Lower case. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

export const RESOLVED_HOST_FORM = "HOST=ADDRESS:PORT, for example shop.example=127.0.0.1:8080";

/** Reads RESOLVED_HOST_FORM; IPv6 addresses stand in brackets. @returns undefined for anything else */
export function parseResolvedHost(text: string): ResolvedHost | undefined {
  const match = /^([^=\s]+)=(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  const [, host, address, port] = match ?? [];
  if (!host || !address || !port || Number(port) > 65_535) return undefined;
  return { host: host.toLowerCase(), address: address.replace(/^\[|\]$/g, ""), port: Number(port) };
}
