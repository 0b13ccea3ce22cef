import { type CompactVerifyGetKey, compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from "jose";
import { z } from "zod";
import { schemaProblems } from "../schema-problems.ts";

/** The JWT's `typ`: a token that was signed for something else is no licence. */
export const LICENCE_TYPE = "agentic-licence+jwt";

/** It stands in messages, on terminals too. */
const text = z.string().regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,100}$/u, "expected 1 to 100 printable characters");
/** Seconds of the epoch, to the end of the year 9999: what a Date can say. */
const seconds = z.int().min(0).max(253_402_300_799);
const limit = z.int().min(1).optional();

export const licenceSchema = z
  .strictObject({
    /** Who issued it. */
    iss: text,
    /** The customer. */
    sub: text,
    plan: text,
    iat: seconds,
    nbf: seconds,
    exp: seconds,
    /** Days after exp in which new runs still start. */
    grace: z.int().min(0).max(365),
    /** Of the whole installation; what is left out is not limited. */
    limits: z.strictObject({
      /** With runs under way, at gates too. */
      namespaces: limit,
      workloadsAtOnce: limit,
      itemsAMonth: limit,
    }),
  })
  .refine(({ nbf, exp }) => nbf < exp, "exp is not after nbf");

export type Licence = z.infer<typeof licenceSchema>;

/** `problem`: why a token is no licence, in one sentence. */
export type LicenceReading = Licence | { readonly problem: string };

/** Whether one of the keys signed it, and what it says. When it begins and ends is judged by whoever knows the time. */
export async function readLicence(token: string, keys: JSONWebKeySet): Promise<LicenceReading> {
  try {
    const { payload, protectedHeader } = await compactVerify(token.trim(), keyIn(keys), { algorithms: ["EdDSA"] });
    if (protectedHeader.typ !== LICENCE_TYPE)
      return { problem: `it is another kind of token: its typ is not ${LICENCE_TYPE}` };
    const parsed = licenceSchema.safeParse(JSON.parse(new TextDecoder().decode(payload)));
    return parsed.success ? parsed.data : { problem: `its claims are wrong: ${oneLine(schemaProblems(parsed.error))}` };
  } catch (error) {
    return { problem: whyNot(error) };
  }
}

function keyIn(keys: JSONWebKeySet): CompactVerifyGetKey {
  const find = createLocalJWKSet(keys);
  return (header, token) => {
    // Without a kid any key of the set would do.
    if (typeof header.kid !== "string") throw new errors.JWKSNoMatchingKey();
    return find(header, token);
  };
}

function whyNot(error: unknown): string {
  if (error instanceof errors.JWKSNoMatchingKey)
    return "no key that this installation trusts signed it (its kid is unknown)";
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return "its signature is wrong: it was changed after it was signed";
  if (error instanceof errors.JOSEAlgNotAllowed) return "it is not signed with EdDSA";
  if (error instanceof SyntaxError) return "its claims are no JSON";
  return `it is no signed token: ${oneLine(error instanceof Error ? error.message : String(error))}`;
}

function oneLine(why: string): string {
  return why.replaceAll(/[\p{C}\s]+/gu, " ").trim();
}
