import pLimit from "p-limit";
import type { ChangeRequest, Review } from "../../crd/agentworkload.ts";
import { artifactKey } from "../../engine/artifact-key.ts";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { changeRequestOf } from "../../engine/changes.ts";
import { findingsOf, gateOutcome, isFinal } from "../../engine/findings.ts";
import { stepIdentity } from "../../engine/identity.ts";
import { type Outcomes, type OutcomeTable, SKIPPED, type StepOutcome, setOutcome } from "../../engine/outcomes.ts";
import { failedResult, type StepResult } from "../../engine/result.ts";
import type { Run } from "../../engine/run.ts";
import { type Instance, turnOf, walk } from "../../engine/walk.ts";
import type { CarryCorrections } from "../../lib/durable/carried-corrections.ts";
import type { FindPrevious } from "../../lib/durable/previous-results.ts";
import { decisionOf } from "../../lib/edges/reviews.ts";
import { type ResolvedWorkload, withChanges } from "../resolve.ts";
import { CHANGES_REQUESTED } from "./gate.ts";

/** What earlier commands left. */
export interface RecordedEdges {
  /** The result of a step that need not be done again. */
  recorded(run: Run, identity: string, step: string): Promise<StepResult | undefined>;
  readonly findPrevious: FindPrevious;
  readonly carryCorrections: CarryCorrections;
  /** The last review of a gate. */
  review(gate: string): Promise<Review | undefined>;
}

/** Steps whose results are read at once. */
const READS_AT_ONCE = 8;

/** How far a run comes by what is recorded: steps without an outcome would be done. Starts nothing, changes nothing. */
export async function recordedRun(
  resolved: ResolvedWorkload,
  edges: RecordedEdges,
  run: Run = resolved.run,
): Promise<{ readonly run: Run; readonly outcomes: Outcomes }> {
  const outcomes: OutcomeTable = new Map();
  const asked: ChangeRequest[] = [];
  const looked = new Set<string>();
  const next = (): Instance[] => walk(run, outcomes).ready.filter((instance) => !looked.has(keyOf(instance)));
  const inTurn = pLimit(READS_AT_ONCE);
  for (let ready = next(); ready.length > 0; ready = next())
    await inTurn.map(ready, async (instance) => {
      looked.add(keyOf(instance));
      const found = await recordedOutcome(run, instance, outcomes, edges);
      if (!found) return;
      setOutcome(outcomes, instance.step.name, instance.index, found.outcome);
      if (found.change) asked.push(found.change);
    });
  if (asked.length === 0) return { run, outcomes };
  return recordedRun(resolved, edges, withChanges(resolved, [...run.changes, ...asked]));
}

/** `change`: what the gate's reviewer asked for instead of approving. */
type Found = { readonly outcome: StepOutcome; readonly change?: ChangeRequest };

async function recordedOutcome(
  run: Run,
  instance: Instance,
  outcomes: Outcomes,
  { recorded, review, findPrevious, carryCorrections }: RecordedEdges,
): Promise<Found | undefined> {
  const { step } = instance;
  const { workload } = run;
  const previous = await findPrevious(run, instance);
  const turn = turnOf(run, instance, outcomes, previous === "lost" ? undefined : previous);
  if (turn.do !== "run") return { outcome: turn.do === "skip" ? SKIPPED : turn.result };
  if (!step.gate) {
    const { revision = "" } = run.pipeline.agents[step.agent ?? ""] ?? {};
    const identity = stepIdentity({ workload, step: step.name, revision, input: turn.input });
    const outcome = await recorded(run, identity, step.name);
    return outcome && { outcome };
  }
  const last = await review(step.name);
  const findings = await carryCorrections(run, findingsOf(run, step, outcomes), last ? [last] : []);
  const digest = sha256(canonicalJson(findings));
  // One of another run, or on other findings, decides nothing here.
  const decision = last?.run === run.base && last.digest === digest ? decisionOf(last) : undefined;
  if (!decision) return undefined;
  const keyed = (sha: string): string => artifactKey(workload, sha, "json");
  if (isFinal(decision)) {
    const keys = { findings: keyed(digest), decision: keyed(sha256(canonicalJson(decision))) };
    return { outcome: gateOutcome(decision, keys) };
  }
  const change = changeRequestOf(run, step, decision);
  return change && { outcome: failedResult(CHANGES_REQUESTED, decision.comment ?? ""), change };
}

function keyOf({ step, index }: Instance): string {
  return `${step.name} ${index ?? ""}`;
}
