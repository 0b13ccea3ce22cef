import { createPublicKey, type KeyObject } from "node:crypto";
import { contradictionIn, type Evidence, evidenceSchema } from "../engine/evidence.ts";
import { schemaProblems } from "./schema-problems.ts";
import { openSigned, signFile } from "./signed-file.ts";

const TYPE = "agentic-evidence+jws";

/** A statement with its signature, as a file. Equal statements give equal files. */
export function signEvidence(evidence: Evidence, privateKey: KeyObject): Promise<string> {
  return signFile(TYPE, evidence, privateKey);
}

export type Verified = { readonly evidence: Evidence } | { readonly problem: string };

const REFUSALS = {
  unsigned: "it is no evidence: a JWS with payload, protected and signature is expected",
  forged: "the signature is not this key's, or what it signed was changed since",
  other: "what was signed is no evidence of a run",
};

/** Checks a file against the key of who is said to have signed it, offline. @returns the first thing that does not hold */
export async function verifyEvidence(file: string, key: KeyObject): Promise<Verified> {
  const opened = await openSigned(TYPE, file, key.type === "private" ? createPublicKey(key) : key);
  if ("refused" in opened) return { problem: REFUSALS[opened.refused] };
  const parsed = evidenceSchema.safeParse(opened.statement);
  if (!parsed.success) return { problem: `the statement is invalid: ${schemaProblems(parsed.error)}` };
  const contradiction = contradictionIn(parsed.data);
  return contradiction === undefined ? { evidence: parsed.data } : { problem: contradiction };
}
