import type { ReviewRecord, ReviewRef } from "../../lib/edges/reviews.ts";
import type { Logger } from "../../lib/log.ts";
import type { Authorized } from "../../lib/review-link.ts";
import { ATTRIBUTE } from "../../lib/telemetry/attributes.ts";
import { AUDIT } from "../../lib/telemetry/audit.ts";
import type { ApproveDeps } from "./deps.ts";

/** A review, and the permission that somebody has for it. */
export interface Admitted {
  readonly record: ReviewRecord;
  readonly who: Authorized;
}

export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 409 | 422;
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/** Finds the review that the token permits, and records where there is none. `gate`: the one that was asked for; absent, the token names it. */
export async function admit(
  deps: Pick<ApproveDeps, "authorize" | "reviews" | "log">,
  token: string | undefined,
  ref: ReviewRef,
  gate?: string,
): Promise<Admitted | Refusal> {
  const admitted = await findAdmitted(deps, token, ref, gate);
  if ("status" in admitted) auditDenied(deps.log, { ...ref, gate }, admitted);
  return admitted;
}

/** Says of whose review somebody was not let in. Who that was, nobody knows. */
export function auditDenied(
  log: Logger,
  { namespace, name, gate }: Partial<ReviewRef> & { readonly gate?: string | undefined },
  { reason, message }: Pick<Refusal, "reason" | "message">,
): void {
  AUDIT.accessDenied.record(log, {
    [ATTRIBUTE.namespace]: namespace,
    [ATTRIBUTE.workload]: name,
    [ATTRIBUTE.step]: gate,
    [ATTRIBUTE.reason]: reason,
    "agentic.message": message,
  });
}

async function findAdmitted(
  { authorize, reviews }: Pick<ApproveDeps, "authorize" | "reviews">,
  token: string | undefined,
  ref: ReviewRef,
  gate: string | undefined,
): Promise<Admitted | Refusal> {
  const who = await authorize(token, ref);
  if ("status" in who) return { ...who, reason: "NotAllowed" };
  if (gate !== undefined && gate !== who.gate)
    return { status: 403, reason: "NotAllowed", message: `This link is for the gate ${who.gate}.` };
  const record = await reviews.read(ref, who.gate);
  if (!record) {
    const message = `No review is open at the gate ${who.gate} of ${ref.namespace}/${ref.name}.`;
    return { status: 404, reason: "NoReview", message };
  }
  if (record.review.digest !== who.digest) {
    const message = "This link is for earlier findings. The review was opened again: use its new link.";
    return { status: 403, reason: "OtherFindings", message };
  }
  return { record, who };
}
