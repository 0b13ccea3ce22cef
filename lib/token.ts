import type { CryptoKey, KeyObject } from "jose";
import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { TerminalError } from "./errors.ts";

/** What a step is allowed, signed by whoever requested it: functions and the egress proxy trust this and not the event's body. */
const claimsSchema = z.object({
  /** The workload's uid. */
  sub: z.string(),
  /** The step's identity: the CloudEvent id this token belongs to. */
  jti: z.string(),
  /** Host names the job may reach; `*.` in front stands for any subdomain. */
  allow: z.array(z.string()),
  /** The run's ceiling in US dollars, a decimal string; absent: no ceiling. */
  budgetUsd: z.string().optional(),
  /** The run that the budget belongs to. */
  run: z.string(),
});
export type StepClaims = z.infer<typeof claimsSchema>;

const AUDIENCE = "agentic-step";
type Key = CryptoKey | KeyObject;

/** Mints a step token (EdDSA). `expiresAt`: minutes from now, not hours. */
export function mintStepToken(claims: StepClaims, privateKey: Key, expiresAt: Date): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "EdDSA" })
    .setAudience(AUDIENCE)
    .setExpirationTime(expiresAt)
    .sign(privateKey);
}

export type VerifyStepToken = (token: string) => Promise<StepClaims>;

/** @throws TerminalError InvalidToken */
export function createStepTokenVerifier(publicKey: Key): VerifyStepToken {
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, publicKey, { audience: AUDIENCE, algorithms: ["EdDSA"] });
      return claimsSchema.parse(payload);
    } catch (cause) {
      throw new TerminalError(
        "InvalidToken",
        "the step token is not valid; it is signed by whoever requests the step and lives for minutes",
        { cause },
      );
    }
  };
}
