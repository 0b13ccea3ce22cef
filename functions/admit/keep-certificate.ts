import { createPrivateKey, X509Certificate } from "node:crypto";
import type { AdmissionConfig } from "../../lib/edges/admission-config.ts";
import type { Logger } from "../../lib/log.ts";
import type { Certificate } from "./certificate.ts";

export interface KeepDeps {
  readonly config: AdmissionConfig;
  readonly issue: (now: Date) => Promise<Certificate>;
  readonly now: () => Date;
  readonly log: Logger;
}

/** What of its life is left when the next one is made. */
const RENEW_AT = 1 / 3;

/**
 * The certificate that all instances serve. It is in a Secret, made by whoever finds none, or one near its end; the API server trusts it
 * before it is served, and for a while the one before, which other instances serve until they look. @throws what the edge throws
 */
export async function keepCertificate(deps: KeepDeps): Promise<Certificate> {
  const { config, issue, now, log } = deps;
  const kept = await config.readSecret();
  const current = certificateIn(kept.data);
  if (current && !isDue(current, now())) {
    const bundle = [current.ca, kept.data["previousCa"] ?? ""].map((pem) => pem.trim()).join("\n");
    await config.trust(`${bundle.trim()}\n`);
    return current;
  }
  const next = await issue(now());
  const data = { ...next, ...(current ? { previousCa: current.ca } : {}) };
  const written = await config.writeSecret(data, kept.resourceVersion);
  if (written === "written") log.info({ until: new X509Certificate(next.certificate).validTo }, "certificate made");
  // What is there now counts: another instance may have been faster.
  return keepCertificate(deps);
}

/** @returns undefined where it is not one, or is not whole */
function certificateIn(data: Readonly<Record<string, string>>): Certificate | undefined {
  const { ca, certificate, key } = data;
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
