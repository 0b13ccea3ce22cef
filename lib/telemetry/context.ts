import { type Attributes, context, createContextKey, propagation, ROOT_CONTEXT } from "@opentelemetry/api";
import type { SpanProcessor } from "@opentelemetry/sdk-trace-base";

const SHARED = createContextKey("attributes of every span below");

/** Runs work under the trace of who asked for it (W3C traceparent), with attributes that each span below gets. */
export function underTrace<T>(traceparent: string | undefined, shared: Attributes, work: () => Promise<T>): Promise<T> {
  const parent = propagation.extract(ROOT_CONTEXT, traceparent === undefined ? {} : { traceparent });
  return context.with(parent.setValue(SHARED, shared), work);
}

/** Gives each span the attributes of the trace that it is under. */
export const attributesOfTheContext: SpanProcessor = {
  onStart: (span, parent) => void span.setAttributes((parent.getValue(SHARED) as Attributes | undefined) ?? {}),
  onEnd: () => undefined,
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
};
