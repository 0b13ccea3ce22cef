import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { remarksText } from "../../../engine/correction-text.ts";
import type { Run } from "../../../engine/run.ts";
import { REASON } from "../reasons.ts";
import { hasEnded, type RunView } from "../run-engine.ts";
import type { GateView } from "./gate.ts";
import type { Observed } from "./observe.ts";
import type { Progress } from "./progress.ts";
import { isMadeAgain, rejectionOf } from "./run-state.ts";

/** What a condition says. */
export interface Said {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

export const yes = (reason: string, message = ""): Said => ({ status: "True", reason, message });
export const no = (reason: string, message = ""): Said => ({ status: "False", reason, message });

/** All gates that opened so far. */
export function reviewed({ runObject, progress }: Observed, run: Run): Said {
  const gateSteps = run.pipeline.steps.filter(({ gate }) => gate);
  if (gateSteps.length === 0) return yes(REASON.noGate, "the pipeline has no gate");
  const gates = progress?.gates ?? [];
  const tampered = gates.flatMap(({ verdict }) => (verdict.state === "tampered" ? [verdict.message] : []));
  if (tampered.length > 0) return no(REASON.tamperedGate, tampered.join("; "));
  const waiting = gates.filter(({ verdict, node }) => verdict.state === "waiting" && node.phase === "Running");
  if (waiting.length > 0) return no(REASON.waiting, waiting.map(waitingFor).join("; "));
  const decided = gates.flatMap(({ verdict }) => (verdict.state === "decided" ? [verdict.decision] : []));
  if (decided.length === 0) {
    const skipped = gates.filter(({ verdict }) => verdict.state === "skipped");
    if (skipped.length === gateSteps.length) return yes(REASON.noGate, "each gate was skipped: its `when` was false");
    const hasRun = runObject !== undefined && hasEnded(runObject);
    const asked =
      run.changes.at(-1) ?? gates.flatMap(({ verdict }) => ("request" in verdict ? verdict.request : []))[0];
    if (asked && !hasRun)
      return no(
        REASON.changesRequested,
        `gate ${asked.gate} opens again: ${asked.by} asked for changes${remarksText(asked)}`,
      );
    return hasRun ? no(REASON.notReached, "the run ended before its review") : no(REASON.notYet);
  }
  const said = decided.map(
    ({ gate, decision, by, ...remarks }) => `${gate}: ${decision} by ${by}${remarksText(remarks)}`,
  );
  return yes(
    decided.some(({ decision }) => decision === "rejected") ? REASON.rejected : REASON.approved,
    said.join("; "),
  );
}

export function waitingFor({ step, timeoutAt, onTimeout }: GateView): string {
  const then = onTimeout === "Approve" ? "approved" : "rejected";
  return `gate ${step.name} waits for a decision until ${timeoutAt.toISOString()} (then: ${then})`;
}

/** With which run this one is compared; undefined where none is asked for. */
export function compared({ object, progress }: Observed, { comparison, pipeline }: Run): Said | undefined {
  if (!comparison) return undefined;
  const { workload, results, problem = "" } = comparison;
  if (results === undefined) return no(REASON.nothingToCompare, `${problem}: the run is compared with none`);
  const { conditions = [], comparedWith } = (object.status ?? {}) as WorkloadStatus;
  // Steps that have ended look for them no more.
  const wasLost =
    comparedWith?.results === results && conditions.some(({ reason }) => reason === REASON.previousResultsLost);
  if (progress?.lacksPrevious || wasLost)
    return no(
      REASON.previousResultsLost,
      `results of AgentWorkload ${workload}, with whose last run this one is compared, are gone: it was deleted, or its artifacts have expired; steps go on without them`,
    );
  if (!pipeline.steps.some(({ previous }) => previous))
    return no(REASON.nothingToCompare, `no step of pipeline ${pipeline.name} says previous: true`);
  return yes(REASON.compared, `with the last run of AgentWorkload ${workload} that had succeeded when this one began`);
}

/** How the whole run ended, or is about to; undefined while it goes on. */
export function runEnding(observed: Observed, run: Run): Said | undefined {
  const { runObject, progress } = observed;
  if (!runObject || !progress) return undefined;
  const { failure, end } = progress.walk;
  if (failure) return no(failure.reason, failure.message);
  if (!hasEnded(runObject) || isMadeAgain(observed)) return undefined;
  const rejection = rejectionOf(observed);
  if (rejection !== undefined) return no(REASON.rejected, rejection);
  if (end?.phase === "Failed") return no(end.reason, end.message);
  if (end?.phase === "Succeeded" && runObject.phase === "Succeeded")
    return yes(REASON.succeeded, outputLine(progress, run));
  if (runObject.shutdown) return no(REASON.stoppedInEngine, `the Workflow was stopped in Argo; ${again(runObject)}`);
  return no(REASON.engineFailed, `${runObject.message || "the Workflow failed in Argo"}; ${again(runObject)}`);
}

function outputLine({ outcomes }: Progress, { pipeline }: Run): string {
  return outcomes.get(pipeline.output)?.[0]?.output ?? "the run has succeeded";
}

/** Not `argo retry`: it starts no suspend node anew. */
function again({ name, object }: RunView): string {
  return `to retry, delete the Workflow ('kubectl -n ${object.metadata.namespace} delete workflow ${name}'): completed steps are reused`;
}
