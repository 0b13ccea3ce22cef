import type { PipelineStep } from "../engine/pipeline.ts";
import type { Item } from "../engine/result.ts";
import { type Run, retryLimitOf } from "../engine/run.ts";
import { allowListFor } from "./allow-list.ts";
import type { StepClaims } from "./token.ts";

/** What one step of a run may do, and until when. `item`: of its fan-out; `spentUsd`: what the run has cost so far. */
export function claimsForStep(
  run: Run,
  { step, item }: { readonly step: PipelineStep; readonly item?: Item | undefined },
  { identity, deadline, spentUsd }: { readonly identity: string; readonly deadline: Date; readonly spentUsd: number },
): StepClaims {
  return {
    sub: run.workload.uid,
    jti: identity,
    run: run.run,
    allow: allowListFor(step, item, run.egressAllow),
    deadline: deadline.toISOString(),
    retryLimit: retryLimitOf(run, step),
    spentUsd,
    ...(run.budgetUsd === undefined ? {} : { budgetUsd: run.budgetUsd }),
  };
}
