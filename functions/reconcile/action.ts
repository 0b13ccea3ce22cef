import type { Decision, Findings } from "../../pipeline/findings.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { RunOrder } from "../../pipeline/run-order.ts";
import type { GateView } from "./gate.ts";
import type { Settlement, WorkflowView } from "./nodes.ts";
import type { StepView } from "./walk.ts";

/** What reconcile does: plan.ts decides on it, apply.ts does it. */
export type Action =
  | { readonly type: "addFinalizer" }
  | { readonly type: "createWorkflow"; readonly body: object }
  /** Of a spec that is no longer wanted. */
  | { readonly type: "stopWorkflow"; readonly workflow: WorkflowView }
  | { readonly type: "deleteWorkflow"; readonly workflow: WorkflowView }
  /** Drops what is kept of the workload's steps and artifacts, then lets the object go. */
  | { readonly type: "cleanUp" }
  | { readonly type: "settle"; readonly workflow: WorkflowView; readonly settlements: readonly Settlement[] }
  /** Changes nothing but the Workflow's version, so that Argo looks at it. */
  | { readonly type: "nudge"; readonly workflow: WorkflowView }
  | { readonly type: "dispatch"; readonly steps: readonly StepView[] }
  /** Has the functions of these steps start while the steps before them run. */
  | { readonly type: "expect"; readonly steps: readonly Step[]; readonly order: RunOrder }
  /** Puts what the gate is about where its readers look for it. */
  | { readonly type: "publish"; readonly findings: Findings; readonly decision?: Decision }
  /** Tells who wants to know that a review waits. */
  | { readonly type: "askForReview"; readonly gate: GateView };
