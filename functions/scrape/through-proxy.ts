import type { IncomingMessage } from "node:http";
import http from "node:http";
import type { Socket } from "node:net";
import tls from "node:tls";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import { proxyRefusal } from "./failures.ts";

export interface ProxyAccess {
  /** The proxy's URL, e.g. http://127.0.0.1:3128 */
  readonly server: string;
  readonly username: string;
  readonly password: string;
}

export interface PlainResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** At most `maxBytes`; the rest is not read. */
  readonly body: string;
}

/**
 * One GET through the egress proxy, without a browser and without following redirects.
 * @throws TerminalError EgressRefused, HostNotFound; RetryableError ConnectionRefused, EgressUnavailable; the signal's reason
 */
export async function getThroughProxy(
  proxy: ProxyAccess,
  url: URL,
  options: { readonly userAgent: string; readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<PlainResponse> {
  const { signal, userAgent } = options;
  const headers = { host: url.host, "user-agent": userAgent, accept: "text/plain,*/*;q=0.5", connection: "close" };
  let request: http.ClientRequest;
  if (url.protocol === "https:") {
    const tunnel = await openTunnel(proxy, url, signal);
    // Certificates are judged by the browser, which knows what its users trust; nothing is sent here that is secret.
    const secure = tls.connect({ socket: tunnel, servername: url.hostname, rejectUnauthorized: false });
    request = http.request({ createConnection: () => secure, path: url.pathname + url.search, headers, signal });
  } else {
    request = http.request({
      ...addressOf(proxy),
      path: url.href,
      headers: { ...headers, "proxy-authorization": authorization(proxy) },
      agent: false,
      signal,
    });
  }
  const response = await responseOf(request, url, signal, url.protocol === "http:");
  const refusal = proxyRefusal(response.statusCode ?? 0, response.headers["agentic-egress"], url);
  if (refusal) {
    response.destroy();
    throw refusal;
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: await read(response, options.maxBytes) };
}

/**
 * Opens a tunnel to the URL's host and port: what the browser does for https, with an answer that says why it fails.
 * @throws as getThroughProxy
 */
export async function openTunnel(proxy: ProxyAccess, url: URL, signal: AbortSignal): Promise<Socket> {
  const authority = `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`;
  const request = http.request({
    ...addressOf(proxy),
    method: "CONNECT",
    path: authority,
    headers: { host: authority, "proxy-authorization": authorization(proxy) },
    agent: false,
    signal,
  });
  const connected = Promise.withResolvers<Socket>();
  request.once("connect", (response, socket) => {
    if (response.statusCode === 200) return connected.resolve(socket);
    socket.destroy();
    const refusal = proxyRefusal(response.statusCode ?? 0, response.headers["agentic-egress"], url);
    connected.reject(
      refusal ??
        new RetryableError("EgressUnavailable", `the egress proxy answered ${response.statusCode} to a tunnel`),
    );
  });
  request.once("error", (cause) =>
    connected.reject(signal.aborted ? signal.reason : connectionError(cause, url, false)),
  );
  request.end();
  return await connected.promise;
}

function addressOf(proxy: ProxyAccess): { hostname: string; port: string } {
  const { hostname, port } = new URL(proxy.server);
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: port || "80" };
}

function authorization({ username, password }: ProxyAccess): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

async function responseOf(
  request: http.ClientRequest,
  url: URL,
  signal: AbortSignal,
  toProxy: boolean,
): Promise<IncomingMessage> {
  const answered = Promise.withResolvers<IncomingMessage>();
  request.once("response", answered.resolve);
  request.once("error", (cause) =>
    answered.reject(signal.aborted ? signal.reason : connectionError(cause, url, toProxy)),
  );
  request.end();
  return await answered.promise;
}

async function read(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop destroys the stream.
    if (size >= maxBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString("utf8");
}

/** The proxy ends a tunnel's connection without a word when its target does not take it. */
function connectionError(cause: Error, url: URL, toProxy: boolean): Error {
  const code = "code" in cause ? String(cause.code) : "";
  if (code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EHOSTUNREACH")
    return new RetryableError("EgressUnavailable", `the egress proxy is not there (${code})`, {
      cause,
      countsAsAttempt: false,
      retryAfterSeconds: 2,
    });
  if (cause instanceof TerminalError) return cause;
  return new RetryableError(
    toProxy ? "BadResponse" : "ConnectionRefused",
    `${url.host} ${toProxy ? "sent no HTTP answer" : "takes no connection"} (${code || cause.message})`,
    { cause },
  );
}
