import { canonicalJson, sha256 } from "./canonical.ts";
import type { StepInput } from "./result.ts";

/** What a step's outcome depends on, and nothing else: two steps with equal dependencies share one result. */
export interface StepDependencies {
  /** The workload's. */
  readonly uid: string;
  readonly step: string;
  /** The agent's: new code never reuses the results of old code. */
  readonly revision: string;
  readonly input: StepInput;
}

/** The step's identity: CloudEvent id, checkpoint thread and record key. 32 hex characters. */
export function stepIdentity({ uid, step, revision, input }: StepDependencies): string {
  return sha256(canonicalJson({ uid, step, revision, input })).slice(0, 32);
}

/** Names one run of a workload: the same spec is the same run. 10 hex characters, fit for a Kubernetes name. */
export function runHash(uid: string, spec: unknown): string {
  return sha256(canonicalJson({ uid, spec })).slice(0, 10);
}
