import type { Agent } from "../../../crd/agent.ts";
import type { WorkloadSpec } from "../../../crd/agentworkload.ts";
import type { FinalDecision, Findings } from "../../../engine/findings.ts";
import type { PipelineStep } from "../../../engine/pipeline.ts";
import type { StepResult } from "../../../engine/result.ts";
import type { Run } from "../../../engine/run.ts";
import type { RunEnd } from "../../../engine/walk.ts";
import type { Claim } from "../../../lib/quota/accounts.ts";
import type { RunView, Settlement } from "../run-engine.ts";
import type { GateView } from "./gate.ts";
import type { StepView } from "./step-view.ts";

/** `result`: one that no agent left, to be stored; its digest is then the node's output. */
export type PlannedSettlement = Settlement & { readonly result?: StepResult };

/** What reconcile does: plan.ts decides on it, apply.ts does it. */
export type Action =
  | { readonly type: "addFinalizer" }
  /** Brings the accounts of a quota in line with what the workload needs. */
  | { readonly type: "claim"; readonly claim: Claim }
  /** Makes the Agent of a workload's image, or what the image now asks for. */
  | { readonly type: "applyAgent"; readonly agent: Agent }
  /** `spec`: kept in the object store, for the time when the workload's is one that is refused. */
  | { readonly type: "createRun"; readonly body: object; readonly spec: WorkloadSpec }
  /** Other terms of the same run. */
  | { readonly type: "updateRun"; readonly view: RunView; readonly body: object; readonly spec: WorkloadSpec }
  /** Of a spec that is no longer wanted. */
  | { readonly type: "stopRun"; readonly view: RunView }
  | { readonly type: "deleteRun"; readonly view: RunView }
  /** Records what the runs of a workload used that is being deleted. */
  | { readonly type: "recordDeleted" }
  /** Deletes what is kept of the workload's steps and artifacts, then lets the object go. */
  | { readonly type: "cleanUp" }
  /** Deletes the artifacts of a run whose time to live is over. */
  | { readonly type: "expireArtifacts" }
  | { readonly type: "settle"; readonly view: RunView; readonly settlements: readonly PlannedSettlement[] }
  /** Changes nothing but the run object's version, so that the engine looks at it. */
  | { readonly type: "nudge"; readonly view: RunView }
  | { readonly type: "dispatch"; readonly run: Run; readonly steps: readonly StepView[] }
  /** Has the agents of these steps start while the steps before them run. */
  | { readonly type: "expect"; readonly run: Run; readonly steps: readonly PipelineStep[] }
  /** Puts what a gate is about where its readers look for it. */
  | { readonly type: "publish"; readonly findings: Findings; readonly decision?: FinalDecision }
  /** Tells who wants to know that a review waits. */
  | { readonly type: "requestReview"; readonly gate: GateView }
  /** Tells who wants to know that a run has ended, and how. `data`: of its output step. */
  | { readonly type: "announce"; readonly run: Run; readonly end: RunEnd; readonly data?: unknown };
