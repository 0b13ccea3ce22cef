import { parseDuration } from "../../crd/duration.ts";
import { BUDGET_EXCEEDED, fanOutFailure, type Outcomes } from "../../pipeline/outcomes.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { RunOrder } from "../../pipeline/run-order.ts";
import { stagesOf } from "../../pipeline/stages.ts";
import type { Action } from "./action.ts";
import { type GateView, gateVerdict, writtenDecision } from "./gate.ts";
import type { NodeView, Settlement, WorkflowView } from "./nodes.ts";
import type { Observed } from "./observe.ts";
import { planStop, planTurn } from "./turn.ts";
import { outputOf, type StepView } from "./walk.ts";
import { DECISION_PARAMETER, RESULT_PARAMETER, renderWorkflow, workflowName } from "./workflow.ts";

export const FINALIZER = "agentic.dev/cleanup";

/** What must happen next, given what is. Pure: no clock but `now`, no I/O. What is said of it is status.ts's. */
export function plan(observed: Observed, now: Date): Action[] {
  const { object, spec, workflow, others } = observed;
  if (object.metadata.deletionTimestamp !== undefined) return planDeletion(observed);
  if (!object.metadata.finalizers.includes(FINALIZER)) return [{ type: "addFinalizer" }];
  const stops = others.flatMap((other): Action[] => {
    if (hasEnded(other)) return [];
    return other.shutdown ? planStop(other, now) : [{ type: "stopWorkflow", workflow: other }];
  });
  if (!("order" in spec)) return stops;
  if (!workflow) {
    const held = spec.workload.spec.suspend || hasFinished(observed, workflowName(spec.order), now);
    if (held) return stops;
    const body = renderWorkflow(spec.order, spec.workload);
    return [...stops, { type: "createWorkflow", body }, ...expect(spec.order, [], ({ after }) => after.length === 0)];
  }
  if (hasEnded(workflow) || workflow.deleted) return stops;
  if (workflow.shutdown) return [...stops, ...planStop(workflow, now)];
  if (isHeld(observed)) return stops;
  return [...stops, ...planRun(observed, workflow, spec.order, now)];
}

function planDeletion({ object, workflow, others }: Observed): Action[] {
  if (!object.metadata.finalizers.includes(FINALIZER)) return [];
  const all = [...(workflow ? [workflow] : []), ...others];
  if (all.length === 0) return [{ type: "cleanUp" }];
  return all.flatMap((one): Action[] => (one.deleted ? [] : [{ type: "deleteWorkflow", workflow: one }]));
}

function planRun(observed: Observed, workflow: WorkflowView, order: RunOrder, now: Date): Action[] {
  const { steps, gate } = observed;
  const spent = steps.some(({ outcome }) => outcome?.reason === BUDGET_EXCEEDED);
  const settlements: Settlement[] = [];
  const wanted: StepView[] = [];
  for (const view of steps) {
    const result = view.outcome ?? (spent && !isUnderWay(view) ? budgetSpent() : undefined);
    if (!result) {
      if (!isUnderWay(view)) wanted.push(view);
    } else if (view.node.phase === "Running") {
      settlements.push(
        result.outcome === "succeeded"
          ? {
              node: view.node,
              phase: "Succeeded",
              parameter: RESULT_PARAMETER,
              value: outputOf(result, view.identity),
            }
          : { node: view.node, phase: "Failed", message: `${result.reason}: ${result.message ?? ""}`.slice(0, 200) },
      );
    }
  }
  const atGate = gate ? planGate(observed, gate, order) : { actions: [] };
  if (atGate.settlement) settlements.push(atGate.settlement);
  const begins = new Set(wanted.map(({ step }) => step.name));
  if (atGate.settlement && gate && writtenDecision(gate, observed.review)?.decision === "approved")
    begins.add(gate.node.step);
  return [
    // Work first, then what is said of it.
    ...(wanted.length > 0 ? [...publishFor(observed, wanted), { type: "dispatch" as const, steps: wanted }] : []),
    ...planTurn(workflow, settlements, now),
    ...atGate.actions,
    ...expect(order, workflow.nodes, ({ after }) => after.some((name) => begins.has(name))),
  ];
}

/** Steps that none of the nodes is of yet. */
function expect(order: RunOrder, nodes: readonly NodeView[], comesNext: (step: Step) => boolean): Action[] {
  const steps = order.pipeline.steps.filter(
    (step) => !step.gate && comesNext(step) && !nodes.some((node) => node.step === step.name),
  );
  return steps.length > 0 ? [{ type: "expect", steps, order }] : [];
}

/** A step that comes after the gate reads the findings and the decision. */
function publishFor({ gate, review }: Observed, wanted: readonly StepView[]): Action[] {
  if (!gate || !wanted.some(({ step }) => !step.forEach)) return [];
  const decision = gateVerdict(gate, review);
  return decision ? [{ type: "publish", findings: gate.findings, decision }] : [];
}

function planGate(
  { review, outcomes, spec }: Observed,
  gate: GateView,
  order: RunOrder,
): { settlement?: Settlement; actions: Action[] } {
  const { node } = gate;
  if (node.phase !== "Running") return { actions: [] };
  const failure = runFailure(outcomes, order);
  if (failure)
    return { settlement: { node, phase: "Failed", message: `${failure.reason}: ${failure.message}` }, actions: [] };
  const decision = writtenDecision(gate, review);
  if (decision)
    return {
      settlement: { node, phase: "Succeeded", parameter: DECISION_PARAMETER, value: decision.decision },
      actions: [],
    };
  // The review is open once the status says so (status.ts); until then this is done again.
  if (review) return { actions: [] };
  const required = "workload" in spec && spec.workload.spec.review.required;
  return {
    actions: [
      { type: "publish", findings: gate.findings },
      ...(required ? [{ type: "askForReview" as const, gate }] : []),
    ],
  };
}

/** Why the run ends at the gate, if it does. */
export function runFailure(outcomes: Outcomes, order: RunOrder): { reason: string; message: string } | undefined {
  for (const stage of stagesOf(order.pipeline)) {
    const failure = "chain" in stage ? fanOutFailure(stage.chain, order, outcomes) : undefined;
    if (failure) return failure;
  }
  return undefined;
}

export function hasEnded({ phase }: WorkflowView): boolean {
  return phase === "Succeeded" || phase === "Failed" || phase === "Error";
}

/** Nothing new starts: the spec says so, or somebody said so in Argo. */
export function isHeld({ spec, workflow }: Observed): boolean {
  return (
    ("workload" in spec && spec.workload.spec.suspend) || Boolean(workflow?.suspended) || Boolean(workflow?.shutdown)
  );
}

/**
 * A run that has ended stays ended when its Workflow's time to live is over, as a Job does. A failed one whose Workflow somebody
 * deleted before that is wanted again: Argo's own retry starts no suspend node anew.
 */
export function hasFinished({ object, spec }: Observed, workflow: string, now: Date): boolean {
  const status = object.status as { workflow?: unknown; finishedAt?: unknown; phase?: unknown } | undefined;
  if (status?.workflow !== workflow || typeof status.finishedAt !== "string" || !("workload" in spec)) return false;
  const keptUntil = new Date(status.finishedAt).getTime() + parseDuration(spec.workload.spec.ttlAfterFinished);
  return status.phase !== "Failed" || now.getTime() >= keptUntil;
}

/** A request is on its way, or an instance works on it. */
function isUnderWay({ state }: StepView): boolean {
  return state.requested || state.held;
}

function budgetSpent() {
  return { outcome: "failed", reason: BUDGET_EXCEEDED, message: "nothing new starts: the budget is spent" } as const;
}
