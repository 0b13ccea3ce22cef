import {
  type AgentWorkload,
  type Comparison,
  comparisonSchema,
  type WorkloadStatus,
} from "../../../crd/agentworkload.ts";
import { chosenFor, isChosenFor, wantedComparison } from "../../../engine/comparison.ts";
import type { Kube, KubeObject } from "../../../lib/edges/kube.ts";

/**
 * The run that a run which is about to start is compared with. It is in the status from then on, and in the run object: an edit that asks
 * for no other one keeps it, so that what the edit does not concern is not done again. Undefined: the spec asks for none.
 */
export async function observeComparison(
  { spec }: AgentWorkload,
  object: KubeObject,
  /** A run of the workload has begun. */
  hasBegun: boolean,
  { kube }: { readonly kube: Pick<Kube, "workloads"> },
): Promise<Comparison | undefined> {
  const { namespace, name: own } = object.metadata;
  const known = comparisonSchema.safeParse(((object.status ?? {}) as WorkloadStatus).comparedWith).data;
  // Where nothing was found, and nothing has begun without it, there may be something by now.
  if (known && isChosenFor(spec, known) && (hasBegun || known.results !== undefined)) return known;
  const name = wantedComparison(spec, own);
  if (name === undefined) return undefined;
  const other = name === own ? object : await kube.workloads.get({ namespace, name });
  const { results, phase } = (other?.status ?? {}) as WorkloadStatus;
  const comparison = { workload: name, ...(other ? { uid: other.metadata.uid } : {}), ...chosenFor(spec) };
  if (results !== undefined) return { ...comparison, results };
  const problem = other
    ? `no run of AgentWorkload ${name} has succeeded, or its artifacts have expired (phase ${phase ?? "unknown"})`
    : `there is no AgentWorkload ${name} in namespace ${namespace}`;
  return { ...comparison, problem };
}
