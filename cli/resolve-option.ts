import { InvalidArgumentError } from "commander";
import { parseResolvedHost, RESOLVED_HOST_FORM, type ResolvedHost } from "../lib/resolved-host.ts";

/** `--resolve HOST=ADDRESS:PORT`, gathered over its uses. */
export function gatherResolve(
  value: string,
  previous: ReadonlyMap<string, ResolvedHost>,
): ReadonlyMap<string, ResolvedHost> {
  const resolved = parseResolvedHost(value);
  if (!resolved) throw new InvalidArgumentError(`expected ${RESOLVED_HOST_FORM}`);
  return new Map([...previous, [resolved.host, resolved]]);
}
