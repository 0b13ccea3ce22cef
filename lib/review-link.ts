import type { KeyObject } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { ReviewRef } from "./edges/reviews.ts";
import { keyFinder, keyId } from "./keys.ts";

/** A signed link to the review of one gate: whoever has it may see these findings and decide on them, once. */
const linkSchema = z.object({
  namespace: z.string(),
  name: z.string(),
  gate: z.string(),
  /** sha256 of the findings. */
  digest: z.string(),
  /** Whom the decision will name. */
  by: z.string().min(1).max(256),
  /** What the decision will say of its way. */
  how: z.enum(["ReviewLink", "CommandLine"]),
});
export type ReviewLink = z.infer<typeof linkSchema>;

const AUDIENCE = "agentic-review";

export async function mintReviewLink(privateKey: KeyObject, reviewLink: ReviewLink, expiresAt: Date): Promise<string> {
  return new SignJWT(linkSchema.parse(reviewLink))
    .setProtectedHeader({ alg: "EdDSA", kid: await keyId(privateKey) })
    .setAudience(AUDIENCE)
    .setExpirationTime(expiresAt)
    .sign(privateKey);
}

/** Says who may decide on a workload's review, by the token that the request brought. */
export type Authorize = (token: string | undefined, ref: ReviewRef) => Promise<Authorized | Refused>;
/** A permission for one gate and no findings but these. */
export type Authorized = Pick<ReviewLink, "by" | "how" | "gate" | "digest">;
export interface Refused {
  readonly status: 401 | 403;
  readonly message: string;
}

export function createLinkAuthorizer(publicKeys: readonly KeyObject[]): Authorize {
  const findKey = keyFinder(publicKeys);
  return async (token, ref) => {
    if (!token) return { status: 401, message: "Open the review by its link, which carries the permission to decide." };
    try {
      const { payload } = await jwtVerify(token, findKey, {
        audience: AUDIENCE,
        algorithms: ["EdDSA"],
        requiredClaims: ["exp"],
      });
      const { namespace, name, gate, digest, by, how } = linkSchema.parse(payload);
      if (namespace === ref.namespace && name === ref.name) return { by, how, gate, digest };
      return { status: 403, message: `This link is for the workload ${namespace}/${name}.` };
    } catch {
      return {
        status: 401,
        message:
          "This link is invalid or has expired. Ask for a new one: 'agentic run' prints it, and in a cluster the event dev.agentic.review.requested carries it.",
      };
    }
  };
}
