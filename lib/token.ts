import type { KeyObject } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { TerminalError } from "./errors.ts";
import { accessKindsSchema, type HostAccess, kindsOf } from "./host-access.ts";
import { keyFinder, keyId } from "./keys.ts";
import { sealForAgent, sealProxies } from "./sealed-access.ts";

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
  /** What goes with the request, encrypted, to be shown to single hosts. */
  hostAccess: accessKindsSchema.optional(),
});
export type StepClaims = z.infer<typeof stepClaimsSchema>;

/** What the egress proxy is shown: an allow-list, and the job that it is for. */
const egressClaimsSchema = z.object({
  jti: z.string(),
  allow: z.array(z.string()),
  /** Proxies by which single hosts are reached: a JWE to the egress proxy's key (lib/sealed-access.ts). */
  via: z.string().optional(),
  /** Seconds of the epoch: what is open then is closed. */
  exp: z.int(),
});
export type EgressClaims = z.infer<typeof egressClaimsSchema>;

const STEP_AUDIENCE = "agentic-step";
const EGRESS_AUDIENCE = "agentic-egress";

/** Minutes, not hours: a redelivery gets tokens of its own. */
export const TOKEN_LIFE_MS = 10 * 60_000;

/** What a step's request brings beside its input. */
export interface StepTokens {
  readonly token: string;
  readonly egressToken: string;
  /** What the agent shows to single hosts, encrypted. */
  readonly hostAccess?: string;
}

/** What a step may show to single hosts, and the keys of those who do. */
export interface GrantedAccess {
  readonly access: HostAccess;
  /** The agent's (lib/sealed-access.ts). */
  readonly agentKey: string;
  /** The egress proxy's; absent: no proxy is used. */
  readonly proxyKey: string | undefined;
}

/** The two tokens of one step, EdDSA, and what is encrypted beside them. `expiresAt`: TOKEN_LIFE_MS from now. */
export async function mintStepTokens(
  step: Omit<StepClaims, "hostAccess">,
  privateKey: KeyObject,
  expiresAt: Date,
  granted?: GrantedAccess,
): Promise<StepTokens> {
  const claims: StepClaims = granted ? { ...step, hostAccess: kindsOf(granted.access) } : step;
  const kid = await keyId(privateKey);
  const sign = (payload: Record<string, unknown>, audience: string): Promise<string> =>
    new SignJWT(payload)
      .setProtectedHeader({ alg: "EdDSA", kid })
      .setAudience(audience)
      .setExpirationTime(expiresAt)
      .sign(privateKey);
  const { jti, allow } = claims;
  const { access = {}, proxyKey } = granted ?? {};
  const via = proxyKey === undefined ? undefined : await sealProxies(access, proxyKey, jti, expiresAt);
  const [token, egressToken] = await Promise.all([
    sign(claims, STEP_AUDIENCE),
    sign({ jti, allow, ...(via === undefined ? {} : { via }) }, EGRESS_AUDIENCE),
  ]);
  if (!granted) return { token, egressToken };
  return { token, egressToken, hostAccess: await sealForAgent(granted.access, granted.agentKey, jti, expiresAt) };
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
