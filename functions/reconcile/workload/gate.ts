import type { ChangeRequest, Review } from "../../../crd/agentworkload.ts";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { changeableSteps, changeRequestOf } from "../../../engine/changes.ts";
import { type Decision, decisionSchema, type FinalDecision, type Findings, isFinal } from "../../../engine/findings.ts";
import type { PipelineStep } from "../../../engine/pipeline.ts";
import { gateTerms, type Run } from "../../../engine/run.ts";
import type { NodeView } from "../run-engine.ts";
import type { MadeDecision } from "./decisions.ts";
import { formatGateOutput } from "./node-output.ts";

/** A gate whose node has started: what it is about, and how it was decided. */
export interface GateView {
  readonly step: PipelineStep;
  readonly node: NodeView;
  readonly findings: Findings;
  /** Artifact key of the findings. */
  readonly key: string;
  readonly digest: string;
  readonly openedAt: Date;
  readonly timeoutAt: Date;
  readonly onTimeout: "Approve" | "Reject";
  /** Its entry in status.reviews, where that is about these findings. */
  readonly review?: Review;
  readonly verdict: GateVerdict;
  /** Its review is open, and the object store has lost what it is about. */
  readonly lacksFindings: boolean;
}

/**
 * waiting: for a person or the timeout. decided: by a decision that counts, whether its node is settled yet or not. changes: a reviewer
 * asked for changes, and another run of the spec has them. skipped: `when` is false. overtaken: the engine's own timer settled its node otherwise than a decision that was acknowledged before; or its node was
 * approved, what was approved is lost, and what the steps before it left when they were done again is something else. tampered: its node
 * was settled in the engine by hand, and no decision says so.
 */
export type GateVerdict =
  | { readonly state: "waiting" }
  | { readonly state: "decided"; readonly decision: FinalDecision }
  | { readonly state: "changes"; readonly decision: Decision; readonly request: ChangeRequest }
  | { readonly state: "skipped" }
  | { readonly state: "overtaken"; readonly decision: FinalDecision }
  | { readonly state: "tampered"; readonly message: string };

type Undecided = Omit<GateView, "verdict" | "lacksFindings">;

/** What a gate is judged by. */
export interface GateFacts extends Pick<GateView, "findings" | "digest"> {
  /** Its `when` is false. */
  readonly skips: boolean;
  /** The known ones of this gate, in this run and in earlier ones of the workload. */
  readonly reviews: readonly Review[];
  /** By AgentDecision; those on these findings correct only what they say. */
  readonly decisions: readonly MadeDecision[];
}

export function viewGate(
  run: Run,
  step: PipelineStep,
  node: NodeView,
  { findings, digest, skips, reviews, decisions }: GateFacts,
  now: Date,
): Omit<GateView, "lacksFindings"> {
  const terms = gateTerms(run, step);
  // Of what its node was settled for, where that is lost. A rejection stands, whatever the steps left when they were done again.
  const own = reviews.filter((one) => one.run === run.run);
  const settledFor = own.find(({ decision }) => decision !== undefined && decision === decisionOfNode(node));
  const rejected = settledFor?.decision === "rejected" ? settledFor : undefined;
  // A decision on the same findings in an earlier run of the spec stands: what was changed since does not concern this gate.
  const isOn = (one: Review): boolean => one.digest === digest;
  const before = reviews.filter((one) => run.earlier.includes(one.run) && one.decision !== undefined);
  const review = own.find(isOn) ?? before.find(isOn) ?? rejected;
  const openedAt = new Date(review?.openedAt ?? node.startedAt);
  // An open gate goes by the terms as they are now. One that is settled was settled under those that were told.
  const told = node.phase === "Running" ? undefined : review;
  const timeoutAt = new Date(told?.timeoutAt ?? openedAt.getTime() + terms.timeoutMs);
  const gate = {
    step,
    node,
    findings,
    digest,
    key: artifactKey(run.workload, digest, "json"),
    openedAt,
    timeoutAt,
    onTimeout: told?.onTimeout ?? terms.onTimeout,
  };
  const seen = { ...gate, ...(review ? { review } : {}) };
  const isSkipped = node.phase === "Succeeded" && node.output === formatGateOutput("skipped");
  if (skips && (isSkipped || node.phase === "Running")) return { ...seen, verdict: { state: "skipped" } };
  const acknowledged = writtenDecision(seen);
  const inTime = decisions.filter((one) => one.digest === digest && Date.parse(one.at) < timeoutAt.getTime());
  const counted = inTime
    .map((one) => ({ ...one, gate: step.name }))
    .find((one) => (one.decision === "changesRequested" ? changeRequestOf(run, step, one) !== undefined : !one.steps));
  // Once it is in the status, no other one is looked for.
  const decision = acknowledged ?? counted;
  const request = decision && !isFinal(decision) ? changeRequestOf(run, step, decision) : undefined;
  if (decision && request && node.phase === "Running")
    return { ...seen, verdict: { state: "changes", decision, request } };
  const final = decision && isFinal(decision) ? decision : undefined;
  return { ...seen, verdict: verdictOf(seen, { final, settledFor, required: run.review.required, now }) };
}

function verdictOf(
  gate: Undecided,
  {
    final: acknowledged,
    settledFor,
    required,
    now,
  }: { final: FinalDecision | undefined; settledFor: Review | undefined; required: boolean; now: Date },
): GateVerdict {
  const { node } = gate;
  const written = acknowledged ?? automaticDecision(gate, required, now);
  if (node.phase === "Running") return written ? { state: "decided", decision: written } : { state: "waiting" };
  const settled = decisionOfNode(node);
  if (written && written.decision === settled) return { state: "decided", decision: written };
  const byEngine = decisionOfEngine(gate);
  if (byEngine && acknowledged) return { state: "overtaken", decision: acknowledged };
  if (byEngine) return { state: "decided", decision: byEngine };
  const lost = writtenDecision({ review: settledFor });
  if (lost && isFinal(lost)) return { state: "overtaken", decision: lost };
  const how = node.output === undefined ? `is ${node.phase}` : `says ${node.output}`;
  return {
    state: "tampered",
    message: `the node of gate ${gate.step.name} ${how} in Argo, and no decision on its findings does: 'kubectl delete workflow' of this run opens the gate again`,
  };
}

/** What the status says was decided, where that is complete. */
function writtenDecision({ review }: { readonly review?: Review | undefined }): Decision | undefined {
  return review?.decision && decisionSchema.strip().safeParse(review).data;
}

/** Where no person is asked, or none decided in time. A decision that was acknowledged before counts, however late it is seen. */
function automaticDecision(gate: Undecided, required: boolean, now: Date): FinalDecision | undefined {
  const { step, node, digest, openedAt, timeoutAt, onTimeout } = gate;
  const about = { gate: step.name, digest, automatic: true };
  if (!required)
    return {
      ...about,
      decision: "approved",
      by: "spec.review.required: false",
      how: "Setting",
      at: openedAt.toISOString(),
    };
  // Of a node that was settled by hand before it, the timeout later says nothing.
  if (node.phase !== "Running" || now < timeoutAt) return undefined;
  const decision = onTimeout === "Approve" ? "approved" : "rejected";
  return {
    ...about,
    decision,
    by: `the timeout of the review (onTimeout: ${onTimeout})`,
    how: "Timeout",
    at: timeoutAt.toISOString(),
  };
}

/** An approved gate succeeds, a rejected one fails; at the engine's own timeout one without a default is in error. */
function decisionOfNode({ phase, output }: NodeView): FinalDecision["decision"] | undefined {
  if (phase === "Succeeded" && output === "approved") return "approved";
  if ((phase === "Failed" && output === "rejected") || phase === "Error") return "rejected";
  return undefined;
}

/** Everything slept through the timeout and its grace: the engine ended the node. */
function decisionOfEngine({ step, node, digest, timeoutAt, onTimeout }: Undecided): FinalDecision | undefined {
  const at = new Date(node.finishedAt ?? node.startedAt);
  const decision = onTimeout === "Approve" ? "approved" : "rejected";
  if (at < timeoutAt || decisionOfNode(node) !== decision) return undefined;
  return {
    gate: step.name,
    digest,
    decision,
    by: `the timeout of the review (onTimeout: ${onTimeout})`,
    how: "Argo",
    automatic: true,
    at: at.toISOString(),
  };
}

/** The review as the status says it. */
export function reviewOf(gate: GateView, run: Run, costOfApproving: string | undefined): Review {
  const { step, digest, openedAt, timeoutAt, onTimeout, verdict } = gate;
  const decision = "decision" in verdict ? verdict.decision : undefined;
  const changeable = changeableSteps(run, step);
  return {
    gate: step.name,
    run: run.run,
    digest,
    openedAt: openedAt.toISOString(),
    timeoutAt: timeoutAt.toISOString(),
    onTimeout,
    ...(costOfApproving === undefined ? {} : { costOfApproving }),
    ...(changeable.length > 0 ? { changeable } : {}),
    ...(decision ? { ...decision } : {}),
  };
}
