import "reflect-metadata";
import { createPrivateKey } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { TerminalError } from "./errors.ts";

/** Who signs. PEM texts. */
export interface Authority {
  readonly certificate: string;
  readonly key: string;
}

/** PEM texts. */
export interface Certificate {
  /** Whose signature it bears: whoever trusts this one, trusts the server. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
const ALGORITHM = { ...CURVE, hash: "SHA-256" } as const;
/** Clocks of nodes differ. */
const BEFORE_MS = 60 * 60_000;

/** One of several of the same name is told by its key's identifier. */
export async function createAuthority(name: string, now: Date, lifeMs: number): Promise<Authority> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...lifeFrom(now, lifeMs),
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString("pem"), key: await pemOf(keys.privateKey) };
}

/**
 * A server certificate for the names.
 * @throws TerminalError UnusableAuthority where its key is of another kind than createAuthority makes
 */
export async function issueCertificate(
  names: readonly string[],
  now: Date,
  lifeMs: number,
  authority: Authority,
): Promise<Certificate> {
  const server = await newKeys();
  const issuer = new X509Certificate(authority.certificate);
  const certificate = await X509CertificateGenerator.create({
    ...lifeFrom(now, lifeMs),
    subject: `CN=${names[0]}`,
    issuer: issuer.subjectName,
    publicKey: server.publicKey,
    signingKey: await signingKeyOf(authority),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value }))),
    ],
  });
  return {
    ca: authority.certificate,
    certificate: certificate.toString("pem"),
    key: await pemOf(server.privateKey),
  };
}

function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function lifeFrom(now: Date, lifeMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - BEFORE_MS), notAfter: new Date(now.getTime() + lifeMs) };
}

async function pemOf(key: CryptoKey): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

async function signingKeyOf({ key }: Authority): Promise<CryptoKey> {
  const der = createPrivateKey(key).export({ type: "pkcs8", format: "der" });
  try {
    return await crypto.subtle.importKey("pkcs8", new Uint8Array(der), CURVE, false, ["sign"]);
  } catch (cause) {
    throw new TerminalError("UnusableAuthority", "the authority's key is no EC key on the curve P-256", { cause });
  }
}
