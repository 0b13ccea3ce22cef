import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface SigningKeys {
  /** Of the private key. */
  readonly file: string;
  readonly privatePem: string;
  readonly publicPem: string;
}

/** What `openssl genpkey -algorithm ed25519` makes. */
export async function makeSigningKeys(folder: string): Promise<SigningKeys> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519", {
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const file = join(folder, "key.pem");
  await writeFile(file, privateKey, { mode: 0o600 });
  return { file, privatePem: privateKey, publicPem: publicKey };
}
