import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { errorResponse, tooLarge } from "../../lib/error-response.ts";
import { admit, type Refusal } from "./admit.ts";
import { decide } from "./decide.ts";
import type { ApproveDeps } from "./deps.ts";
import { decisionOfEvent } from "./event.ts";
import { createPages, MAX_BODY_BYTES } from "./pages.ts";

/** Shows reviews and takes decisions: by form or JSON under /review, as a CloudEvent under /. */
export function createApp(deps: ApproveDeps): Hono {
  const app = new Hono();
  app.onError((error, c) => errorResponse(error, c, deps.log));
  app.get("/health/liveness", (c) => c.body(null, 200));
  app.get("/health/readiness", (c) => c.body(null, deps.draining.aborted ? 503 : 200));
  app.route("/review", createPages(deps));
  app.post("/", bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }), async (c) => {
    const event = decisionOfEvent(Object.fromEntries(c.req.raw.headers), await c.req.text());
    if ("problem" in event) {
      deps.log.warn({ problem: event.problem }, "event refused");
      return refuse(c, { status: 400, reason: "InvalidDecision", message: event.problem });
    }
    const admitted = await admit(deps, event.token, event.ref, event.gate);
    if ("status" in admitted) return refuse(c, admitted);
    const verdict = await decide(deps, admitted, event.request);
    return verdict.status === 200 ? c.body(null, 200) : refuse(c, verdict);
  });
  return app;
}

/** An answer for a Broker, which takes any body for an event: the body is empty, and headers say why. */
function refuse(c: Context, { status, reason, message }: Refusal): Response {
  c.header("agentic-reason", reason);
  c.header("agentic-message", encodeURIComponent(message.slice(0, 500)));
  return c.body(null, status);
}
