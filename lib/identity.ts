import { canonicalJson, sha256 } from "./canonical.ts";

/** What a step's outcome depends on, and nothing else: two steps with equal dependencies share one result. */
export interface StepDependencies {
  readonly uid: string;
  readonly step: string;
  readonly item?: string;
  /** The values of the spec that the step's pipeline entry names in `params`. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Artifact keys of the steps before it; keys are content addresses, so other bytes are another identity. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** The step's identity: CloudEvent id, checkpoint thread and record key. 32 hex characters. */
export function stepIdentity(dependencies: StepDependencies): string {
  return sha256(canonicalJson(dependencies)).slice(0, 32);
}

/** Names one run of a workload: the same spec is the same run. 10 hex characters, fit for a Kubernetes name. */
export function runHash(uid: string, spec: unknown): string {
  return sha256(canonicalJson({ uid, spec })).slice(0, 10);
}
