import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import type { SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { stepSpanId, traceId, traceSeed } from "../../engine/trace.ts";

const SHARED = createContextKey("attributes of every span below");

/** Runs work under the trace of who asked for it (W3C traceparent), with attributes that each span below gets. */
export function underTrace<T>(traceparent: string | undefined, shared: Attributes, work: () => Promise<T>): Promise<T> {
  const parent = propagation.extract(ROOT_CONTEXT, traceparent === undefined ? {} : { traceparent });
  return context.with(parent.setValue(SHARED, shared), work);
}

/** Runs work under a gate of a run, whose span is written when the run has ended. `run` undefined: of no known run. */
export function underGate(gate: { uid: string; run: string | undefined; gate: string }, work: () => void): void {
  const { uid, run } = gate;
  context.with(run === undefined ? ROOT_CONTEXT : contextOf({ uid, run }, gate.gate), work);
}

function contextOf({ uid, run }: { uid: string; run: string }, gate: string): Context {
  const seed = traceSeed({ workload: { uid }, run });
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceId(seed),
    spanId: stepSpanId(seed, gate),
    traceFlags: TraceFlags.SAMPLED,
  });
}

/** Gives each span the attributes of the trace that it is under. */
export const attributesOfTheContext: SpanProcessor = {
  onStart: (span, parent) => void span.setAttributes((parent.getValue(SHARED) as Attributes | undefined) ?? {}),
  onEnd: () => undefined,
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
};
