import { type Dispatcher, interceptors, Pool, ProxyAgent, request as send } from "undici";
import { type EgressAccess, type EgressRequest, proxyAuthorization } from "./egress-access.ts";
import { EGRESS_HEADER, egressRefusal, portOf } from "./egress-refusal.ts";

// A module of its own: undici takes a tenth of a second to load, which only a request needs to wait for.

/** For the proxy to open a tunnel: it looks the name up and connects. */
const TUNNEL_TIMEOUT_MS = 30_000;

export interface EgressConnection {
  /** Answers as soon as the head of the answer is there. @throws what egressRefusal returns, and errors of undici */
  send(url: URL, request: EgressRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData>;
}

/** Sends requests by the egress proxy: in a tunnel for https, as they are for http. Idle connections close after four seconds. */
export function openEgressConnection(access: EgressAccess, checkCertificates: boolean): EgressConnection {
  const dispatcher = new ProxyAgent({
    uri: access.proxy,
    token: proxyAuthorization(access),
    requestTls: { rejectUnauthorized: checkCertificates },
    clientFactory: (origin, options) => new TunnelPool(origin, { ...options, headersTimeout: TUNNEL_TIMEOUT_MS }),
  });
  return {
    send: (url, { method = "GET", headers, body = null, maxRedirects = 0 }, signal) =>
      send(url, {
        method,
        headers: { ...headers },
        body,
        signal,
        dispatcher:
          maxRedirects === 0
            ? dispatcher
            : dispatcher.compose(interceptors.redirect({ maxRedirections: maxRedirects })),
      }),
  };
}

/** Opens a tunnel to the URL's host and port, and closes it. @throws as EgressConnection */
export async function openAndCloseTunnel(access: EgressAccess, url: URL, signal: AbortSignal): Promise<void> {
  const authority = `${url.hostname}:${portOf(url)}`;
  const pool = new TunnelPool(access.proxy, { headersTimeout: TUNNEL_TIMEOUT_MS });
  try {
    const headers = { host: authority, "proxy-authorization": proxyAuthorization(access) };
    const { socket } = await pool.connect({ origin: access.proxy, path: authority, headers, signal });
    socket.destroy();
  } finally {
    await pool.destroy();
  }
}

/** Connections to the proxy itself. undici says of a refused tunnel only its status; this says what the proxy said. */
class TunnelPool extends Pool {
  override async connect(options: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> {
    const answer = await super.connect(options);
    if (answer.statusCode === 200) return answer;
    // The proxy may still be writing the body of its refusal.
    answer.socket.on("error", () => undefined).destroy();
    const header = answer.headers[EGRESS_HEADER];
    const refusal = egressRefusal(answer.statusCode, header, new URL(`https://${options.path}`));
    throw refusal ?? new Error(`the egress proxy answered ${answer.statusCode} to a tunnel`);
  }
}
