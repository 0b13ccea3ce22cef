import type { KeyObject } from "node:crypto";
import { errors, FlattenedSign, flattenedVerify } from "jose";
import { z } from "zod";
import { canonicalJson } from "../engine/canonical.ts";
import { keyId } from "./keys.ts";
import { parseJson } from "./parse-json.ts";

const bundleSchema = z.strictObject({ payload: z.string(), protected: z.string(), signature: z.string() });

/** A statement with its signature: a flattened JWS (RFC 7515), as a file. Equal statements give equal files. `type`: its `typ`. */
export async function signFile(type: string, statement: unknown, privateKey: KeyObject): Promise<string> {
  const signed = await new FlattenedSign(new TextEncoder().encode(canonicalJson(statement)))
    .setProtectedHeader({ alg: "EdDSA", kid: await keyId(privateKey), typ: type })
    .sign(privateKey);
  return `${JSON.stringify(signed)}\n`;
}

/** "unsigned": it is no JWS. "forged": the key signed no such file. "other": it signed something of another type. */
export type OpenedFile = { readonly statement: unknown } | { readonly refused: "unsigned" | "forged" | "other" };

/** Checks a file against the public key of who is said to have signed it, offline. */
export async function openSigned(type: string, file: string, publicKey: KeyObject): Promise<OpenedFile> {
  const bundle = bundleSchema.safeParse(parseJson(file));
  if (!bundle.success) return { refused: "unsigned" };
  try {
    const { payload, protectedHeader } = await flattenedVerify(bundle.data, publicKey, { algorithms: ["EdDSA"] });
    if (protectedHeader?.typ !== type) return { refused: "other" };
    return { statement: parseJson(new TextDecoder().decode(payload)) };
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return { refused: "forged" };
  }
}

/** What a file says, whoever signed it; undefined: it is no JWS. */
export function readUnverified(file: string): unknown {
  const { data } = bundleSchema.safeParse(parseJson(file));
  return data && parseJson(Buffer.from(data.payload, "base64url").toString("utf8"));
}
