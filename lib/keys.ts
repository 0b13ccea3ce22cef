import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint, createLocalJWKSet, type JWTVerifyGetKey } from "jose";

/** The keys of a setting, one PEM after the other: while keys are rotated there are two. @throws Error that says which setting, and how to make one */
export function publicKeys(setting: string, pem: string | undefined): KeyObject[] {
  const found = pem?.match(/-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g);
  if (!found)
    throw new Error(
      `${setting} is not set: it is the PEM of the public key, and 'openssl pkey -in KEY -pubout' prints it`,
    );
  return found.map((one) => createPublicKey(one));
}

/** @throws Error that says which setting, and how to make one */
export function privateKey(setting: string, pem: string | undefined): KeyObject {
  if (!pem)
    throw new Error(
      `${setting} is not set: it is the PEM of an Ed25519 key, and 'openssl genpkey -algorithm ed25519' makes one`,
    );
  return createPrivateKey(pem);
}

/** What verifies: the public half of a key, and those that a setting still names from before the last rotation. */
export function verifyingKeys(privateKey: KeyObject, setting: string, pem: string | undefined): KeyObject[] {
  return [createPublicKey(privateKey), ...(pem ? publicKeys(setting, pem) : [])];
}

/** `kid` of what a key signs: its thumbprint by RFC 7638, the same for both halves. */
export function keyId(key: KeyObject): Promise<string> {
  return calculateJwkThumbprint(jwkOf(key));
}

/** Finds the key that signed a token, by its `kid`. For jose's jwtVerify. */
export function keyFinder(keys: readonly KeyObject[]): JWTVerifyGetKey {
  let finder: Promise<JWTVerifyGetKey> | undefined;
  const find = async (): Promise<JWTVerifyGetKey> => {
    // Two of one key would be no choice.
    const byId = new Map<string, object>();
    for (const key of keys) byId.set(await keyId(key), jwkOf(key));
    return createLocalJWKSet({ keys: [...byId].map(([kid, jwk]) => ({ kty: "OKP", ...jwk, kid })) });
  };
  return async (header, token) => {
    finder ??= find();
    return (await finder)(header, token);
  };
}

function jwkOf(key: KeyObject) {
  return (key.type === "private" ? createPublicKey(key) : key).export({ format: "jwk" });
}
