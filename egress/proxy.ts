import { isIPv6 } from "node:net";
import { RequestError, Server } from "proxy-chain";
import type { Logger } from "../lib/log.ts";
import type { StepClaims, VerifyStepToken } from "../lib/token.ts";
import { decideTarget, type Lookup, systemLookup, type Target } from "./policy.ts";
import { createUsageLedger, type JobUsage } from "./usage.ts";

// proxy-chain answers 407 and 403 only to errors whose class has this name; a bundle has given it another.
Object.defineProperty(RequestError, "name", { value: "RequestError" });

/** Response header that names why a request was refused. */
const REASON_HEADER = "agentic-egress";
/** proxy-chain's own status for a name that does not resolve; no server sends it. */
const DNS_FAILED = 593;

export interface EgressProxyOptions {
  readonly verifyToken: VerifyStepToken;
  /** Names that go to one fixed address and port, as with curl's --resolve. Lower case. */
  readonly resolve: ReadonlyMap<string, Target>;
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
  /** What a job did so far; its name is its step's identity. */
  usage(job: string): JobUsage;
  close(): Promise<void>;
}

/**
 * A forward proxy that holds each job to its allow-list. A job's user name is its step's identity, its password the step
 * token. Refusals are 403 (593 when the name does not resolve) with the reason in the header `agentic-egress`.
 */
export async function startEgressProxy(options: EgressProxyOptions): Promise<EgressProxy> {
  const { log } = options;
  const ledger = createUsageLedger();
  const verify = cachedVerifier(options.verifyToken);
  /** A connection's bytes belong to the job that last used it; browsers do not share one between contexts. */
  const connections = new Map<number, { job: string; counted: number }>();

  const settle = (id: number, stats: { srcRxBytes: number; srcTxBytes: number } | undefined) => {
    const connection = connections.get(id);
    if (!connection || !stats) return;
    const total = stats.srcRxBytes + stats.srcTxBytes;
    ledger.bytes(connection.job, total - connection.counted);
    connection.counted = total;
  };

  const server = new Server({
    host: options.host,
    port: options.port,
    authRealm: "agentic-egress",
    async prepareRequestFunction({ request, connectionId, username, password, hostname, port, isHttp }) {
      if (!username) return { requestAuthentication: true, failMsg: "the step's identity and token are asked for" };
      const refuse = (reason: string, message: string, status = 403) => {
        ledger.refuse(username, hostname, reason);
        log.info({ job: username, host: hostname, port, reason }, `refused: ${message}`);
        options.onRefused?.({ job: username, host: hostname, reason });
        return new RequestError(message, status, { [REASON_HEADER]: reason });
      };
      const claims = await verify(password).catch(() => undefined);
      if (claims?.jti !== username)
        throw new RequestError("the step token is not valid or not this job's", 403, {
          [REASON_HEADER]: "InvalidToken",
        });
      settle(connectionId, server.getConnectionStats(connectionId));
      connections.set(connectionId, { job: username, counted: connections.get(connectionId)?.counted ?? 0 });
      ledger.request(username);

      const decision = await decideTarget(
        { host: hostname, port, allow: claims.allow },
        options.resolve,
        options.lookup ?? systemLookup,
      );
      if ("reason" in decision) {
        const dns = decision.reason === "HostNotFound" || decision.reason === "NameServerUnavailable";
        throw refuse(decision.reason, decision.message, dns ? DNS_FAILED : 403);
      }
      log.debug({ job: username, host: hostname, port, address: decision.address }, "request");
      // proxy-chain connects to what request.url names: with the address in it nothing is resolved again.
      // The Host header stays as the browser sent it.
      request.url = pinned(request.url ?? "", decision, isHttp);
      return {};
    },
  });
  server.on("connectionClosed", ({ connectionId, stats }) => {
    settle(connectionId, stats);
    connections.delete(connectionId);
  });
  server.on("requestFailed", ({ error }) => log.warn({ err: error }, "a proxied request failed"));
  await server.listen();

  return {
    url: `http://${isIPv6(options.host) ? `[${options.host}]` : options.host}:${server.port}`,
    port: server.port,
    usage(job) {
      for (const id of connections.keys()) settle(id, server.getConnectionStats(id));
      return ledger.of(job);
    },
    close: () => server.close(true),
  };
}

function pinned(url: string, { address, port }: Target, isHttp: boolean): string {
  const authority = `${isIPv6(address) ? `[${address}]` : address}:${port}`;
  if (!isHttp) return authority;
  const { pathname, search } = new URL(url);
  return `http://${authority}${pathname}${search}`;
}

/** A page makes hundreds of requests with one token: its signature is checked once a minute. */
function cachedVerifier(verifyToken: VerifyStepToken): VerifyStepToken {
  const KEEP_MS = 60_000;
  const known = new Map<string, { until: number; claims: Promise<StepClaims> }>();
  return (token) => {
    const now = Date.now();
    const hit = known.get(token);
    if (hit && hit.until > now) return hit.claims;
    for (const [old, { until }] of known) if (until <= now) known.delete(old);
    const claims = verifyToken(token);
    known.set(token, { until: now + KEEP_MS, claims });
    claims.catch(() => known.delete(token));
    return claims;
  };
}
