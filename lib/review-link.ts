import type { KeyObject } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { ReviewRef } from "./edges/reviews.ts";

/** A signed link to one review: whoever has it may see these findings and decide on them, once. */
const linkSchema = z.object({ namespace: z.string(), name: z.string(), digest: z.string(), by: z.string() });
export type ReviewLink = z.infer<typeof linkSchema>;

const AUDIENCE = "agentic-review";

/** `by`: who the decision will name. */
export function mintReviewLink(privateKey: KeyObject, reviewLink: ReviewLink, expiresAt: Date): Promise<string> {
  return new SignJWT(reviewLink)
    .setProtectedHeader({ alg: "EdDSA" })
    .setAudience(AUDIENCE)
    .setExpirationTime(expiresAt)
    .sign(privateKey);
}

/** Who may decide on a review, from what the request brought. */
export type Authorize = (token: string | undefined, ref: ReviewRef) => Promise<Authorized | Refused>;
export interface Authorized {
  readonly by: string;
  /** The only findings that this permission is for. */
  readonly digest: string;
}
export interface Refused {
  readonly status: 401 | 403;
  readonly message: string;
}

export function createLinkAuthorizer(publicKey: KeyObject): Authorize {
  return async (token, ref) => {
    if (!token) return { status: 401, message: "Open the review by its link: it carries the permission to decide." };
    try {
      const { payload } = await jwtVerify(token, publicKey, { audience: AUDIENCE, algorithms: ["EdDSA"] });
      const { namespace, name, digest, by } = linkSchema.parse(payload);
      if (namespace === ref.namespace && name === ref.name) return { by, digest };
      return { status: 403, message: "This link is for another review." };
    } catch {
      return {
        status: 401,
        message:
          "This link is not valid, or no longer. Ask for a new one: 'agentic run' prints it, and in a cluster it comes with the event dev.agentic.review.requested.",
      };
    }
  };
}
