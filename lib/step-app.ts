import type { CloudEvent } from "cloudevents";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import type { RunDurably, StepGraph } from "./durable/durable.ts";
import { errorResponse } from "./error-response.ts";
import { TerminalError } from "./errors.ts";
import { parseEvent } from "./events.ts";
import type { Logger } from "./log.ts";
import {
  HINTS,
  STEP_COMPLETED,
  STEP_REQUESTED,
  type StepInput,
  type StepRequest,
  type StepResult,
  stepRequestSchema,
} from "./step.ts";
import type { VerifyStepToken } from "./token.ts";

export interface StepAppDeps {
  readonly runDurably: RunDurably;
  readonly verifyToken: VerifyStepToken;
  readonly log: Logger;
  /** Aborts on SIGTERM: what runs stops after its current node, and readiness turns to 503. */
  readonly draining: AbortSignal;
}

/** A request holds keys and short strings; 500 upstream results of about 700 bytes fit. */
const MAX_EVENT_BYTES = 1024 * 1024;

/** The step contract over HTTP: a CloudEvent in, a CloudEvent or an empty body out. lib/error-response.ts has the table of statuses. */
export function createStepApp(step: string, graph: StepGraph, deps: StepAppDeps): Hono {
  const app = new Hono();
  app.get("/health/liveness", (c) => c.body(null, 200));
  app.get("/health/readiness", (c) => c.body(null, deps.draining.aborted ? 503 : 200));
  // The rest of the body is not read, so the connection is of no more use.
  const tooLarge = (c: Context) => c.body(null, 413, { "agentic-reason": "TooLarge", connection: "close" });
  app.post("/", bodyLimit({ maxSize: MAX_EVENT_BYTES, onError: tooLarge }), async (c) => {
    const event = parseEvent(Object.fromEntries(c.req.raw.headers), await c.req.text());
    if (HINTS.has(event.type)) return c.body(null, 200);
    const { id, request } = parseRequest(step, event);
    const claims = await deps.verifyToken(request.token);
    if (claims.jti !== id || claims.sub !== request.workload.uid || claims.run !== request.run) {
      throw new TerminalError("InvalidToken", "the step token was minted for another step");
    }
    const log = deps.log.child({
      step,
      identity: id,
      workload: `${request.workload.namespace}/${request.workload.name}`,
    });
    const result = await deps.runDurably({
      graph,
      retryLimit: request.retryLimit,
      signal: deps.draining,
      context: {
        identity: id,
        workload: request.workload,
        run: request.run,
        input: request.input,
        claims,
        token: request.token,
        deadline: new Date(request.deadline),
        log,
      },
    });
    const { headers, body } = completed(id, step, request, result);
    return c.body(body, 200, headers);
  });
  app.onError((error, c) => errorResponse(error, c, deps.log));
  return app;
}

function parseRequest(step: string, event: CloudEvent<unknown>): { id: string; request: StepRequest } {
  if (event.type !== STEP_REQUESTED)
    throw new TerminalError("WrongType", `expected type ${STEP_REQUESTED}, got ${event.type}`);
  const parsed = stepRequestSchema.safeParse(event.data);
  if (!parsed.success) throw new TerminalError("InvalidRequest", z.prettifyError(parsed.error));
  if (parsed.data.step !== step)
    throw new TerminalError("WrongStep", `this function does ${step}, not ${parsed.data.step}`);
  return { id: event.id, request: parsed.data };
}

function completed(
  id: string,
  step: string,
  request: StepRequest,
  result: StepResult,
): { headers: Record<string, string>; body: string } {
  // Structured mode, written out and without `time`: the same id gives the same bytes, whenever it is asked for.
  const event = {
    specversion: "1.0",
    id: `${id}-completed`,
    type: STEP_COMPLETED,
    source: `/functions/${step}`,
    subject: subjectOf(request),
    datacontenttype: "application/json",
    data: { request: id, ...result },
  };
  return { headers: { "content-type": "application/cloudevents+json" }, body: JSON.stringify(event) };
}

/** namespace/name/step/item, the subject of the step's events. */
export function subjectOf(of: Pick<StepRequest, "workload" | "step"> & { readonly input?: StepInput }): string {
  const { namespace, name } = of.workload;
  return [namespace, name, of.step, of.input?.item].filter((part) => part !== undefined).join("/");
}
