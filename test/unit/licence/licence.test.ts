import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { JSONWebKeySet } from "jose";
import { describe, expect, test } from "vitest";
import { licenceKeys } from "../../../lib/licence/keys.ts";
import { LICENCE_TYPE, readLicence } from "../../../lib/licence/licence.ts";

const issuer = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");
const jwkOf = (key: KeyObject, kid: string) => ({ ...key.export({ format: "jwk" }), kid });
const KEYS: JSONWebKeySet = licenceKeys(JSON.stringify({ keys: [jwkOf(issuer.publicKey, "test")] }));

const CLAIMS = {
  iss: "tests",
  sub: "ACME",
  plan: "team",
  iat: 1_790_000_000,
  nbf: 1_790_000_000,
  exp: 1_800_000_000,
  grace: 14,
  limits: { namespaces: 5, workloadsAtOnce: 10, itemsAMonth: 1000 },
};
const HEADER = { alg: "EdDSA", typ: LICENCE_TYPE, kid: "test" };

const encoded = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
/** A token as its maker likes it: no library refuses to make it. */
function forged(header: object, claims: unknown, key: KeyObject = issuer.privateKey): string {
  const signed = `${encoded(header)}.${encoded(claims)}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString("base64url")}`;
}
const licence = (over: object = {}): string => forged(HEADER, { ...CLAIMS, ...over });
const [head = "", body = "", signature = ""] = licence().split(".");
const rawPublic = Buffer.from(issuer.publicKey.export({ format: "jwk" }).x ?? "", "base64url");
const hs256 = (secret: Buffer | string): string => {
  const signed = `${encoded({ ...HEADER, alg: "HS256" })}.${encoded(CLAIMS)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
};

describe("a licence", () => {
  test("says what was signed", async () => {
    expect(await readLicence(licence(), KEYS)).toEqual(CLAIMS);
  });

  test("may end with a line break, as files do, and leave out what it does not limit", async () => {
    expect(await readLicence(`${licence({ limits: {} })}\n`, KEYS)).toEqual({ ...CLAIMS, limits: {} });
  });

  const KEY = /no key that this installation trusts/;
  const ALGORITHM = /not signed with EdDSA/;
  const SIGNATURE = /its signature is wrong/;
  const NO_TOKEN = /it is no signed token/;
  const TYPE = /its typ is not agentic-licence\+jwt/;
  const CLAIM = /its claims are wrong: /;

  test.each<[string, string, RegExp]>([
    ["no token", "hello", NO_TOKEN],
    ["nothing", "", NO_TOKEN],
    ["one of a stranger's key", forged({ ...HEADER, kid: "stranger" }, CLAIMS, stranger.privateKey), KEY],
    ["one of a stranger's key under a known kid", forged(HEADER, CLAIMS, stranger.privateKey), SIGNATURE],
    ["one of a stranger under the project's kid", forged({ ...HEADER, kid: "agentic-2026" }, CLAIMS), SIGNATURE],
    ["one without a kid", forged({ alg: "EdDSA", typ: LICENCE_TYPE }, CLAIMS), KEY],
    ["one whose kid is a number", forged({ ...HEADER, kid: 7 }, CLAIMS), KEY],
    [
      "one that brings its own key",
      forged({ ...HEADER, kid: "own", jwk: jwkOf(stranger.publicKey, "own") }, CLAIMS, stranger.privateKey),
      KEY,
    ],
    [
      "one that says where its key is",
      forged({ ...HEADER, kid: "far", jku: "https://keys.example/jwks" }, CLAIMS, stranger.privateKey),
      KEY,
    ],
    ["alg none without a signature", `${encoded({ ...HEADER, alg: "none" })}.${body}.`, ALGORITHM],
    ["alg none with a signature", forged({ ...HEADER, alg: "none" }, CLAIMS), ALGORITHM],
    ["alg None", forged({ ...HEADER, alg: "None" }, CLAIMS), ALGORITHM],
    ["no alg", forged({ typ: LICENCE_TYPE, kid: "test" }, CLAIMS), NO_TOKEN],
    ["HS256 with the public key's bytes as secret", hs256(rawPublic), ALGORITHM],
    [
      "HS256 with the public key's PEM as secret",
      hs256(issuer.publicKey.export({ type: "spki", format: "pem" }).toString()),
      ALGORITHM,
    ],
    ["ES256", forged({ ...HEADER, alg: "ES256" }, CLAIMS), ALGORITHM],
    ["another typ", forged({ ...HEADER, typ: "JWT" }, CLAIMS), TYPE],
    ["no typ: a step's token, a review's link", forged({ alg: "EdDSA", kid: "test" }, CLAIMS), TYPE],
    ["an extension that must be understood", forged({ ...HEADER, crit: ["b"], b: 1 }, CLAIMS), NO_TOKEN],
    ["another payload", `${head}.${encoded({ ...CLAIMS, limits: {} })}.${signature}`, SIGNATURE],
    ["another header", `${encoded({ ...HEADER, note: 1 })}.${body}.${signature}`, SIGNATURE],
    ["no signature", `${head}.${body}.`, SIGNATURE],
    ["no signature part", `${head}.${body}`, NO_TOKEN],
    ["half a signature", `${head}.${body}.${signature.slice(0, 40)}`, SIGNATURE],
    ["another signature of the same key", `${head}.${body}.${licence({ plan: "x" }).split(".")[2]}`, SIGNATURE],
    ["two tokens", `${licence()} ${licence()}`, /it is no signed token|its signature is wrong/],
    ["claims that are no JSON", forged(HEADER, "{"), /its claims are no JSON/],
    ["claims that are no object", forged(HEADER, "7"), CLAIM],
    ["no customer", forged(HEADER, { ...CLAIMS, sub: undefined }), /sub/],
    ["no end", forged(HEADER, { ...CLAIMS, exp: undefined }), /exp/],
    ["an end that is no time", licence({ exp: "never" }), /exp/],
    ["an end after all years", licence({ exp: 1e15 }), /exp/],
    ["an end before its beginning", licence({ exp: CLAIMS.nbf }), /exp is not after nbf/],
    ["no grace", forged(HEADER, { ...CLAIMS, grace: undefined }), /grace/],
    ["negative grace", licence({ grace: -1 }), /grace/],
    ["grace without end", licence({ grace: 366 }), /grace/],
    ["no limits", forged(HEADER, { ...CLAIMS, limits: undefined }), /limits/],
    ["a misspelt limit", licence({ limits: { namespace: 5 } }), /namespace/],
    ["a limit of none", licence({ limits: { workloadsAtOnce: 0 } }), /workloadsAtOnce/],
    ["a limit in words", licence({ limits: { itemsAMonth: "1000" } }), /itemsAMonth/],
    ["a claim that it does not know", licence({ admin: true }), /admin/],
    ["a customer that steers a terminal", licence({ sub: "\u001b[2J" }), /sub.*printable/],
    ["a plan that turns text around", licence({ plan: "a\u202eb" }), /plan.*printable/],
    ["a plan of many words", licence({ plan: "a".repeat(101) }), /plan.*printable/],
  ])("is not %s", async (_what, token, why) => {
    expect(await readLicence(token, KEYS)).toEqual({ problem: expect.stringMatching(why) });
  });

  test("what is wrong with one is said in one line, which steers no terminal", async () => {
    const reading = await readLicence(licence({ "a\n\u001b[2Jb": 1, plan: 7 }), KEYS);
    expect("problem" in reading && reading.problem).toMatch(/^its claims are wrong: plan: \P{C}*; \P{C}*"a \[2Jb"$/u);
  });
});

describe("the keys", () => {
  test("are the project's, public halves only, and further ones", () => {
    expect(KEYS.keys.map(({ kid }) => kid)).toEqual(["agentic-2026", "test"]);
    expect(licenceKeys(undefined).keys.every((key) => !("d" in key))).toBe(true);
  });

  const further = jwkOf(issuer.publicKey, "test");
  test.each<[string, string, RegExp]>([
    ["are no JSON", "ed25519", /expected a JWKS/],
    ["are a single key", JSON.stringify(further), /keys: /],
    [
      "have a private half",
      JSON.stringify({ keys: [jwkOf(issuer.privateKey, "test")] }),
      /keys\.0\.d: is a private key/,
    ],
    ["have the project's kid", JSON.stringify({ keys: [{ ...further, kid: "agentic-2026" }] }), /the project's own/],
    ["have no kid", JSON.stringify({ keys: [issuer.publicKey.export({ format: "jwk" })] }), /kid/],
    ["are of another kind", JSON.stringify({ keys: [{ kty: "oct", k: "AAAA", kid: "a" }] }), /kty/],
    ["are cut off", JSON.stringify({ keys: [{ ...further, x: "abc" }] }), /32 bytes/],
  ])("that %s are refused", (_what, jwks, why) => {
    expect(() => licenceKeys(jwks)).toThrow(why);
  });
});
