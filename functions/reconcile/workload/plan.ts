import type { AgentWorkload, WorkloadStatus } from "../../../crd/agentworkload.ts";
import { parseDuration } from "../../../crd/duration.ts";
import { canonicalJson, sha256 } from "../../../engine/canonical.ts";
import { outcomeOf } from "../../../engine/outcomes.ts";
import type { PipelineStep } from "../../../engine/pipeline.ts";
import type { StepResult } from "../../../engine/result.ts";
import { type Run, stepOf } from "../../../engine/run.ts";
import { type Failure, itemsOf } from "../../../engine/walk.ts";
import { REASON } from "../reasons.ts";
import { hasEnded, latestRun, type NodeView, type RunEngine, type RunView } from "../run-engine.ts";
import type { Action, PlannedSettlement } from "./action.ts";
import type { GateView } from "./gate.ts";
import { formatGateOutput, formatStepOutput, NOT_RUN } from "./node-output.ts";
import type { Observed } from "./observe.ts";
import type { Progress } from "./progress.ts";
import type { Refusal } from "./resolve.ts";
import { isHeld, isMadeAgain, wantsRequest } from "./run-state.ts";
import { isUnderWay, type StepView } from "./step-view.ts";
import { planStop, planTurn } from "./turn.ts";

export const FINALIZER = "agentic.dev/cleanup";

/** What must happen next, given what is. Pure: no clock but `now`, no I/O. What is said of it is status.ts's. */
export function plan(observed: Observed, engine: RunEngine, now: Date): Action[] {
  const { object } = observed;
  if (object.metadata.deletionTimestamp !== undefined) return planDeletion(observed);
  if (!object.metadata.finalizers.includes(FINALIZER)) return [{ type: "addFinalizer" }];
  const claim = planClaim(observed);
  // Nothing starts before it is in the accounts.
  if (claim.some(({ claim: { need } }) => need === "work")) return claim;
  return [...planWanted(observed, engine, now), ...claim];
}

function planClaim({ quota }: Observed): Extract<Action, { type: "claim" }>[] {
  return (quota?.claims ?? []).map((claim) => ({ type: "claim", claim }));
}

function planWanted(observed: Observed, engine: RunEngine, now: Date): Action[] {
  const { spec, runObject, others } = observed;
  if (spec.state === "refused") return planRefused(observed, spec, now);
  const stops = others.flatMap((other) => planSuperseded(other, now));
  if (hasExpired(observed, now)) return [...stops, ...planExpiry(observed)];
  if (spec.state === "finished") return stops;
  if (!runObject) {
    if (isHeld(observed)) return stops;
    const inTheWay = others.find(({ name }) => name === engine.nameOf(spec.run));
    if (inTheWay) return [...stops, ...(inTheWay.deleted ? [] : [{ type: "deleteRun" as const, view: inTheWay }])];
    const body = engine.render(spec.run, spec.workload.spec);
    return [
      ...stops,
      { type: "createRun", body, spec: spec.workload.spec },
      ...planExpect(spec.run, [], ({ after }) => after.length === 0),
    ];
  }
  if (runObject.deleted) return stops;
  if (isMadeAgain(observed)) return [...stops, { type: "deleteRun", view: runObject }];
  const changes = [...stops, ...planUpdate(runObject, spec, engine)];
  if (hasEnded(runObject)) return changes;
  if (runObject.shutdown) return [...changes, ...planStop(runObject, now)];
  if (!observed.progress) return changes;
  if (isHeld(observed)) return [...changes, ...planHeld(observed.progress, runObject, now)];
  return [...changes, ...planRun(observed.progress, runObject, spec.run, now)];
}

/** An invalid edit stops nothing but what an earlier edit was to stop. Without a last accepted spec what is in flight may end, and no more. */
function planRefused({ runObject, others }: Observed, { needsAgent }: Refusal, now: Date): Action[] {
  const last = runObject ?? latestRun(others);
  const stops = others.filter((other) => other !== last).flatMap((other) => planSuperseded(other, now));
  return needsAgent ? [...stops, { type: "applyAgent", agent: needsAgent }] : stops;
}

/** The engine keeps some of a run's terms itself: items in flight, deadlines, the time to live. */
function planUpdate(
  view: RunView,
  { run, workload }: { run: Run; workload: AgentWorkload },
  engine: RunEngine,
): Action[] {
  const { spec } = workload;
  if (view.acceptedSpec === sha256(canonicalJson(spec))) return [];
  return [{ type: "updateRun", view, body: engine.update(run, spec), spec }];
}

/** Nothing starts. A decision that was acknowledged is settled all the same: the engine's own timer does not wait until the run goes on. */
function planHeld({ gates, walk }: Progress, view: RunView, now: Date): Action[] {
  const settlements = gates.flatMap((gate) => settleGate(gate, walk.failure));
  return settlements.length > 0 ? planTurn(view, settlements, now) : [];
}

/** Nothing but the API server is needed for it; what else cannot be deleted is said, and left behind. */
function planDeletion({ object, runObject, others }: Observed): Action[] {
  if (!object.metadata.finalizers.includes(FINALIZER)) return [];
  const all = [...(runObject ? [runObject] : []), ...others];
  if (all.length === 0) return [{ type: "cleanUp" }];
  const left = all.filter(({ deleted }) => !deleted);
  return left.length === 0
    ? []
    : [{ type: "recordDeleted" }, ...left.map((view) => ({ type: "deleteRun" as const, view }))];
}

function planExpiry({ runObject }: Observed): Action[] {
  return [
    { type: "expireArtifacts" },
    ...(runObject && !runObject.deleted ? [{ type: "deleteRun" as const, view: runObject }] : []),
  ];
}

function planSuperseded(view: RunView, now: Date): Action[] {
  if (hasEnded(view)) return [];
  return view.shutdown ? planStop(view, now) : [{ type: "stopRun", view }];
}

/** Its artifacts are kept as long as its run object; the condition Completed says that they are gone. */
export function hasExpired({ object, spec }: Observed, now: Date): boolean {
  const { finishedAt, conditions = [] } = (object.status ?? {}) as WorkloadStatus;
  if (!("workload" in spec) || finishedAt === undefined) return false;
  if (conditions.some(({ type, reason }) => type === "Completed" && reason === REASON.expired)) return false;
  return now.getTime() >= new Date(finishedAt).getTime() + parseDuration(spec.workload.spec.ttlAfterFinished);
}

function planRun(progress: Progress, view: RunView, run: Run, now: Date): Action[] {
  const { steps, gates, walk } = progress;
  const { failure } = walk;
  const wanted = failure ? [] : steps.filter(wantsRequest);
  const settlements = [
    ...steps.flatMap((one) => settleStep(one, failure)),
    ...gates.flatMap((gate) => settleGate(gate, failure)),
    ...settleOthers(view.nodes, progress, run),
    ...(failure ? view.nodes.filter((node) => isForNothing(node, steps)).map((node) => notRun(node, failure)) : []),
  ];
  const begins = new Set(wanted.map(({ step }) => step.name));
  for (const { step, verdict } of gates)
    if (verdict.state === "decided" && verdict.decision.decision === "approved") begins.add(step.name);
  for (const { step, outcome } of steps) if (outcome && step.forEach === undefined) begins.add(step.name);
  const turn = planTurn(view, settlements, now);
  const published = failure ? [] : gates.flatMap((gate) => planGate(gate, run, wanted));
  return [
    // Work first, then what is said of it.
    ...published.filter(({ type }) => type === "publish"),
    ...(wanted.length > 0 ? [{ type: "dispatch" as const, run, steps: wanted }] : []),
    // Before it is settled: a process that dies between the two sends it again.
    ...planAnnouncement(turn, progress, run),
    ...turn,
    ...published.filter(({ type }) => type !== "publish"),
    ...(failure ? [] : planExpect(run, view.nodes, ({ after }) => after.some((name) => begins.has(name)))),
  ];
}

/** What has ended is settled; once the run fails, also what nobody works on. */
function settleStep(view: StepView, failure: Failure | undefined): PlannedSettlement[] {
  const { node, outcome, digest } = view;
  if (node.phase !== "Running") return [];
  if (!outcome) return failure && !isUnderWay(view) ? [notRun(node, failure)] : [];
  if (outcome.outcome === "skipped")
    return [{ node, phase: "Succeeded", output: formatStepOutput({ outcome: "skipped" }) }];
  const stored =
    digest === undefined
      ? { output: "", result: outcome as StepResult }
      : { output: formatStepOutput({ outcome: outcome.outcome, digest }) };
  if (outcome.outcome === "succeeded") return [{ node, phase: "Succeeded", ...stored }];
  return [{ node, phase: "Failed", ...stored, message: `${outcome.reason}: ${outcome.message ?? ""}`.slice(0, 200) }];
}

/** Of an item that its list no longer has. */
function isForNothing({ role, phase, id }: NodeView, steps: readonly StepView[]): boolean {
  return role === "step" && phase === "Running" && !steps.some(({ node }) => node.id === id);
}

function notRun(node: NodeView, { reason, message }: Failure): PlannedSettlement {
  return { node, phase: "Failed", output: NOT_RUN, message: `the run fails: ${reason}: ${message}`.slice(0, 200) };
}

/** A decision is settled once the status has it: until then another one may still be the first. */
function settleGate({ node, verdict, review }: GateView, failure: Failure | undefined): PlannedSettlement[] {
  if (node.phase !== "Running") return [];
  if (failure) return [notRun(node, failure)];
  if (verdict.state === "skipped") return [{ node, phase: "Succeeded", output: formatGateOutput("skipped") }];
  if (verdict.state !== "decided" || review?.decision === undefined) return [];
  const output = formatGateOutput(verdict.decision);
  if (verdict.decision.decision === "approved") return [{ node, phase: "Succeeded", output }];
  return [{ node, phase: "Failed", output, message: `Rejected by ${verdict.decision.by}`.slice(0, 200) }];
}

/** The nodes that stand for no step: how many items a list has, and the end. */
function settleOthers(nodes: readonly NodeView[], { walk, outcomes }: Progress, run: Run): PlannedSettlement[] {
  return nodes.flatMap((node): PlannedSettlement[] => {
    if (node.phase !== "Running") return [];
    const { failure, end } = walk;
    if (node.role === "list") {
      if (failure) return [notRun(node, failure)];
      const stage = run.stages.find(({ name }) => name === node.step);
      const items = stage && itemsOf(run, stage, outcomes);
      return items ? [{ node, phase: "Succeeded", output: String(items.length) }] : [];
    }
    if (node.role !== "end" || !end) return [];
    const output = end.phase.toLowerCase();
    if (end.phase !== "Failed") return [{ node, phase: "Succeeded", output }];
    return [{ node, phase: "Failed", output, message: `${end.reason}: ${end.message}`.slice(0, 500) }];
  });
}

/** With the settlement of the end. The data of a fan-out's items is none of the run's. */
function planAnnouncement(turn: readonly Action[], { walk: { end }, outcomes }: Progress, run: Run): Action[] {
  const ends = turn.some((one) => one.type === "settle" && one.settlements.some(({ node }) => node.role === "end"));
  if (!ends || !end) return [];
  const isList = stepOf(run, run.pipeline.output)?.forEach !== undefined;
  const output = isList ? undefined : outcomeOf(outcomes, run.pipeline.output);
  return [{ type: "announce", run, end, ...(output?.data === undefined ? {} : { data: output.data }) }];
}

/** Steps that agents do and that none of the nodes is of yet. */
function planExpect(run: Run, nodes: readonly NodeView[], comesNext: (step: PipelineStep) => boolean): Action[] {
  const started = new Set(nodes.map(({ step }) => step));
  const steps = run.pipeline.steps.filter((step) => !step.gate && comesNext(step) && !started.has(step.name));
  return steps.length > 0 ? [{ type: "expect", run, steps }] : [];
}

/**
 * A gate whose review is not open yet is published and asked about; the status opens it. A step that comes after a gate reads the
 * findings and the decision.
 */
function planGate(gate: GateView, { review: { required } }: Run, wanted: readonly StepView[]): Action[] {
  const { findings, verdict, review, step, node, lacksFindings } = gate;
  const isRead = wanted.some(({ step: next }) => next.after.includes(step.name));
  if (verdict.state === "decided") {
    const opens = node.phase === "Running" && !review;
    return isRead || opens ? [{ type: "publish", findings, decision: verdict.decision }] : [];
  }
  if (lacksFindings) return [{ type: "publish", findings }];
  if (verdict.state !== "waiting" || review) return [];
  return [{ type: "publish", findings }, ...(required ? [{ type: "requestReview" as const, gate }] : [])];
}
