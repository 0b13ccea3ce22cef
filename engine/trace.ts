import { sha256 } from "./canonical.ts";
import type { Run } from "./run.ts";

/*
 * One trace a run (W3C Trace Context). The ids of its spans follow from what they stand for, so that all who take part, at whatever time,
 * name the same ones, and who writes a span twice writes the same span.
 */

type RunRef = Pick<Run, "workload" | "run">;

/** 32 hex characters. */
export function traceId({ workload, run }: RunRef): string {
  return sha256(`${workload.uid}/${run}`).slice(0, 32);
}

/** 16 hex characters, as all ids of spans: the whole run, the root. */
export function runSpanId({ workload, run }: RunRef): string {
  return sha256(`${workload.uid}/${run}/run`).slice(0, 16);
}

/** A step, whoever does it, however often it is started; `index`: in a fan-out, which item. Likewise a gate. */
export function stepSpanId({ workload, run }: RunRef, step: string, index = 0): string {
  return sha256(`${workload.uid}/${run}/step/${step}/${index}`).slice(0, 16);
}

/** The traceparent of a step's request: its spans are children of the step. */
export function stepTraceparent(run: RunRef, step: string, index?: number): string {
  return `00-${traceId(run)}-${stepSpanId(run, step, index)}-01`;
}
