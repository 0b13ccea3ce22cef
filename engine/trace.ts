import { sha256 } from "./canonical.ts";
import type { Run } from "./run.ts";

/*
 * One trace a run (W3C Trace Context). The ids of its spans follow from what they stand for, so that all who take part, at whatever time,
 * name the same ones, and who writes a span twice writes the same span.
 */

/** What makes a run's trace its own: in a cluster the workload's uid, which no other workload ever has, and the run. */
export function traceSeed({ workload, run }: { workload: Pick<Run["workload"], "uid">; run: string }): string {
  return `${workload.uid}/${run}`;
}

/** 32 hex characters. */
export function traceId(seed: string): string {
  return sha256(seed).slice(0, 32);
}

/** The address of a trace in a viewer. @param template with `{trace}` in place of the id */
export function traceUrl(template: string, trace: string): string {
  return template.replaceAll("{trace}", trace);
}

/** 16 hex characters, as all ids of spans: the whole run, the root. */
export function runSpanId(seed: string): string {
  return sha256(`${seed}/run`).slice(0, 16);
}

/** A step, whoever does it, however often it is started; `index`: in a fan-out, which item. Likewise a gate. */
export function stepSpanId(seed: string, step: string, index = 0): string {
  return sha256(`${seed}/step/${step}/${index}`).slice(0, 16);
}

/** The traceparent of a step's request: its spans are children of the step. */
export function stepTraceparent(seed: string, step: string, index?: number): string {
  return `00-${traceId(seed)}-${stepSpanId(seed, step, index)}-01`;
}
