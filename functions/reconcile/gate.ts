import { z } from "zod";
import { parseDuration } from "../../crd/duration.ts";
import { canonicalJson, sha256 } from "../../lib/canonical.ts";
import { NO_USAGE, type StepResult } from "../../lib/step.ts";
import { type Decision, decisionSchema, type Findings } from "../../pipeline/findings.ts";
import type { NodeView } from "./nodes.ts";

/** The gate of a run: its node is there once every entry has ended. */
export interface GateView {
  readonly node: NodeView;
  readonly findings: Findings;
  /** Artifact key of the findings. */
  readonly key: string;
  readonly digest: string;
  readonly openedAt: Date;
  readonly timeoutAt: Date;
}

export function viewGate(node: NodeView, findings: Findings, timeout: string): GateView {
  const digest = sha256(canonicalJson(findings));
  const openedAt = new Date(node.startedAt);
  const timeoutAt = new Date(openedAt.getTime() + parseDuration(timeout));
  return { node, findings, digest, key: `${findings.workload.uid}/${digest}.json`, openedAt, timeoutAt };
}

/** status.review as it is read back: the review that is open, and its decision once approve has written one. */
export const reviewSchema = z.object({
  run: z.string(),
  digest: z.string(),
  openedAt: z.iso.datetime(),
  timeoutAt: z.iso.datetime(),
  decision: decisionSchema.shape.decision.optional(),
  by: z.string().optional(),
  at: z.string().optional(),
  comment: z.string().optional(),
});
export type Review = z.infer<typeof reviewSchema>;

/** What approve wrote, where it is about these findings. */
export function writtenDecision(gate: GateView, review: Review | undefined): Decision | undefined {
  if (!review?.decision || !review.by || !review.at || review.digest !== gate.digest) return undefined;
  const { decision, by, at, comment, digest } = review;
  return { decision, by, at, digest, ...(comment ? { comment } : {}) };
}

/**
 * How the gate was passed: its node's output is the truth, whoever was first. Where that is not what approve wrote, nobody
 * decided: Argo supplied the default, at the timeout or because the node was resumed by hand.
 */
export function gateVerdict(gate: GateView, review: Review | undefined): Decision | undefined {
  const { node } = gate;
  if (node.phase !== "Succeeded") return undefined;
  const decision = node.output === "approved" ? "approved" : "rejected";
  const written = writtenDecision(gate, review);
  if (written?.decision === decision) return written;
  const at = node.finishedAt ?? node.startedAt;
  const timedOut = new Date(at) >= gate.timeoutAt;
  return {
    decision,
    digest: gate.digest,
    by: timedOut ? "timeout of spec.review (onTimeout)" : "the node was resumed in Argo (spec.review.onTimeout)",
    at: new Date(at).toISOString(),
  };
}

/** The gate as a step that has ended. */
export function gateResult(gate: GateView, decision: Decision): StepResult {
  const { uid } = gate.findings.workload;
  return {
    outcome: "succeeded",
    output: decision.decision,
    artifacts: { findings: gate.key, decision: `${uid}/${sha256(canonicalJson(decision))}.json` },
    usage: NO_USAGE,
  };
}
