import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { attributesOfTheContext } from "../../lib/telemetry/context.ts";
import { idGenerator } from "../../lib/telemetry/ids.ts";

/** A span as tests look at it. */
export interface Seen {
  readonly name: string;
  readonly traceId: string;
  readonly id: string;
  readonly parent: string | undefined;
  readonly links: readonly string[];
  readonly ms: number;
  readonly status: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The SDK as a process has it, but for the way out: spans stay here. For the whole file. */
export function collectSpans() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    idGenerator,
    spanProcessors: [attributesOfTheContext, new SimpleSpanProcessor(exporter)],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    spans: (): Seen[] =>
      exporter.getFinishedSpans().map((span) => ({
        name: span.name,
        traceId: span.spanContext().traceId,
        id: span.spanContext().spanId,
        parent: span.parentSpanContext?.spanId,
        links: span.links.map((link) => link.context.spanId),
        ms: span.duration[0] * 1000 + span.duration[1] / 1e6,
        status: span.status.message,
        attributes: span.attributes,
      })),
    reset: () => exporter.reset(),
  };
}
