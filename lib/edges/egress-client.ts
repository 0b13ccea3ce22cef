import { RetryableError, TerminalError } from "../errors.ts";
import { unlessAborted } from "../unless-aborted.ts";
import type { EgressAccess, EgressRequest } from "./egress-access.ts";
import type { EgressConnection } from "./egress-connection.ts";
import { EGRESS_HEADER, egressRefusal, loginMissing } from "./egress-refusal.ts";

export interface EgressResponse {
  readonly status: number;
  /** Names in lower case; an array where a header came more than once. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** After redirects. */
  readonly url: string;
  /** As it was sent: neither decompressed nor decoded. */
  readonly body: Uint8Array;
  /** The body has more than maxBytes. */
  readonly truncated: boolean;
}

/**
 * One request by the egress proxy. Any status is an answer, redirects included.
 * @throws TerminalError EgressRefused, HostNotFound, InvalidCertificate, InvalidRequest; RetryableError ConnectionRefused, BadResponse,
 *   Timeout, HostNotFound, EgressUnavailable; the signal's reason
 */
export type EgressFetch = (url: URL, request: EgressRequest) => Promise<EgressResponse>;

const TIMEOUT_MS = 30_000;

/** `checkCertificates: false`: for what holds no secret and is judged by somebody else, such as a browser. */
export function egressFetch(access: EgressAccess, { checkCertificates = true } = {}): EgressFetch {
  let opening: Promise<EgressConnection> | undefined;
  const open = async (): Promise<EgressConnection> => {
    const { openEgressConnection } = await import("./egress-connection.ts");
    return openEgressConnection(access, checkCertificates);
  };
  return async (url, request) => {
    if (url.protocol !== "http:" && url.protocol !== "https:")
      throw new TerminalError("InvalidRequest", `${url.href} is neither http nor https`);
    const { signal, maxBytes, timeoutMs = TIMEOUT_MS } = request;
    const timeout = AbortSignal.timeout(timeoutMs);
    let reached = url;
    try {
      opening ??= open();
      const either = AbortSignal.any([signal, timeout]);
      const answer = (await opening).send(url, request, either);
      // undici does not look at the signal while it opens a tunnel. An answer that comes after it is thrown away.
      const response = await unlessAborted(answer, either).catch((error: unknown) => {
        answer.then(discard, () => undefined);
        throw error;
      });
      reached = lastOf(response.context) ?? url;
      const refusal = egressRefusal(response.statusCode, response.headers[EGRESS_HEADER], reached);
      if (refusal) {
        discard(response);
        throw refusal;
      }
      const body = await readUpTo(maxBytes, response.body);
      return { status: response.statusCode, headers: response.headers, url: reached.href, ...body };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (timeout.aborted)
        throw new RetryableError("Timeout", `${url.host} gave no complete answer within ${timeoutMs / 1000} s`);
      throw egressError(error, reached);
    }
  };
}

/**
 * Asks the egress proxy for a tunnel to the URL's host: a browser does not say why it got none.
 * @throws as EgressFetch
 */
export async function checkTunnel(access: EgressAccess, url: URL, signal: AbortSignal): Promise<void> {
  try {
    const { openAndCloseTunnel } = await import("./egress-connection.ts");
    await openAndCloseTunnel(access, url, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw egressError(error, url);
  }
}

/** Destroying an unread body emits an error that is nobody's concern. */
function discard({ body }: Awaited<ReturnType<EgressConnection["send"]>>): void {
  body.on("error", () => undefined).destroy();
}

/** Where redirects led, as undici tells it. */
function lastOf(context: object | null): URL | undefined {
  const { history } = (context ?? {}) as { readonly history?: readonly URL[] };
  return history?.at(-1);
}

async function readUpTo(
  maxBytes: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Pick<EgressResponse, "body" | "truncated">> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    size += chunk.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (size > maxBytes) break;
  }
  return { body: Buffer.concat(parts).subarray(0, maxBytes), truncated: size > maxBytes };
}

const CERTIFICATE = /^(ERR_TLS_CERT|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/;
const NO_PROXY = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);

/** What an error of undici means for a step. */
function egressError(error: unknown, url: URL): Error {
  if (error instanceof TerminalError || error instanceof RetryableError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = "code" in cause ? String(cause.code) : "";
  if (NO_PROXY.has(code))
    return new RetryableError("EgressUnavailable", `the egress proxy does not answer (${code})`, {
      cause,
      countsAsAttempt: false,
      retryAfterSeconds: 2,
    });
  if (CERTIFICATE.test(code))
    return new TerminalError("InvalidCertificate", `the certificate of ${url.host} is not valid (${code})`, { cause });
  if (code === "UND_ERR_INVALID_ARG")
    return /\(407\)/.test(cause.message)
      ? loginMissing()
      : new TerminalError("InvalidRequest", `${url.href}: ${cause.message}`, { cause });
  const detail = code || cause.message;
  // The proxy ends a tunnel without a word when its target takes no connection.
  return url.protocol === "https:"
    ? new RetryableError("ConnectionRefused", `${url.host} takes no connection, or ended it (${detail})`, { cause })
    : new RetryableError("BadResponse", `${url.host} sent no HTTP answer (${detail})`, { cause });
}
