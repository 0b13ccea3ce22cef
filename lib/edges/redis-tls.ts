import { X509Certificate } from "node:crypto";
import { TerminalError } from "../errors.ts";

/**
 * How the server behind REDIS_URL is known. Of rediss:// its certificate must be for the host that the URL names, and signed by one of the
 * authorities in REDIS_CA, or by a public one where that is not set. Undefined: there is no TLS.
 * @throws TerminalError InvalidRedisAddress where REDIS_CA is no certificate, or would not be used
 */
export function redisTls(url: string, ca: string | undefined): { readonly ca?: string } | undefined {
  const authorities = ca === undefined ? undefined : authoritiesIn(ca);
  if (url.startsWith("rediss:")) return authorities === undefined ? {} : { ca: authorities };
  // Whoever gave an authority wants TLS. A socket of this machine has no need of it.
  if (ca !== undefined && url.startsWith("redis:"))
    throw invalid(
      "REDIS_CA is set, but REDIS_URL begins with redis:// and would not use TLS: let it begin with rediss://",
    );
  return undefined;
}

/**
 * Each on lines of its own: who appends one to another may leave the line break out. OpenSSL leaves out what it cannot read, and would say a
 * typo as an unknown authority.
 */
function authoritiesIn(bundle: string): string {
  const all = bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    if (all.length > 0 && all.every((pem) => new X509Certificate(pem))) return all.join("\n");
  } catch {
    // Said below.
  }
  throw invalid(
    "REDIS_CA is no certificate: it is the PEM of the authority that signs the one of Redis, or several, one after the other",
  );
}

const invalid = (message: string): TerminalError => new TerminalError("InvalidRedisAddress", message);

const UNKNOWN_AUTHORITY = new Set([
  "CERT_SIGNATURE_FAILURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "INVALID_CA",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
const ENDED = new Set(["ECONNRESET", "EPIPE"]);

/**
 * Why there is no connection, and what to do about it. `answered`: whether there has been one, so that the scheme of the URL is right.
 * `error`: absent where the server only closes it.
 */
export function connectionTrouble(
  { url, ca, answered }: { readonly url: string; readonly ca: string | undefined; readonly answered: boolean },
  error?: NodeJS.ErrnoException,
): string {
  const { code = "", message = "the server closes the connection" } = error ?? {};
  if (UNKNOWN_AUTHORITY.has(code)) {
    const where = ca === undefined ? "no public authority" : "none of the authorities in REDIS_CA";
    return `its certificate is signed by ${where}: put the certificate of the one that signs it into REDIS_CA`;
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `its certificate is for another name: let REDIS_URL name the server as its certificate does (${message})`;
  if (code === "CERT_HAS_EXPIRED")
    return "its certificate has expired: renew it; the one of config/redis.yaml is renewed by admit, whose log says what is in the way";
  if (code === "CERT_NOT_YET_VALID")
    return "its certificate is not valid yet: the clock of its maker, or the one here, is wrong";
  if (answered) return message;
  if (url.startsWith("redis:") && (error === undefined || ENDED.has(code) || /Protocol error/.test(message)))
    return `${message}: a server with TLS wants a REDIS_URL that begins with rediss://, and its authority in REDIS_CA`;
  if (url.startsWith("rediss:") && (ENDED.has(code) || code === "ETIMEDOUT" || /SSL|EPROTO/.test(code)))
    return `no TLS handshake (${message}): a server without TLS wants a REDIS_URL that begins with redis://`;
  return message;
}
