import type { JSONWebKeySet } from "jose";
import { z } from "zod";
import { parseJson } from "../parse-json.ts";
import { schemaProblems } from "../schema-problems.ts";

/** Whose licences every installation takes. The private halves are the issuer's; nothing in this repository has them. */
const PROJECT_KEYS = [
  { kty: "OKP", crv: "Ed25519", kid: "agentic-2026", x: "tiJqZPD1Kty0jgpI1S622O-hJ9ORdAmWqkC6jaQkKZE" },
] as const;

const keySetSchema = z.object({
  keys: z.array(
    z
      .object({
        kty: z.literal("OKP"),
        crv: z.literal("Ed25519"),
        kid: z.string().min(1),
        x: z.string().regex(/^[A-Za-z0-9_-]{43}$/, "expected 32 bytes in base64url"),
        d: z.never("is a private key, which its issuer alone may have").optional(),
      })
      .refine(({ kid }) => PROJECT_KEYS.every((one) => one.kid !== kid), {
        path: ["kid"],
        error: "is the project's own",
      }),
  ),
});

/** The project's keys, and further ones of a JWKS. @throws Error that says what is wrong with it */
export function licenceKeys(jwks: string | undefined): JSONWebKeySet {
  if (jwks === undefined) return { keys: [...PROJECT_KEYS] };
  const parsed = keySetSchema.safeParse(parseJson(jwks));
  if (parsed.success)
    return { keys: [...PROJECT_KEYS, ...parsed.data.keys.map(({ kty, crv, kid, x }) => ({ kty, crv, kid, x }))] };
  throw new Error(
    `LICENCE_KEYS: expected a JWKS of Ed25519 public keys, each with its kid: ${schemaProblems(parsed.error).replaceAll(/\s+/g, " ")}`,
  );
}
