import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { RunDurably, StepGraph } from "./durable/durable.ts";
import { errorResponse, tooLarge } from "./error-response.ts";
import { TerminalError } from "./errors.ts";
import { parseEvent } from "./events.ts";
import type { HostAccess } from "./host-access.ts";
import type { Logger } from "./log.ts";
import type { OpenAccess } from "./sealed-access.ts";
import { HINTS, parseStepRequested, type StepRequest, stepCompleted, type TraceAttributes } from "./step-events.ts";
import { runAttributes } from "./telemetry/attributes.ts";
import { underTrace } from "./telemetry/context.ts";
import { METRIC } from "./telemetry/metrics.ts";
import type { StepClaims, VerifyStepToken } from "./token.ts";

export interface AgentAppDeps {
  readonly runDurably: RunDurably;
  readonly verifyToken: VerifyStepToken;
  /** Decrypts what is to be shown to single hosts. */
  readonly openAccess: OpenAccess;
  readonly log: Logger;
  /** Aborts on SIGTERM: what runs stops after its current node, and readiness turns to 503. */
  readonly draining: AbortSignal;
}

/** Results of 500 steps with some data each. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

/** An agent over HTTP, by the step contract: a CloudEvent in, a CloudEvent or an empty body out (docs/ARCHITECTURE.md). */
export function createAgentApp(graph: StepGraph, deps: AgentAppDeps): Hono {
  const app = new Hono();
  app.get("/health/liveness", (c) => c.body(null, 200));
  app.get("/health/readiness", (c) => c.body(null, deps.draining.aborted ? 503 : 200));
  app.post("/", bodyLimit({ maxSize: MAX_EVENT_BYTES, onError: tooLarge }), async (c) => {
    const event = parseEvent(Object.fromEntries(c.req.raw.headers), await c.req.text());
    if (HINTS.has(event.type)) return c.body(null, 200);
    const { identity, request } = parseStepRequested(event);
    const claims = await deps.verifyToken(request.token);
    if (claims.jti !== identity || claims.sub !== request.workload.uid || claims.run !== request.run)
      throw new TerminalError("InvalidToken", "the step token was minted for another step");
    const { workload, run, step, input, egressToken } = request;
    const hostAccess = await accessOf(request, claims, deps.openAccess);
    const log = deps.log.child({ step, identity, workload: `${workload.namespace}/${workload.name}` });
    const deadline = new Date(claims.deadline);
    const { traceparent, pipeline } = event as TraceAttributes;
    METRIC.queueDuration.record(Math.max(0, Date.now() - Date.parse(event.time ?? "")) / 1000 || 0, { step });
    const result = await underTrace(traceparent, runAttributes({ workload, run, pipeline }), async () => {
      const ended = await deps.runDurably({
        graph,
        signal: deps.draining,
        context: { identity, workload, run, step, input, claims, egressToken, hostAccess, deadline, log },
      });
      log.info({ outcome: ended.outcome, reason: ended.reason }, "step ended");
      return ended;
    });
    const { headers, body } = stepCompleted(identity, request, result);
    return c.body(body, 200, headers);
  });
  app.onError((error, c) => errorResponse(error, c, deps.log));
  return app;
}

/** A step that is to show something and cannot does not go on without: what it would find is not what was asked for. */
async function accessOf(
  { hostAccess = "" }: StepRequest,
  { jti, hostAccess: kinds = {} }: StepClaims,
  openAccess: OpenAccess,
): Promise<HostAccess> {
  return Object.keys(kinds).length === 0 ? {} : openAccess(hostAccess, jti);
}
