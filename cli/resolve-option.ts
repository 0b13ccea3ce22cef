import { InvalidArgumentError } from "commander";

export interface ResolvedHost {
  readonly address: string;
  readonly port: number;
}

/** `--resolve HOST=ADDRESS:PORT`, gathered over its uses. IPv6 addresses stand in brackets. */
export function gatherResolve(
  value: string,
  previous: ReadonlyMap<string, ResolvedHost>,
): ReadonlyMap<string, ResolvedHost> {
  const match = /^([^=\s]+)=(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(value);
  const [, host, address, port] = match ?? [];
  if (!host || !address || !port || Number(port) > 65_535)
    throw new InvalidArgumentError("expected HOST=ADDRESS:PORT, for example shop.example=127.0.0.1:8080");
  return new Map([...previous, [host.toLowerCase(), { address: address.replace(/^\[|\]$/g, ""), port: Number(port) }]]);
}
