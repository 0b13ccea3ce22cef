import type { SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { endsWithin } from "../ends-within.ts";
import type { Health } from "./export-health.ts";

/** Longest that an answer waits for what it left to be sent: a receiver in the same cluster takes a few milliseconds. */
const FLUSH_MS = 100;

/** Somebody who gets all spans, or all records, of this process. */
export interface Receiver {
  readonly processors: readonly { forceFlush(): Promise<void> }[];
  readonly exports: Health;
}

export interface SpanReceiver extends Receiver {
  readonly processors: readonly SpanProcessor[];
}

/** Sends what has ended. One that kept the last answer waiting gets what there is in the background, until it takes something again. */
export async function flushTo({ processors, exports }: Receiver): Promise<void> {
  if (!exports.isHealthy()) return;
  const sent = Promise.allSettled(processors.map((processor) => processor.forceFlush()));
  if (!(await endsWithin(FLUSH_MS, sent))) exports.suspect();
}
