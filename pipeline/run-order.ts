import type { AgentWorkload } from "../crd/agentworkload.ts";
import { parseDuration } from "../crd/duration.ts";
import { runHash } from "../lib/identity.ts";
import type { WorkloadRef } from "../lib/step.ts";
import type { StepParams } from "./dispatch.ts";
import { marketAnalysis } from "./market-analysis.ts";
import type { Pipeline } from "./pipeline.ts";
import { toleratedFailures } from "./tolerance.ts";

/** A run as those who drive it see it: lists, limits and parameters, nothing of what the steps do. */
export interface RunOrder {
  readonly pipeline: Pipeline;
  readonly workload: WorkloadRef;
  readonly run: string;
  readonly lists: Readonly<Record<"sites", readonly string[]>>;
  readonly params: StepParams;
  readonly parallelism: number;
  readonly tolerated: number;
  readonly retryLimit: number;
  readonly deadlineMs: Readonly<Record<"site" | "run", number>>;
}

/** Of spec.deadlines.run, past the gate's own timeout. */
const DEFAULT_RUN_DEADLINE = "24h";

/** The run that a spec asks for. Holding it (suspend) and keeping it (ttlAfterFinished) make no other run of it. */
export function orderOf({ metadata, spec }: AgentWorkload, uid: string): RunOrder {
  const { suspend: _held, ttlAfterFinished: _kept, ...asked } = spec;
  return {
    pipeline: marketAnalysis,
    workload: { namespace: metadata.namespace, name: metadata.name, uid },
    run: runHash(uid, asked),
    lists: { sites: spec.sites },
    params: { objective: spec.objective, model: spec.model },
    parallelism: spec.replicas,
    tolerated: toleratedFailures(spec.tolerate.failedSites, spec.sites.length),
    retryLimit: spec.retry.limit,
    deadlineMs: {
      site: parseDuration(spec.deadlines.site),
      run:
        parseDuration(spec.deadlines.run ?? DEFAULT_RUN_DEADLINE) +
        (spec.deadlines.run ? 0 : parseDuration(spec.review.timeout)),
    },
  };
}
