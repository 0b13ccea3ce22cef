import { createPublicKey, type KeyObject } from "node:crypto";
import { errors, FlattenedSign, flattenedVerify } from "jose";
import { z } from "zod";
import { canonicalJson } from "../engine/canonical.ts";
import { contradictionIn, type Evidence, evidenceSchema } from "../engine/evidence.ts";
import { keyId } from "./keys.ts";
import { parseJson } from "./parse-json.ts";
import { schemaProblems } from "./schema-problems.ts";

const TYPE = "agentic-evidence+jws";
const bundleSchema = z.strictObject({ payload: z.string(), protected: z.string(), signature: z.string() });

/** A statement with its signature: a flattened JWS (RFC 7515), as a file. Equal statements give equal files. */
export async function signEvidence(evidence: Evidence, privateKey: KeyObject): Promise<string> {
  const signed = await new FlattenedSign(new TextEncoder().encode(canonicalJson(evidence)))
    .setProtectedHeader({ alg: "EdDSA", kid: await keyId(privateKey), typ: TYPE })
    .sign(privateKey);
  return `${JSON.stringify(signed)}\n`;
}

export type Verified = { readonly evidence: Evidence } | { readonly problem: string };

/** Checks a file against the key of who is said to have signed it, offline. @returns the first thing that does not hold */
export async function verifyEvidence(file: string, key: KeyObject): Promise<Verified> {
  const bundle = bundleSchema.safeParse(parseJson(file));
  if (!bundle.success) return { problem: "it is no evidence: a JWS with payload, protected and signature is expected" };
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  let payload: Uint8Array;
  try {
    const verified = await flattenedVerify(bundle.data, publicKey, { algorithms: ["EdDSA"] });
    if (verified.protectedHeader?.typ !== TYPE) return { problem: "what was signed is no evidence of a run" };
    ({ payload } = verified);
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return { problem: "the signature is not this key's, or what it signed was changed since" };
  }
  const parsed = evidenceSchema.safeParse(parseJson(new TextDecoder().decode(payload)));
  if (!parsed.success) return { problem: `the statement is invalid: ${schemaProblems(parsed.error)}` };
  const contradiction = contradictionIn(parsed.data);
  return contradiction === undefined ? { evidence: parsed.data } : { problem: contradiction };
}
