import type { Context } from "hono";
import type { Logger } from "../../lib/log.ts";
import { ATTRIBUTE } from "../../lib/telemetry/attributes.ts";
import { AUDIT } from "../../lib/telemetry/audit.ts";

/** `InvalidToken`: it names nobody, or is none for these pages. `ForeignForm`: another site sent it. */
export type Denial = "InvalidToken" | "NotAllowed" | "ForeignForm";

/** Says who was not shown what, in the audit. @param reader by name, where they are known */
export function auditDenied(log: Logger, c: Context, reason: Denial, reader?: string): void {
  AUDIT.accessDenied.record(log, { "user.name": reader, "url.path": c.req.path, [ATTRIBUTE.reason]: reason });
}
