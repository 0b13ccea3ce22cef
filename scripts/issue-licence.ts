/**
 * Issues licences: for whoever has a private key, which is no part of this repository and of no installation. `--help` says how.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { importJWK, SignJWT } from "jose";
import { LICENCE_TYPE, licenceSchema } from "../lib/licence/licence.ts";
import { schemaProblems } from "../lib/schema-problems.ts";

const USAGE = `usage: node scripts/issue-licence.ts --key FILE --customer NAME --plan NAME --until DAY [--from DAY] [--grace DAYS]
         [--namespaces N] [--workloads N] [--items N] [--issuer NAME]
       node scripts/issue-licence.ts --new-key FILE

Prints a licence.
  --key FILE        the issuer's private key, an Ed25519 JWK with its kid
  --customer NAME, --plan NAME
  --until DAY       the first day on which it has expired, as 2027-01-31 (UTC)
  --from DAY        the first day on which it counts (default: today)
  --grace DAYS      after --until, in which new runs still start (default: 14)
  --namespaces N    with runs under way at once; like the next two: not limited where it is left out
  --workloads N     at work at once
  --items N         a month
  --issuer NAME     (default: agentic)

  --new-key FILE    makes a private key there, readable by you alone, and prints the JWKS for LICENCE_KEYS`;

const { values } = parseArgs({
  options: {
    key: { type: "string" },
    customer: { type: "string" },
    plan: { type: "string" },
    until: { type: "string" },
    from: { type: "string", default: new Date().toISOString().slice(0, 10) },
    grace: { type: "string", default: "14" },
    namespaces: { type: "string" },
    workloads: { type: "string" },
    items: { type: "string" },
    issuer: { type: "string", default: "agentic" },
    "new-key": { type: "string" },
    help: { type: "boolean", default: false },
  },
});

/** @throws Error with the claims that are wrong */
async function issue(key: string): Promise<string> {
  const { kid, ...jwk } = JSON.parse(readFileSync(key, "utf8"));
  if (typeof kid !== "string" || jwk.crv !== "Ed25519" || typeof jwk.d !== "string")
    throw new Error(`${key} is no private Ed25519 JWK with a kid: --new-key makes one`);
  const claims = licenceSchema.safeParse({
    iss: values.issuer,
    sub: values.customer,
    plan: values.plan,
    iat: Math.floor(Date.now() / 1000),
    nbf: secondsOf(values.from),
    exp: secondsOf(values.until),
    grace: numberOf(values.grace),
    limits: {
      namespaces: numberOf(values.namespaces),
      workloadsAtOnce: numberOf(values.workloads),
      itemsAMonth: numberOf(values.items),
    },
  });
  if (!claims.success) throw new Error(`not issued: ${schemaProblems(claims.error)}`);
  const header = { alg: "EdDSA", typ: LICENCE_TYPE, kid };
  return new SignJWT(claims.data).setProtectedHeader(header).sign(await importJWK(jwk, "EdDSA"));
}

/** NaN, which no claim may be, of what is no day. */
function secondsOf(day: string | undefined): number | undefined {
  return day === undefined ? undefined : /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(day) / 1000 : Number.NaN;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function newKey(file: string): string {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const kid = `own-${randomBytes(4).toString("hex")}`;
  // wx: a key that is there is never written over.
  writeFileSync(file, `${JSON.stringify({ ...privateKey.export({ format: "jwk" }), kid }, null, 2)}\n`, {
    mode: 0o600,
    flag: "wx",
  });
  return JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid }] });
}

try {
  const { key, "new-key": made, help } = values;
  if (help) console.log(USAGE);
  else if (made !== undefined) console.log(newKey(made));
  else if (key !== undefined) console.log(await issue(key));
  else throw new Error(`--key is missing\n${USAGE}`);
} catch (error) {
  console.error(`issue-licence: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
