import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { SignJWT } from "jose";
import { keyId } from "../../../lib/keys.ts";
import { mintReviewLink, type ReviewLink } from "../../../lib/review-link.ts";
import { mintStepTokens } from "../../../lib/token.ts";
import { type GateWorld, KEYS, mint } from "./gate-world.ts";

// Tokens that permit nothing, each made from one that does.

const STRANGER = generateKeyPairSync("ed25519");
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" });
const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const later = (): Date => new Date(Date.now() + 60_000);
const exp = (): number => Math.floor(later().getTime() / 1000);

const segment = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const claims = (link: object): Record<string, unknown> => ({ ...link, aud: "agentic-review", exp: exp() });

/** The compact form by hand: a library refuses to make most of these. */
async function forged(header: object, payload: unknown, signed: (text: string) => Buffer = () => Buffer.alloc(0)) {
  const text = `${segment({ alg: "EdDSA", kid: await keyId(KEYS.publicKey), ...header })}.${segment(payload)}`;
  return `${text}.${signed(text).toString("base64url")}`;
}
const by =
  (key: KeyObject, hash: string | null = null) =>
  (text: string): Buffer =>
    sign(hash, Buffer.from(text), key);
const hmac =
  (secret: string | Buffer, hash = "sha256") =>
  (text: string): Buffer =>
    createHmac(hash, secret).update(text).digest();

function parts(token: string): [header: string, payload: string, signature: string] {
  const [header = "", payload = "", signature = ""] = token.split(".");
  return [header, payload, signature];
}
/** One bit of one byte is another. */
function flipped(base64: string, at: number): string {
  const bytes = Buffer.from(base64, "base64url");
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return bytes.toString("base64url");
}
/** The payload says something else, and the signature is what it was. */
const altered =
  (change: object) =>
  async ({ token, link }: GateWorld): Promise<string> => {
    const [header, , signature] = parts(token);
    return [header, segment({ ...claims(link), ...change }), signature].join(".");
  };
/** The payload says it, and the real key signs it: what only a defect of whoever mints could bring about. */
const signedFor =
  (claim: (link: ReviewLink) => object) =>
  async ({ link }: GateWorld) =>
    forged({}, { ...claims(link), ...claim(link) }, by(KEYS.privateKey));
const without = (...names: (keyof ReviewLink | "aud" | "exp")[]) =>
  signedFor(() => Object.fromEntries(names.map((name) => [name, undefined])));
const stepTokens = ({ link }: GateWorld, key: KeyObject) =>
  mintStepTokens(
    { ...link, sub: "uid", jti: "id", run: "r", allow: [], deadline: later().toISOString(), retryLimit: 0 } as never,
    key,
    later(),
  );

export type MakeToken = (world: GateWorld) => Promise<string | undefined>;

export const BAD_TOKENS: Readonly<Record<string, MakeToken>> = {
  none: async () => undefined,
  "an empty one": async () => "",
  "a word": async () => "approved",
  "its digest": async ({ digests }) => digests.ask,
  // Time.
  "one that has expired": ({ link }) => mintReviewLink(KEYS.privateKey, link, new Date(Date.now() - 1000)),
  "one that expired in 1970": signedFor(() => ({ exp: 1 })),
  "one that is not valid yet": signedFor(() => ({ nbf: exp() })),
  "one without an end": without("exp"),
  "one whose end is a word": signedFor(() => ({ exp: "never" })),
  // Whose key.
  "one by a stranger's key": ({ link }) => mintReviewLink(STRANGER.privateKey, link, later()),
  "one by a stranger's key with the real kid": async ({ link }) => forged({}, claims(link), by(STRANGER.privateKey)),
  "one by a stranger's key without a kid": async ({ link }) =>
    forged({ kid: undefined }, claims(link), by(STRANGER.privateKey)),
  "one that brings its own key": async ({ link }) =>
    forged({ kid: "own", jwk: STRANGER.publicKey.export({ format: "jwk" }) }, claims(link), by(STRANGER.privateKey)),
  "one that says where its key is": async ({ link }) =>
    forged({ kid: "own", jku: "https://evil.example/keys" }, claims(link), by(STRANGER.privateKey)),
  "one by the real key with another kid": async ({ link }) => forged({ kid: "x" }, claims(link), by(KEYS.privateKey)),
  "one whose kid leads out of the keys": async ({ link }) =>
    forged({ kid: "../../../dev/null" }, claims(link), by(STRANGER.privateKey)),
  // Which algorithm.
  "alg none": async ({ link }) => forged({ alg: "none" }, claims(link)),
  "alg None": async ({ link }) => forged({ alg: "None" }, claims(link)),
  "alg none with the real signature": async ({ link, token }) => {
    const [, payload, signature] = parts(token);
    return `${parts(await forged({ alg: "none" }, claims(link)))[0]}.${payload}.${signature}`;
  },
  "HS256 with the public key's PEM": async ({ link }) =>
    forged({ alg: "HS256" }, claims(link), hmac(KEYS.publicKey.export({ type: "spki", format: "pem" }) as string)),
  "HS256 with the public key's bytes": async ({ link }) =>
    forged({ alg: "HS256" }, claims(link), hmac(KEYS.publicKey.export({ type: "spki", format: "der" }))),
  "HS256 with the public key's x": async ({ link }) =>
    forged(
      { alg: "HS256" },
      claims(link),
      hmac(Buffer.from(KEYS.publicKey.export({ format: "jwk" }).x ?? "", "base64url")),
    ),
  "HS512 with the public key's PEM": async ({ link }) =>
    forged(
      { alg: "HS512" },
      claims(link),
      hmac(KEYS.publicKey.export({ type: "spki", format: "pem" }) as string, "sha512"),
    ),
  "HS256 with an empty secret": async ({ link }) => forged({ alg: "HS256" }, claims(link), hmac("")),
  ES256: async ({ link }) => forged({ alg: "ES256" }, claims(link), by(EC.privateKey, "sha256")),
  RS256: async ({ link }) => forged({ alg: "RS256" }, claims(link), by(RSA.privateKey, "sha256")),
  "the real key under another name of its algorithm": async ({ link }) =>
    forged({ alg: "eddsa" }, claims(link), by(KEYS.privateKey)),
  "no algorithm": async ({ link }) => forged({ alg: undefined }, claims(link), by(KEYS.privateKey)),
  "an extension that nobody knows": async ({ link }) =>
    forged({ crit: ["x"], x: true }, claims(link), by(KEYS.privateKey)),
  "an unencoded payload": async ({ link }) => forged({ crit: ["b64"], b64: false }, claims(link), by(KEYS.privateKey)),
  // For what else.
  "for another audience": signedFor(() => ({ aud: "agentic-step" })),
  "for an audience in capitals": signedFor(() => ({ aud: "AGENTIC-REVIEW" })),
  "for no audience": without("aud"),
  "the token of a step": async (world) => (await stepTokens(world, KEYS.privateKey)).token,
  "the token of the egress proxy": async (world) => (await stepTokens(world, KEYS.privateKey)).egressToken,
  "of another namespace": ({ link }) => mint({ ...link, namespace: "team-b" }),
  "of another workload": ({ link }) => mint({ ...link, name: "demo-2" }),
  "of a workload whose name begins so": ({ link }) => mint({ ...link, name: "dem" }),
  "of another gate": ({ link, digests }) => mint({ ...link, gate: "also", digest: digests.also }),
  "of a gate that is not there": ({ link }) => mint({ ...link, gate: "none" }),
  "of another gate on these findings": ({ link }) => mint({ ...link, gate: "also" }),
  "of earlier findings": ({ link }) => mint({ ...link, digest: "1".repeat(64) }),
  "of another gate's findings": ({ link, digests }) => mint({ ...link, digest: digests.also }),
  "of findings in capitals": ({ link, digests }) => mint({ ...link, digest: digests.ask.toUpperCase() }),
  "of the beginning of the findings' digest": ({ link, digests }) =>
    mint({ ...link, digest: digests.ask.slice(0, 16) }),
  // What it lacks.
  "without a namespace": without("namespace"),
  "without a workload": without("name"),
  "without a gate": without("gate"),
  "without a digest": without("digest"),
  "that names nobody": signedFor(() => ({ by: "" })),
  "without who decides": without("by"),
  "that names too much": signedFor(() => ({ by: "a".repeat(257) })),
  "that names a list of people": signedFor(({ by: one }) => ({ by: [one] })),
  "of a list of workloads": signedFor(({ name }) => ({ name: [name] })),
  "that says that a timeout decided": signedFor(() => ({ how: "Timeout" })),
  "that says that an AgentDecision decided": signedFor(() => ({ how: "AgentDecision" })),
  "without how": without("how"),
  // What was changed on its way.
  "made out to somebody else": altered({ by: "mallory" }),
  "made out to another gate": altered({ gate: "also" }),
  "made longer": altered({ exp: exp() + 3600 }),
  "with its header changed": async ({ token }) => {
    const [, payload, signature] = parts(token);
    return `${segment({ alg: "EdDSA", kid: await keyId(KEYS.publicKey), typ: "JWT" })}.${payload}.${signature}`;
  },
  "with a byte of its header flipped": async ({ token: whole }) => {
    const [header, payload, signature] = parts(whole);
    return `${flipped(header, 12)}.${payload}.${signature}`;
  },
  "with a byte of its payload flipped": async ({ token: whole }) => {
    const [header, payload, signature] = parts(whole);
    return `${header}.${flipped(payload, 30)}.${signature}`;
  },
  "with the first byte of its signature flipped": async ({ token: whole }) => {
    const [header, payload, signature] = parts(whole);
    return `${header}.${payload}.${flipped(signature, 0)}`;
  },
  "with the last byte of its signature flipped": async ({ token: whole }) => {
    const [header, payload, signature] = parts(whole);
    return `${header}.${payload}.${flipped(signature, -1)}`;
  },
  "with the signature of another link": async ({ token, link }) => {
    const [header, payload] = parts(token);
    return `${header}.${payload}.${parts(await mint({ ...link, gate: "also" }))[2]}`;
  },
  "with a signature of zeros": async ({ token }) => {
    const [header, payload] = parts(token);
    return `${header}.${payload}.${Buffer.alloc(64).toString("base64url")}`;
  },
  "without its signature": async ({ token }) => parts(token).slice(0, 2).join("."),
  "with an empty signature": async ({ token }) => `${parts(token).slice(0, 2).join(".")}.`,
  "without its header": async ({ token }) => `.${parts(token).slice(1).join(".")}`,
  "without its payload": async ({ token }) => `${parts(token)[0]}..${parts(token)[2]}`,
  "cut in the middle": async ({ token }) => token.slice(0, token.length / 2),
  "with three bytes of its end missing": async ({ token }) => token.slice(0, -4),
  "with a part more": async ({ token }) => `${token}.${segment("x")}`,
  twice: async ({ token }) => `${token}.${token}`,
  "in the other form of a JWS": async ({ token }) => {
    const [header, payload, signature] = parts(token);
    return segment(JSON.stringify({ payload, signatures: [{ protected: header, signature }] }));
  },
  "signed, and without a payload": async () => forged({}, "", by(KEYS.privateKey)),
  "signed, with a list for a payload": async ({ link }) => forged({}, [claims(link)], by(KEYS.privateKey)),
  "that never ends, by a stranger": async ({ link }) =>
    new SignJWT({ ...link })
      .setProtectedHeader({ alg: "EdDSA" })
      .setAudience("agentic-review")
      .sign(STRANGER.privateKey),
};
