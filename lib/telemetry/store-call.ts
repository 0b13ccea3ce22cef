import { type Span, trace } from "@opentelemetry/api";
import { fail, tracer } from "./span.ts";

/** A call that takes longer than a store in the same cluster needs is worth a look of its own. */
const SLOW_MS = 100;

export type StoreVerb = "read" | "write" | "remove";

/** What spans have counted so far: OpenTelemetry's API does not say. */
const counted = new WeakMap<Span, Map<StoreVerb, number>>();

/**
 * One call to the artifact store. A run of fifty pages makes two thousand, of a few milliseconds each: in its trace they would hide all else. So
 * they are counted on the span that they are part of, and one that is slow or fails has a span of its own.
 */
export async function inStoreCall<T>(verb: StoreVerb, key: string, work: () => Promise<T>): Promise<T> {
  const startTime = Date.now();
  const note = (): Span =>
    tracer().startSpan(`artifact ${verb}`, { startTime, attributes: { "agentic.artifact": key } });
  try {
    const result = await work();
    if (Date.now() - startTime >= SLOW_MS) note().end();
    else count(verb);
    return result;
  } catch (error) {
    const span = note();
    fail(span, error);
    span.end();
    throw error;
  }
}

function count(verb: StoreVerb): void {
  const span = trace.getActiveSpan();
  if (!span) return;
  const counts = counted.get(span) ?? new Map<StoreVerb, number>();
  counts.set(verb, (counts.get(verb) ?? 0) + 1);
  counted.set(span, counts);
  span.setAttribute(`agentic.artifact.${verb}s`, counts.get(verb) ?? 0);
}
