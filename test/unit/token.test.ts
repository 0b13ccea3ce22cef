import { generateKeyPairSync } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { keyId } from "../../lib/keys.ts";
import {
  createEgressTokenVerifier,
  createStepTokenVerifier,
  mintStepTokens,
  type StepClaims,
  TOKEN_LIFE_MS,
} from "../../lib/token.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const CLAIMS: StepClaims = {
  sub: "uid-1",
  jti: "identity-1",
  run: "run-1",
  allow: ["shop.example"],
  budgetUsd: "0.50",
  deadline: "2030-01-01T10:00:00.000Z",
  retryLimit: 2,
};
const LATER = new Date(Date.now() + TOKEN_LIFE_MS);
const BEFORE = new Date(Date.now() - 1000);

const step = createStepTokenVerifier([publicKey]);
const egress = createEgressTokenVerifier([publicKey]);

function signed(payload: Record<string, unknown>, audience: string): Promise<string> {
  return new SignJWT(payload)
    .setProtectedHeader({ alg: "EdDSA" })
    .setAudience(audience)
    .setExpirationTime(LATER)
    .sign(privateKey);
}

describe("the two tokens of a step", () => {
  test("say what was signed, each to its own reader", async () => {
    const { token, egressToken } = await mintStepTokens(CLAIMS, privateKey, LATER);
    expect(await step(token)).toEqual(CLAIMS);
    const exp = Math.floor(LATER.getTime() / 1000);
    expect(await egress(egressToken)).toEqual({ jti: CLAIMS.jti, allow: CLAIMS.allow, exp });
    await expect(step(egressToken)).rejects.toMatchObject({ reason: "InvalidToken" });
    await expect(egress(token)).rejects.toMatchObject({ reason: "InvalidToken" });
  });

  test("the egress proxy's says nothing but the job and its allow-list", async () => {
    const { egressToken } = await mintStepTokens(CLAIMS, privateKey, LATER);
    expect(Object.keys(decodeJwt(egressToken)).toSorted()).toEqual(["allow", "aud", "exp", "jti"]);
  });

  test("end at the instant that they were given", async () => {
    const tokens = await mintStepTokens(CLAIMS, privateKey, LATER);
    const seconds = Math.floor(LATER.getTime() / 1000);
    expect([decodeJwt(tokens.token).exp, decodeJwt(tokens.egressToken).exp]).toEqual([seconds, seconds]);
    const ended = await mintStepTokens(CLAIMS, privateKey, BEFORE);
    await expect(step(ended.token)).rejects.toMatchObject({ reason: "InvalidToken" });
    await expect(egress(ended.egressToken)).rejects.toMatchObject({ reason: "InvalidToken" });
  });

  test("a dead letter's counts after its end, and for its audience all the same", async () => {
    const evenExpired = createStepTokenVerifier([publicKey], { evenExpired: true });
    const { token, egressToken } = await mintStepTokens(CLAIMS, privateKey, BEFORE);
    expect(await evenExpired(token)).toEqual(CLAIMS);
    await expect(evenExpired(egressToken)).rejects.toMatchObject({ reason: "InvalidToken" });
  });

  describe("while keys are rotated", () => {
    const next = generateKeyPairSync("ed25519");
    const rotating = createStepTokenVerifier([publicKey, next.publicKey, publicKey]);

    test("those of both keys count", async () => {
      for (const key of [privateKey, next.privateKey])
        expect(await rotating((await mintStepTokens(CLAIMS, key, LATER)).token)).toEqual(CLAIMS);
    });

    test("those of a key that was taken away do not, nor those of one that only claims its id", async () => {
      const { token } = await mintStepTokens(CLAIMS, next.privateKey, LATER);
      await expect(step(token)).rejects.toMatchObject({ reason: "InvalidToken" });
      const forged = await new SignJWT({ ...CLAIMS })
        .setProtectedHeader({ alg: "EdDSA", kid: await keyId(publicKey) })
        .setAudience("agentic-step")
        .setExpirationTime(LATER)
        .sign(next.privateKey);
      await expect(rotating(forged)).rejects.toMatchObject({ reason: "InvalidToken" });
    });

    test("a token names the key that signed it", async () => {
      const { token, egressToken } = await mintStepTokens(CLAIMS, next.privateKey, LATER);
      expect(await keyId(next.privateKey)).toBe(await keyId(next.publicKey));
      for (const one of [token, egressToken])
        expect(decodeProtectedHeader(one)).toEqual({ alg: "EdDSA", kid: await keyId(next.publicKey) });
    });
  });

  test("one of our key that is not a step's is refused", async () => {
    await expect(step(await signed({ jti: "identity-1" }, "agentic-step"))).rejects.toMatchObject({
      reason: "InvalidToken",
    });
    await expect(egress(await signed({ jti: "identity-1" }, "agentic-egress"))).rejects.toMatchObject({
      reason: "InvalidToken",
    });
  });
});
