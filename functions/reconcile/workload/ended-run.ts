import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { type Evidence, evidenceOf } from "../../../engine/evidence.ts";
import { traceSeed } from "../../../engine/trace.ts";
import type { EndedRun } from "../../../lib/telemetry/run-spans.ts";
import type { NodeView } from "../run-engine.ts";
import type { Observed } from "./observe.ts";

/** The run as its trace tells it, where this status is the first to say that it has ended. */
export function endedRunOf({ object, spec, progress }: Observed, status: WorkloadStatus): EndedRun | undefined {
  const { finishedAt: before } = (object.status ?? {}) as WorkloadStatus;
  const { finishedAt: end, startedAt = end, phase, conditions = [] } = status;
  if (end === undefined || startedAt === undefined || end === before) return undefined;
  if (spec.state !== "accepted" || !progress) return undefined;
  const finishedAt = new Date(end);
  const until = ({ finishedAt: at }: NodeView): Date => (at === undefined ? finishedAt : new Date(at));
  const completed = conditions.find(({ type, status }) => type === "Completed" && status === "False");
  return {
    run: spec.run,
    seed: traceSeed(spec.run),
    phase: phase === "Succeeded" || phase === "Rejected" ? phase : "Failed",
    outcomes: progress.outcomes,
    problem: completed,
    costUsd: Number(status.usage?.costUsd ?? 0),
    startedAt: new Date(startedAt),
    finishedAt,
    steps: progress.steps.map(({ step, index, item, node, outcome }) => ({
      step: step.name,
      index,
      item,
      outcome,
      startedAt: new Date(node.startedAt),
      finishedAt: until(node),
    })),
    gates: progress.gates.map(({ step, node, openedAt, verdict }) => ({
      gate: step.name,
      decision: "decision" in verdict ? verdict.decision : undefined,
      startedAt: openedAt,
      finishedAt: until(node),
    })),
  };
}

/** The same, as a statement about its outputs. */
export function evidenceOfRun({ gates, problem, ...ended }: EndedRun): Evidence {
  return evidenceOf({
    ...ended,
    reason: ended.phase === "Succeeded" ? undefined : problem?.reason,
    decisions: gates.flatMap(({ decision }) => decision ?? []),
  });
}
