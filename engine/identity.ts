import { canonicalJson, sha256 } from "./canonical.ts";
import type { StepInput, WorkloadRef } from "./result.ts";

/** What a step's outcome depends on, and nothing else: two steps with equal dependencies share one result. */
export interface StepDependencies {
  readonly workload: Pick<WorkloadRef, "namespace" | "uid">;
  readonly step: string;
  /** The agent's: new code never reuses the results of old code. */
  readonly revision: string;
  readonly input: StepInput;
}

/**
 * The step's identity: CloudEvent id, checkpoint thread and record key. The namespace, a dot and 32 hex characters: a tenant's login to
 * Redis reaches what begins with its namespace (lib/edges/tenant-login.ts), which itself has no dot.
 */
export function stepIdentity({ workload, step, revision, input }: StepDependencies): string {
  const { namespace, uid } = workload;
  return `${namespace}.${sha256(canonicalJson({ uid, step, revision, input })).slice(0, 32)}`;
}

/** The namespace that a step's identity begins with. */
export function namespaceIn(identity: string): string {
  return identity.slice(0, identity.lastIndexOf("."));
}

/** The workload's budget ledger, also begun by its namespace. */
export function ledgerName({ namespace, uid }: Pick<WorkloadRef, "namespace" | "uid">): string {
  return `${namespace}.${uid}`;
}

/** Names one run of a workload: the same spec is the same run. 10 hex characters, fit for a Kubernetes name. */
export function runHash(uid: string, spec: unknown): string {
  return sha256(canonicalJson({ uid, spec })).slice(0, 10);
}
