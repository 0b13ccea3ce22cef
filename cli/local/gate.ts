import type { ChangeRequest } from "../../crd/agentworkload.ts";
import { canonicalJson } from "../../engine/canonical.ts";
import { changeableSteps, changeRequestOf } from "../../engine/changes.ts";
import { type Decision, type FinalDecision, gateOutcome, isFinal } from "../../engine/findings.ts";
import { type StepOutcome, usageOf } from "../../engine/outcomes.ts";
import { failedResult } from "../../engine/result.ts";
import type { Run } from "../../engine/run.ts";
import { gateTerms } from "../../engine/run.ts";
import type { CarryCorrections } from "../../lib/durable/carried-corrections.ts";
import { type Artifacts, digestOf } from "../../lib/edges/artifacts.ts";
import type { FolderReviews } from "../../lib/edges/reviews/folder.ts";
import { decisionOf, type ReviewRecord } from "../../lib/edges/reviews.ts";
import { pause } from "../../lib/pause.ts";
import type { OpenGate } from "./runner.ts";

export interface GateOptions {
  readonly reviews: FolderReviews;
  readonly artifacts: Artifacts;
  readonly carryCorrections: CarryCorrections;
  /** A setting that approves without asking anybody, as the decision names it, e.g. "agentic run --approve". */
  readonly approvedBy: string | undefined;
  /** US dollars that the steps after this gate cost at most; undefined: not known. */
  readonly costOfApproving: (open: OpenGate) => number | undefined;
  /** Tells the user that a gate waits, and where to decide. */
  readonly onOpen: (record: ReviewRecord) => Promise<void>;
  /** A reviewer asked for changes: another run of the workload has them. */
  readonly onChanges: (request: ChangeRequest) => void;
  readonly now: () => Date;
}

const POLL_MS = 250;
/** The reason of a gate's outcome at which changes were asked for. */
export const CHANGES_REQUESTED = "ChangesRequested";

/** Opens the gate, or finds it open from before, and waits for a decision or the timeout. @throws the reason of the gate's signal */
export async function passGate(run: Run, open: OpenGate, options: GateOptions): Promise<StepOutcome> {
  const { gate, outcomes } = open;
  const { artifacts, reviews, carryCorrections } = options;
  const before = (await reviews.read(run.workload, gate.name))?.review;
  const findings = await carryCorrections(run, open.findings, before ? [before] : []);
  const key = await artifacts.put(run.workload, canonicalJson(findings), "json");
  const { timeoutMs, onTimeout } = gateTerms(run, gate);
  const openedAt = options.now();
  const cost = options.costOfApproving(open);
  const changeable = changeableSteps(run, gate);
  await reviews.open({
    workload: run.workload,
    findings: key,
    usage: usageOf(outcomes),
    review: {
      gate: gate.name,
      // The same for all its changes, so that a later command finds the decisions of each.
      run: run.base,
      digest: digestOf(key),
      openedAt: openedAt.toISOString(),
      timeoutAt: new Date(openedAt.getTime() + timeoutMs).toISOString(),
      onTimeout,
      ...(cost === undefined ? {} : { costOfApproving: cost.toFixed(6) }),
      ...(changeable.length > 0 ? { changeable } : {}),
    },
  });
  const decision = await decided(run, open, options);
  if (!isFinal(decision)) {
    const request = changeRequestOf(run, gate, decision);
    if (!request) throw new Error(`the decision at gate ${gate.name} asks for changes of steps that are not before it`);
    options.onChanges(request);
    return failedResult(CHANGES_REQUESTED, `${decision.by} asked for changes: ${decision.comment}`);
  }
  const decisionKey = await artifacts.put(run.workload, canonicalJson(decision), "json");
  return gateOutcome(decision, { findings: key, decision: decisionKey });
}

async function decided(run: Run, { gate, signal }: OpenGate, options: GateOptions): Promise<Decision> {
  const { reviews, now } = options;
  let told = false;
  for (;;) {
    signal.throwIfAborted();
    const record = await reviews.read(run.workload, gate.name);
    if (!record) throw new Error(`the review of gate ${gate.name} is gone from the run's folder: run again to open it`);
    const decision = decisionOf(record.review);
    if (decision) return decision;
    const automatic = automaticDecision(record.review, options);
    if (automatic) {
      // Refused when a person was faster: the next look finds that decision.
      await reviews.decide(run.workload, automatic);
      continue;
    }
    if (!told) await options.onOpen(record);
    told = true;
    const left = Date.parse(record.review.timeoutAt) - now().getTime();
    await pause(Math.max(1, Math.min(POLL_MS, left)), signal);
  }
}

/** When the last review of this run was opened: its findings have the failures from before, and a decision is on these findings. */
export async function lastOpened(
  { workload, base }: Run,
  reviews: Pick<FolderReviews, "list">,
): Promise<Date | undefined> {
  const records = await reviews.list(workload);
  const opened = records.flatMap(({ review }) => (review.run === base ? [Date.parse(review.openedAt)] : []));
  return opened.length === 0 ? undefined : new Date(Math.max(...opened));
}

function automaticDecision(
  review: ReviewRecord["review"],
  { approvedBy, now }: GateOptions,
): FinalDecision | undefined {
  const at = now();
  const { gate, digest, onTimeout, timeoutAt } = review;
  const decision = { gate, digest, automatic: true, at: at.toISOString() };
  if (approvedBy !== undefined) return { ...decision, decision: "approved", by: approvedBy, how: "Setting" };
  if (at.getTime() < Date.parse(timeoutAt)) return undefined;
  return {
    ...decision,
    decision: onTimeout === "Approve" ? "approved" : "rejected",
    by: `the gate's timeout (onTimeout: ${onTimeout})`,
    how: "Timeout",
  };
}
