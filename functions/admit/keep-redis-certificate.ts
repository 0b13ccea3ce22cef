import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Authority, Certificate } from "../../lib/certificate.ts";
import type { KeptSecret } from "../../lib/edges/kept-secret.ts";
import { TerminalError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { keepCertificate } from "./keep-certificate.ts";

export interface RedisDeps {
  /** What Redis serves (config/redis.yaml). */
  readonly secret: KeptSecret;
  /** Whom its clients trust, by REDIS_CA; and the key, where the certificate is to be made here. */
  readonly authority: KeptSecret;
  readonly issue: (now: Date, authority: Authority) => Promise<Certificate>;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Before the authority's end, of which all clients have to learn, each renewal says so. */
const WARN_MS = 2 * 365 * 24 * 3_600_000;

/**
 * The certificate of Redis. Unlike admit's, its authority lives for years: its clients are agents of all namespaces, which know it
 * from their environment. Does nothing where there is no such Redis, or where somebody else sees to its certificate.
 * @throws TerminalError AuthorityMissing, UnusableAuthority; what the edges throw
 */
export async function keepRedisCertificate({ secret, authority, issue, now, log }: RedisDeps): Promise<void> {
  const served = await secret.read();
  if (!served) return;
  const known = await authority.read();
  if (!known?.data["ca.key"]) {
    if (served.data["tls.crt"]) return;
    throw new TerminalError(
      "AuthorityMissing",
      `Redis has no certificate, and cannot start: make the Secret ${authority.name} with ca.crt and ca.key, or put tls.crt and tls.key into ${secret.name} (docs/deploy.md)`,
    );
  }
  const signing = authorityIn(known.data, authority.name);
  const ends = Date.parse(new X509Certificate(signing.certificate).validTo);
  if (ends <= now().getTime()) throw unusable(authority.name, "its certificate has expired");
  await keepCertificate({
    secret,
    issue: (at) => {
      if (ends - at.getTime() < WARN_MS)
        log.warn(
          { until: new Date(ends) },
          `Secret ${authority.name}: the authority ends, replace it (docs/deploy.md)`,
        );
      return issue(at, signing);
    },
    isTrusted: (ca) => ca === signing.certificate,
    now,
    log,
  });
}

/** While authorities are replaced there are two certificates: the one that the key is of. */
function authorityIn(data: Readonly<Record<string, string>>, name: string): Authority {
  const { "ca.crt": bundle = "", "ca.key": key = "" } = data;
  const all = bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    const own = createPrivateKey(key);
    const certificate = all.find((pem) => new X509Certificate(pem).checkPrivateKey(own));
    if (certificate) return { certificate, key };
  } catch (cause) {
    throw unusable(name, "ca.crt or ca.key is no PEM", cause);
  }
  throw unusable(name, "none of the certificates in ca.crt is the one of ca.key");
}

const unusable = (name: string, why: string, cause?: unknown): TerminalError =>
  new TerminalError("UnusableAuthority", `Secret ${name}: ${why}; docs/deploy.md says how to make another`, { cause });
