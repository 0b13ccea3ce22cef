import type { Config } from "../lib/config.ts";
import { publicKeys } from "../lib/keys.ts";
import type { Logger } from "../lib/log.ts";
import { parseResolvedHost, RESOLVED_HOST_FORM, type ResolvedHost } from "../lib/resolved-host.ts";
import { createProxyOpener } from "../lib/sealed-access.ts";
import type { Telemetry } from "../lib/telemetry/telemetry.ts";
import { createEgressTokenVerifier } from "../lib/token.ts";
import { type AddressRange, parseRange } from "./address.ts";
import { startEgressProxy } from "./proxy.ts";

/** Runs the egress proxy until SIGTERM or SIGINT. */
export async function runEgress(config: Config, log: Logger, telemetry: Telemetry): Promise<void> {
  const proxy = await startEgressProxy({
    verifyToken: createEgressTokenVerifier(publicKeys("STEP_TOKEN_PUBLIC_KEY", config.STEP_TOKEN_PUBLIC_KEY)),
    openProxies: createProxyOpener(config.EGRESS_ACCESS_KEY),
    resolve: readResolve(config.EGRESS_RESOLVE),
    denied: readDenied(config.EGRESS_DENY),
    host: config.HOST,
    port: config.PORT,
    log,
  });
  log.info({ port: proxy.port }, "listening");
  await new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  await proxy.close();
  await telemetry.shutdown();
}

const entriesOf = (setting: string): string[] =>
  setting
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");

function readDenied(setting: string): AddressRange[] {
  return entriesOf(setting).map((entry) => {
    const range = parseRange(entry);
    if (!range)
      throw new Error(`EGRESS_DENY: ${JSON.stringify(entry)} is neither an address nor a range such as 10.96.0.0/12`);
    return range;
  });
}

function readResolve(setting: string): ReadonlyMap<string, ResolvedHost> {
  return new Map(
    entriesOf(setting).map((entry) => {
      const resolved = parseResolvedHost(entry);
      if (!resolved) throw new Error(`EGRESS_RESOLVE: ${JSON.stringify(entry)} is not ${RESOLVED_HOST_FORM}`);
      return [resolved.host, resolved];
    }),
  );
}
