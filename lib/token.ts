import type { KeyObject } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { TerminalError } from "./errors.ts";
import { keyFinder, keyId } from "./keys.ts";

/** What a step is allowed, signed by whoever requested it: agents trust this and not the event's body. */
const stepClaimsSchema = z.object({
  /** The workload's uid. */
  sub: z.string(),
  /** The step's identity: the CloudEvent id this token belongs to. */
  jti: z.string(),
  /** The run that asks. */
  run: z.string(),
  /** Host names the job may reach; `*.` in front stands for any subdomain. */
  allow: z.array(z.string()),
  /** The workload's ceiling in US dollars, a decimal string; absent: no ceiling. */
  budgetUsd: z.string().optional(),
  /** US dollars that the run's steps had cost when this one was requested: known also when Redis lost the ledger. */
  spentUsd: z.number().min(0).optional(),
  /** After this instant the step fails with DeadlineExceeded. */
  deadline: z.iso.datetime(),
  /** Attempts beyond the first that may end in trouble before the step fails. */
  retryLimit: z.int().min(0),
});
export type StepClaims = z.infer<typeof stepClaimsSchema>;

/** What the egress proxy is shown: an allow-list, and the job that it is for. */
const egressClaimsSchema = z.object({
  jti: z.string(),
  allow: z.array(z.string()),
  /** Seconds of the epoch: what is open then is closed. */
  exp: z.int(),
});
export type EgressClaims = z.infer<typeof egressClaimsSchema>;

const STEP_AUDIENCE = "agentic-step";
const EGRESS_AUDIENCE = "agentic-egress";

/** Minutes, not hours: a redelivery gets tokens of its own. */
export const TOKEN_LIFE_MS = 10 * 60_000;

/** The two tokens of one step, EdDSA. `expiresAt`: TOKEN_LIFE_MS from now. */
export async function mintStepTokens(
  claims: StepClaims,
  privateKey: KeyObject,
  expiresAt: Date,
): Promise<{ token: string; egressToken: string }> {
  const kid = await keyId(privateKey);
  const sign = (payload: Record<string, unknown>, audience: string): Promise<string> =>
    new SignJWT(payload)
      .setProtectedHeader({ alg: "EdDSA", kid })
      .setAudience(audience)
      .setExpirationTime(expiresAt)
      .sign(privateKey);
  const { jti, allow } = claims;
  const [token, egressToken] = await Promise.all([sign(claims, STEP_AUDIENCE), sign({ jti, allow }, EGRESS_AUDIENCE)]);
  return { token, egressToken };
}

export type VerifyStepToken = (token: string) => Promise<StepClaims>;
export type VerifyEgressToken = (token: string) => Promise<EgressClaims>;

/** @throws TerminalError InvalidToken. `evenExpired`: for a dead letter, which comes back late. */
export function createStepTokenVerifier(
  publicKeys: readonly KeyObject[],
  { evenExpired = false } = {},
): VerifyStepToken {
  return verifier(publicKeys, STEP_AUDIENCE, stepClaimsSchema, evenExpired);
}

/** @throws TerminalError InvalidToken */
export function createEgressTokenVerifier(publicKeys: readonly KeyObject[]): VerifyEgressToken {
  return verifier(publicKeys, EGRESS_AUDIENCE, egressClaimsSchema, false);
}

function verifier<T>(
  keys: readonly KeyObject[],
  audience: string,
  schema: z.ZodType<T>,
  evenExpired: boolean,
): (token: string) => Promise<T> {
  const findKey = keyFinder(keys);
  return async (token) => {
    try {
      const options = { audience, algorithms: ["EdDSA"], ...(evenExpired ? { currentDate: new Date(0) } : {}) };
      const { payload } = await jwtVerify(token, findKey, options);
      return schema.parse(payload);
    } catch (cause) {
      throw new TerminalError(
        "InvalidToken",
        "the token is not valid: it is signed by whoever requests the step, and lives for minutes",
        { cause },
      );
    }
  };
}
