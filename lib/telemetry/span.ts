import { context, type Span, type SpanOptions, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";

/** Does nothing, and costs next to nothing, where telemetry is off. */
export function tracer(): Tracer {
  return trace.getTracer("agentic");
}

/** Runs work in a span of its own. What it throws is noted, and thrown on. */
export function inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  return inGiven(tracer().startSpan(name, options), work);
}

/** Runs work in a span that has just been started, and ends it. */
export function inGiven<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  return context.with(trace.setSpan(context.active(), span), async () => {
    try {
      return await work(span);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

const MAX_MESSAGE = 500;

/** Notes of a span that it ended otherwise than well: the reason or type of what was thrown, and its message; no stack. */
export function fail(span: Span, error: unknown): void {
  const { name = "Error", reason = name, message = "" } = error as { name?: string; reason?: string; message?: string };
  span.setAttribute("error.type", reason);
  span.setStatus({ code: SpanStatusCode.ERROR, message: message.slice(0, MAX_MESSAGE) });
}
