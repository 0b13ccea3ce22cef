import { sha256 } from "../../lib/canonical.ts";
import type { RunOrder } from "../../pipeline/run-order.ts";

/** One trace a run: its id follows from the run, so that whoever takes part finds the same. 32 hex characters. */
export function traceId({ workload, run }: Pick<RunOrder, "workload" | "run">): string {
  return sha256(`${workload.uid}/${run}`).slice(0, 32);
}

/** W3C trace context of a step's request; the parent span is the step itself. */
export function traceparent(order: Pick<RunOrder, "workload" | "run">, identity: string): string {
  return `00-${traceId(order)}-${identity.slice(0, 16)}-01`;
}
