import { sha256 } from "../../../engine/canonical.ts";
import type { Run } from "../../../engine/run.ts";

/** One trace a run: its id follows from the run, so that whoever takes part finds the same. 32 hex characters. */
export function traceId({ workload, run }: Pick<Run, "workload" | "run">): string {
  return sha256(`${workload.uid}/${run}`).slice(0, 32);
}

/** W3C trace context of a step's request; the parent span is the step itself. */
export function traceparent(run: Pick<Run, "workload" | "run">, identity: string): string {
  return `00-${traceId(run)}-${identity.slice(-16)}-01`;
}
