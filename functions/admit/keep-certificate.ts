import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Certificate } from "../../lib/certificate.ts";
import type { KeptSecret } from "../../lib/edges/kept-secret.ts";
import { TerminalError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { AUDIT } from "../../lib/telemetry/audit.ts";

export interface KeepDeps {
  readonly secret: KeptSecret;
  readonly issue: (now: Date) => Promise<Certificate>;
  /** Whether clients trust this authority, PEM: a certificate of another one is replaced. */
  readonly isTrusted?: (ca: string) => boolean;
  /** Makes clients trust these authorities, PEM, before a certificate of theirs is served. */
  readonly trust?: (bundle: string) => Promise<void>;
  readonly now: () => Date;
  readonly log: Logger;
}

/** What of its life is left when the next one is made. */
const RENEW_AT = 1 / 3;
/** As in a Secret of the type kubernetes.io/tls, and as cert-manager writes them. */
const KEYS = { ca: "ca.crt", certificate: "tls.crt", key: "tls.key", previousCa: "previous-ca.crt" } as const;

/**
 * The certificate that all instances of a server serve. It is in a Secret, made by whoever finds none, or one near its end; clients trust it
 * before it is served, and for a while the one before, which other instances serve until they look. @throws what the edges throw
 */
export async function keepCertificate(deps: KeepDeps): Promise<Certificate> {
  const { secret, issue, isTrusted = () => true, trust, now, log } = deps;
  const kept = await secret.read();
  if (!kept)
    throw new TerminalError("SecretMissing", `there is no Secret ${secret.name} in agentic-system: apply config/`);
  const current = certificateIn(kept.data);
  if (current && isTrusted(current.ca) && !isDue(current, now())) {
    const bundle = [current.ca, kept.data[KEYS.previousCa] ?? ""].map((pem) => pem.trim()).join("\n");
    await trust?.(`${bundle.trim()}\n`);
    return current;
  }
  const next = await issue(now());
  const written = await secret.write(dataOf(next, current), kept.resourceVersion);
  if (written === "written") auditMade(log, secret.name, next, current);
  // What is there now counts: another instance may have been faster.
  return keepCertificate(deps);
}

function auditMade(log: Logger, secret: string, made: Certificate, before: Certificate | undefined): void {
  const { fingerprint256, validToDate } = new X509Certificate(made.certificate);
  AUDIT.keyChanged.record(log, {
    "agentic.key.use": `Secret ${secret}`,
    "agentic.key.id": fingerprint256,
    "agentic.key.previous": before && new X509Certificate(before.certificate).fingerprint256,
    "tls.server.not_after": validToDate.toISOString(),
  });
}

function dataOf({ ca, certificate, key }: Certificate, before: Certificate | undefined): Record<string, string> {
  const data = { [KEYS.ca]: ca, [KEYS.certificate]: certificate, [KEYS.key]: key };
  return before ? { ...data, [KEYS.previousCa]: before.ca } : data;
}

/** @returns undefined where it is not one, or is not whole */
function certificateIn(data: Readonly<Record<string, string>>): Certificate | undefined {
  const { [KEYS.ca]: ca, [KEYS.certificate]: certificate, [KEYS.key]: key } = data;
  if (!ca || !certificate || !key) return undefined;
  try {
    const server = new X509Certificate(certificate);
    const isWhole = server.checkPrivateKey(createPrivateKey(key)) && server.verify(new X509Certificate(ca).publicKey);
    return isWhole ? { ca, certificate, key } : undefined;
  } catch {
    return undefined;
  }
}

function isDue({ certificate }: Certificate, now: Date): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return now.getTime() >= to - (to - from) * RENEW_AT;
}
