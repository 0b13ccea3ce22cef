import { hkdfSync, type KeyObject } from "node:crypto";
import { EncryptJWT, jwtDecrypt } from "jose";
import { z } from "zod";
import { RetryableError } from "./errors.ts";
import { type HostAccess, hostAccessSchema } from "./host-access.ts";

// What a namespace shows to hosts travels encrypted (JWE, AES-256-GCM) to the one who shows it: headers and cookies to the step's agent, a
// proxy's address to the egress proxy. Both lie in the Broker and pass whoever passes events on.

const AGENT_AUDIENCE = "agentic-host-access";
const PROXY_AUDIENCE = "agentic-host-proxy";
const ALGORITHMS = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };

/** Hex, 256 bits: what only the holder and whoever signs step tokens know. Each holder has its own. `holder`: NAMESPACE.NAME of an agent. */
export function accessKey(stepKey: KeyObject, holder: string): string {
  const seed = stepKey.export({ format: "der", type: "pkcs8" });
  return Buffer.from(hkdfSync("sha256", seed, "", `${AGENT_AUDIENCE}/${holder}`, 32)).toString("hex");
}

/** For the step `jti` and nobody else's. Without the proxies, which are not the agent's. */
export function sealForAgent(access: HostAccess, key: string, jti: string, expiresAt: Date): Promise<string> {
  const shown = Object.entries(access).flatMap(([host, { proxy: _proxy, ...own }]) =>
    Object.keys(own).length > 0 ? [[host, own] as const] : [],
  );
  return seal(Object.fromEntries(shown), { key, audience: AGENT_AUDIENCE, jti, expiresAt });
}

/** The proxies alone, for the egress proxy. Undefined where there is none. */
export async function sealProxies(
  access: HostAccess,
  key: string,
  jti: string,
  expiresAt: Date,
): Promise<string | undefined> {
  const proxies = Object.entries(access).flatMap(([host, { proxy }]) => (proxy === undefined ? [] : [[host, proxy]]));
  if (proxies.length === 0) return undefined;
  return seal(Object.fromEntries(proxies), { key, audience: PROXY_AUDIENCE, jti, expiresAt });
}

export type OpenAccess = (sealed: string, jti: string) => Promise<HostAccess>;

/** @throws RetryableError HostAccessUnreadable: while keys are rotated, an instance may still have the one before */
export function createAccessOpener(key: string | undefined): OpenAccess {
  return async (sealed, jti) => {
    const access = await unseal(sealed, hostAccessSchema, { key, audience: AGENT_AUDIENCE, jti });
    if (access) return access;
    throw new RetryableError(
      "HostAccessUnreadable",
      "the access to the step's hosts cannot be decrypted: HOST_ACCESS_KEY of this agent is not set, or not what reconcile gives it now",
      { countsAsAttempt: false, retryAfterSeconds: 5 },
    );
  };
}

/** By exact host; undefined: it cannot be read. */
export type OpenProxies = (sealed: string, jti: string) => Promise<Readonly<Record<string, string>> | undefined>;

export function createProxyOpener(key: string | undefined): OpenProxies {
  return (sealed, jti) => unseal(sealed, z.record(z.string(), z.string()), { key, audience: PROXY_AUDIENCE, jti });
}

interface Sealed {
  readonly audience: string;
  readonly jti: string;
}

function seal(content: object, { key, audience, jti, expiresAt }: Sealed & { key: string; expiresAt: Date }) {
  return new EncryptJWT({ content })
    .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
    .setAudience(audience)
    .setJti(jti)
    .setExpirationTime(expiresAt)
    .encrypt(Buffer.from(key, "hex"));
}

/** Why it cannot be read is not said: it could quote what was read. */
async function unseal<T>(
  sealed: string,
  schema: z.ZodType<T>,
  { key = "", audience, jti }: Sealed & { key: string | undefined },
): Promise<T | undefined> {
  try {
    const { payload } = await jwtDecrypt(sealed, Buffer.from(key, "hex"), { audience, ...ALGORITHMS });
    return payload.jti === jti ? schema.parse(payload["content"]) : undefined;
  } catch {
    return undefined;
  }
}
