import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

/** @throws Error that says which setting, and how to make one */
export function publicKey(setting: string, pem: string | undefined): KeyObject {
  if (!pem)
    throw new Error(
      `${setting} is not set: it is the PEM of the public key, and 'openssl pkey -in KEY -pubout' prints it`,
    );
  return createPublicKey(pem);
}

/** @throws Error that says which setting, and how to make one */
export function privateKey(setting: string, pem: string | undefined): KeyObject {
  if (!pem)
    throw new Error(
      `${setting} is not set: it is the PEM of an Ed25519 key, and 'openssl genpkey -algorithm ed25519' makes one`,
    );
  return createPrivateKey(pem);
}
