import { isIPv6 } from "node:net";
import { LRUCache } from "lru-cache";
import { RequestError, Server } from "proxy-chain";
import type { EgressUsage } from "../engine/result.ts";
import { EGRESS_HEADER, type EgressReason } from "../lib/edges/egress-refusal.ts";
import { USAGE_HOST } from "../lib/edges/egress-usage.ts";
import type { Logger } from "../lib/log.ts";
import { createProxyOpener, type OpenProxies } from "../lib/sealed-access.ts";
import { ATTRIBUTE } from "../lib/telemetry/attributes.ts";
import { AUDIT } from "../lib/telemetry/audit.ts";
import { METRIC } from "../lib/telemetry/metrics.ts";
import type { EgressClaims, VerifyEgressToken } from "../lib/token.ts";
import type { AddressRange } from "./address.ts";
import { decideTarget, type Lookup, systemLookup, type Target } from "./policy.ts";
import { createSummaries } from "./summaries.ts";
import { upstreamOf } from "./upstream.ts";
import { createUsageLedger } from "./usage.ts";

// proxy-chain answers 407 and 403 only to errors whose class has this name; a bundler renames the class.
Object.defineProperty(RequestError, "name", { value: "RequestError" });

/** proxy-chain's own status for a name that does not resolve; no server sends it. */
const DNS_FAILED = 593;
/** A page makes hundreds of requests with one token: its signature is verified once a minute. */
const VERIFIED_MS = 60_000;
const MAX_VERIFIED = 10_000;
/** Of one job, both directions: a page of five with all it loads takes a tenth. */
const MAX_JOB_BYTES = 512 * 1024 * 1024;
/** How often open connections are held to it. */
const BYTES_CHECKED_MS = 1000;

export interface EgressProxyOptions {
  readonly verifyToken: VerifyEgressToken;
  /** Decrypts by which proxies a token's hosts are reached. Absent: it cannot, and such hosts are not reached. */
  readonly openProxies?: OpenProxies;
  /** Names that go to one fixed address and port, private ones included, as with curl's --resolve. Lower case. */
  readonly resolve: ReadonlyMap<string, Target>;
  /** Addresses that look public, and are the cluster's own. */
  readonly denied?: readonly AddressRange[];
  readonly maxJobBytes?: number;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log: Logger;
  readonly lookup?: Lookup;
  readonly onRefused?: (refused: { job: string; host: string; reason: string }) => void;
}

export interface EgressProxy {
  readonly url: string;
  readonly port: number;
  /** What a job did so far. A job is named by its step's identity. */
  usage(job: string): EgressUsage;
  close(): Promise<void>;
}

interface Connection {
  readonly job: string;
  /** Where its last request went; undefined where that was refused. */
  host?: string;
  /** Bytes that are in the ledger. */
  counted: number;
  readonly end: NodeJS.Timeout;
}

/**
 * A forward proxy that holds each job to the allow-list of its egress token. The user name is the step's identity, the password the
 * token. Refusals have status 403 (593 when the name does not resolve) and their reason in the header EGRESS_HEADER.
 */
export async function startEgressProxy(options: EgressProxyOptions): Promise<EgressProxy> {
  const { log, denied = [], maxJobBytes = MAX_JOB_BYTES, openProxies = createProxyOpener(undefined) } = options;
  const ledger = createUsageLedger();
  const verify = cachedVerifier(options.verifyToken);
  const policy = { resolve: options.resolve, denied, lookupAll: options.lookup ?? systemLookup };
  /** The bytes of a connection count for the job that last used it; a browser shares none between contexts. */
  const connections = new Map<number, Connection>();
  const summaries = createSummaries((job) =>
    log.info({ identity: job, ...ledger.of(job) }, "what a step did on the network"),
  );

  const settle = (id: number, stats: { srcRxBytes: number; srcTxBytes: number } | undefined) => {
    const connection = connections.get(id);
    if (!connection || !stats) return;
    const total = stats.srcRxBytes + stats.srcTxBytes;
    ledger.bytes(connection.job, connection.host, total - connection.counted);
    connection.counted = total;
  };

  const usageOf = (job: string): EgressUsage => {
    for (const id of connections.keys()) settle(id, server.getConnectionStats(id));
    return ledger.of(job);
  };

  const server = new Server({
    host: options.host,
    port: options.port,
    authRealm: "agentic-egress",
    async prepareRequestFunction({ request, connectionId, username, password, hostname, port, isHttp }) {
      if (!username) return { requestAuthentication: true, failMsg: "give the step's identity and its egress token" };
      const refuse = (reason: EgressReason, message: string, status = 403) => {
        const isFirst = ledger.refuse(username, hostname, reason);
        METRIC.egressRefusals.record(1, { reason });
        // A page asks for the same thing again and again.
        if (isFirst)
          AUDIT.egressRefused.record(log, {
            [ATTRIBUTE.identity]: username,
            "server.address": hostname,
            "server.port": port,
            [ATTRIBUTE.reason]: reason,
            "agentic.message": message,
          });
        options.onRefused?.({ job: username, host: hostname, reason });
        return new RequestError(message, status, { [EGRESS_HEADER]: reason });
      };
      const claims = await verify(password).catch(() => undefined);
      // Not counted: whoever sends this has not shown that the job is its own.
      if (claims?.jti !== username || claims.exp * 1000 <= Date.now())
        throw new RequestError("the egress token is not valid, or another job's", 403, {
          [EGRESS_HEADER]: "InvalidToken" satisfies EgressReason,
        });
      if (isHttp && hostname === USAGE_HOST) return { customResponseFunction: () => usageAnswer(usageOf(username)) };
      settle(connectionId, server.getConnectionStats(connectionId));
      const known = connections.get(connectionId);
      clearTimeout(known?.end);
      // A tunnel is asked for once, and ends with its token.
      const end = setTimeout(() => server.closeConnection(connectionId), claims.exp * 1000 - Date.now()).unref();
      const connection: Connection = { job: username, counted: known?.counted ?? 0, end };
      connections.set(connectionId, connection);
      summaries.delay(username);
      if (ledger.bytesOf(username) >= maxJobBytes)
        throw refuse("TooManyBytes", `the job has had ${maxJobBytes} bytes, as many as one may have`);

      const decision = await decideTarget({ host: hostname, port, allow: claims.allow }, policy);
      if ("reason" in decision) {
        const dns = decision.reason === "HostNotFound" || decision.reason === "NameServerUnavailable";
        throw refuse(decision.reason, decision.message, dns ? DNS_FAILED : 403);
      }
      const upstream = await upstreamOf(claims, hostname, { ...policy, openProxies });
      if (upstream && "reason" in upstream) throw refuse(upstream.reason, upstream.message);
      connection.host = hostname;
      ledger.request(username, hostname);
      log.debug({ identity: username, host: hostname, port, address: decision.address }, "request");
      // The name goes with the request: that proxy looks it up by itself.
      if (upstream) return { upstreamProxyUrl: upstream.url };
      // proxy-chain connects to what request.url names: with the address in it, it resolves no name again.
      // The Host header stays as the client sent it.
      request.url = pinned(request.url ?? "", decision, isHttp);
      return {};
    },
  });
  server.on("connectionClosed", ({ connectionId, stats }) => {
    settle(connectionId, stats);
    const { job, end } = connections.get(connectionId) ?? {};
    clearTimeout(end);
    connections.delete(connectionId);
    if (job !== undefined && ![...connections.values()].some((other) => other.job === job)) summaries.begin(job);
  });
  server.on("requestFailed", ({ error }) => log.info({ err: error }, "a proxied request failed"));
  await server.listen();
  const checking = setInterval(() => {
    for (const [id, { job }] of connections) {
      settle(id, server.getConnectionStats(id));
      if (ledger.bytesOf(job) >= maxJobBytes) server.closeConnection(id);
    }
  }, BYTES_CHECKED_MS).unref();

  return {
    url: `http://${isIPv6(options.host) ? `[${options.host}]` : options.host}:${server.port}`,
    port: server.port,
    usage: usageOf,
    async close() {
      clearInterval(checking);
      await server.close(true);
      summaries.end();
    },
  };
}

function usageAnswer(usage: EgressUsage) {
  return { statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(usage) };
}

function pinned(url: string, { address, port }: Target, isHttp: boolean): string {
  const authority = `${isIPv6(address) ? `[${address}]` : address}:${port}`;
  if (!isHttp) return authority;
  const { pathname, search } = new URL(url);
  return `http://${authority}${pathname}${search}`;
}

function cachedVerifier(verifyToken: VerifyEgressToken): VerifyEgressToken {
  const verified = new LRUCache<string, Promise<EgressClaims>>({ max: MAX_VERIFIED, ttl: VERIFIED_MS });
  return (token) => {
    const known = verified.get(token);
    if (known) return known;
    const claims = verifyToken(token);
    verified.set(token, claims);
    claims.catch(() => verified.delete(token));
    return claims;
  };
}
