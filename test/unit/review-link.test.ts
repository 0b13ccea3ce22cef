import { generateKeyPairSync } from "node:crypto";
import { decodeJwt, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { createLinkAuthorizer, mintReviewLink, type ReviewLink } from "../../lib/review-link.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const REF = { namespace: "team-a", name: "demo" };
const LINK: ReviewLink = { ...REF, gate: "review", digest: "d".repeat(64), by: "ann", how: "ReviewLink" };
const LATER = new Date(Date.now() + 60_000);
const authorize = createLinkAuthorizer([publicKey]);

function signed(payload: Record<string, unknown>, audience = "agentic-review"): Promise<string> {
  return new SignJWT(payload)
    .setProtectedHeader({ alg: "EdDSA" })
    .setAudience(audience)
    .setExpirationTime(LATER)
    .sign(privateKey);
}

describe("a review's link", () => {
  test("permits its gate and its findings, and nothing else", async () => {
    const { gate, digest, by, how } = LINK;
    expect(await authorize(await mintReviewLink(privateKey, LINK, LATER), REF)).toEqual({ gate, digest, by, how });
  });

  test("ends at the instant that it was given", async () => {
    const token = await mintReviewLink(privateKey, LINK, LATER);
    expect(decodeJwt(token).exp).toBe(Math.floor(LATER.getTime() / 1000));
  });

  test.each<[string, () => Promise<string | undefined>, number]>([
    ["none", async () => undefined, 401],
    ["one that has ended", () => mintReviewLink(privateKey, LINK, new Date(Date.now() - 1000)), 401],
    ["one by another key", () => mintReviewLink(generateKeyPairSync("ed25519").privateKey, LINK, LATER), 401],
    ["another token of the same key", () => signed({ ...LINK }, "agentic-step"), 401],
    ["one that names nobody", () => signed({ ...LINK, by: "" }), 401],
    ["one that says that a timeout decided", () => signed({ ...LINK, how: "Timeout" }), 401],
    ["one of another namespace", () => mintReviewLink(privateKey, { ...LINK, namespace: "team-b" }, LATER), 403],
    ["one of another workload", () => mintReviewLink(privateKey, { ...LINK, name: "other" }, LATER), 403],
  ])("%s is refused", async (_what, token, status) => {
    expect(await authorize(await token(), REF)).toMatchObject({ status });
  });
});
