import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { levelOf, RetryableError, TerminalError } from "./errors.ts";
import type { Logger } from "./log.ts";
import { ATTRIBUTE } from "./telemetry/attributes.ts";
import { AUDIT } from "./telemetry/audit.ts";

/** The answer to an event that could not be dealt with: a status that the Broker understands, and why in headers. */
export function errorResponse(error: Error, c: Context, log: Logger): Response {
  const { status, retryAfterSeconds } = statusOf(error);
  const reason = error instanceof TerminalError || error instanceof RetryableError ? error.reason : "Internal";
  log[levelOf(error)]({ err: error, reason, status }, "event not dealt with");
  if (status === 401) AUDIT.accessDenied.record(log, { [ATTRIBUTE.reason]: reason, "agentic.message": error.message });
  // The Broker redelivers on any body that is not a CloudEvent: say why in a header, and leave the body empty.
  c.header("agentic-reason", reason);
  c.header("agentic-message", encodeURIComponent(error.message.slice(0, 500)));
  if (retryAfterSeconds !== undefined) c.header("retry-after", String(retryAfterSeconds));
  return c.body(null, status);
}

/**
 * The answer to an event of too many bytes: it is not delivered again. Without `connection: close`, with which Node.js would reset the
 * connection under a sender that is still writing; @hono/node-server reads and drops the rest, for half a second and 64 MiB at most.
 */
export function tooLarge(c: Context): Response {
  return c.body(null, 413, { "agentic-reason": "TooLarge" });
}

/** The one place where an error becomes a status. An error of neither type is a defect of ours: redelivery may meet a fixed version. */
function statusOf(error: Error): { status: ContentfulStatusCode; retryAfterSeconds?: number } {
  if (error instanceof RetryableError) return { status: 503, retryAfterSeconds: error.retryAfterSeconds };
  if (error instanceof TerminalError) return { status: error.reason === "InvalidToken" ? 401 : 400 };
  return { status: 503, retryAfterSeconds: 5 };
}
