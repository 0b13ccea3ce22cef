/** How a step reaches the network. */
export interface EgressAccess {
  /** The egress proxy's URL, e.g. http://127.0.0.1:3128 */
  readonly proxy: string;
  /** The step's identity. */
  readonly username: string;
  /** The step's egress token. */
  readonly password: string;
}

/** Of a step, by what its request brought. */
export function egressAccess(
  proxy: string,
  { identity, egressToken }: { readonly identity: string; readonly egressToken: string },
): EgressAccess {
  return { proxy, username: identity, password: egressToken };
}

/** The header `proxy-authorization`. */
export function proxyAuthorization({ username, password }: EgressAccess): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

export interface EgressRequest {
  /** Default: GET. */
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  /** Bytes of the answer's body to read; the rest is not read. */
  readonly maxBytes: number;
  /** For the whole answer, redirects and body included. Default: 30 s. */
  readonly timeoutMs?: number;
  /** Redirects to follow; the proxy judges each of them. Default: none. */
  readonly maxRedirects?: number;
}
