import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";

/** @throws Error for what is no private key on P-256, which is what cosign and openssl both verify */
export function readKey(pem: string): KeyObject {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new Error(
      "The key is none on P-256. Make one with: openssl ecparam -name prime256v1 -genkey -noout -out FILE",
    );
  return key;
}

export function publicKeyOf(key: KeyObject): string {
  return createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
}

/** ECDSA over SHA-256, DER, base64: as `cosign verify-blob --signature` reads it. */
export function signatureOf(bytes: Uint8Array, key: KeyObject): string {
  return sign("sha256", bytes, key).toString("base64");
}

/** An envelope of the DSSE specification (secure-systems-lab/dsse, protocol 1.0). */
export function envelope(payloadType: string, payload: string, key: KeyObject): object {
  const pae = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${Buffer.byteLength(payload)} ${payload}`;
  return {
    payloadType,
    payload: Buffer.from(payload).toString("base64"),
    signatures: [{ sig: signatureOf(Buffer.from(pae), key) }],
  };
}
