import type { Review, WorkloadStatus } from "../../../crd/agentworkload.ts";
import { type Outcomes, usageOf } from "../../../engine/outcomes.ts";
import { outputsOf } from "../../../engine/outputs.ts";
import type { PipelineStep } from "../../../engine/pipeline.ts";
import { itemProgress, stepProgress } from "../../../engine/progress.ts";
import type { Run } from "../../../engine/run.ts";
import { traceId, traceSeed, traceUrl } from "../../../engine/trace.ts";
import { walk } from "../../../engine/walk.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import { isInForce } from "../../../lib/licence/standing.ts";
import { REASON } from "../reasons.ts";
import { hasEnded, type RunEngine, type RunView } from "../run-engine.ts";
import { compared, no, reviewed, runEnding, type Said, waitingFor, yes } from "./conditions.ts";
import { reviewOf } from "./gate.ts";
import type { Observed } from "./observe.ts";
import { hasExpired } from "./plan.ts";
import type { Progress } from "./progress.ts";
import type { Refusal } from "./resolve.ts";
import { isAwaitingReview, isHeld, isMadeAgain, rejectionOf } from "./run-state.ts";
import { type Stall, stallOf } from "./stall.ts";
import { isTold } from "./told.ts";

type Phase = NonNullable<WorkloadStatus["phase"]>;
type Condition = NonNullable<WorkloadStatus["conditions"]>[number];

export interface StatusContext {
  /** US dollars that the steps after a gate cost at most; undefined: not known. */
  readonly costOfApproving: (run: Run, gate: PipelineStep, outcomes: Outcomes) => number | undefined;
  /** What kept this look from doing all it wanted to. */
  readonly stall?: Stall | undefined;
  readonly engine: Pick<RunEngine, "nameOf">;
  /** Of a viewer of traces. */
  readonly traceUrl?: string | undefined;
  readonly now: Date;
}

function traceOf(run: Run, { traceUrl: template }: StatusContext): Pick<WorkloadStatus, "trace" | "traceUrl"> {
  const trace = traceId(traceSeed(run));
  return { trace, ...(template === undefined ? {} : { traceUrl: traceUrl(template, trace) }) };
}

/** What the status says. Pure. */
export function statusOf(observed: Observed, context: StatusContext): WorkloadStatus {
  const { object, spec, runObject, progress } = observed;
  const { now } = context;
  const before = (object.status ?? {}) as WorkloadStatus;
  const say = conditionWriter(before.conditions ?? [], object.metadata.generation, now);
  // Said once it is done: it is tried again as long as the status does not say so.
  if (hasExpired(observed, now)) return context.stall ? before : expired(before, say);
  if (spec.state === "finished") return finished(before, say);
  if (spec.state === "refused") return refused(before, spec, observed.others, say);
  const { run, refusal: refusedEdit } = spec;
  if (runObject && isTold(object, runObject)) return finished(before, say, refusedEdit);
  const phase = phaseOf(observed);
  const usage = usageOf(progress?.outcomes ?? new Map());
  const end = runEnding(observed, run);
  const goesOn = end ? "" : " (the run of the last accepted spec goes on)";
  const refusal = refusedEdit && no(refusedEdit.reason, `${refusedEdit.message}${goesOn}`);
  const stall = context.stall ?? observed.quota?.wait ?? stallOf(observed, now);
  const counts = countsOf(run, progress);
  const { items } = counts;
  return {
    phase,
    pipeline: `${run.pipeline.namespace}/${run.pipeline.name}`,
    ...counts,
    conditions: [
      say("Accepted", refusal ?? ACCEPTED),
      ...licensed(observed).map((said) => say("Licensed", said)),
      ...comparedIn(observed, run).map((said) => say("Compared", said)),
      say("WorkflowCreated", runObject ? yes(REASON.created, runObject.name) : no(REASON.notYet)),
      say("Reviewed", reviewed(observed, run)),
      say(
        "Completed",
        end ?? no(REASON.inProgress, `${items.done} of ${items.total} items done, ${items.failed} failed`),
      ),
      say(
        "Ready",
        refusal ?? (stall && !end ? no(stall.reason, stall.message) : (end ?? underWay(observed, phase, items))),
      ),
    ],
    workflow: context.engine.nameOf(run),
    usage: {
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      costUsd: dollars(usage.costUsd),
      browserSeconds: Math.round(usage.browserSeconds),
    },
    ...reviewsOf(observed, run, context),
    ...earlierReviewsOf(observed, run, context),
    ...changesOf(progress, run),
    ...outputsIn(progress, run),
    ...(before.results === undefined ? {} : { results: before.results }),
    ...(run.comparison ? { comparedWith: run.comparison } : {}),
    ...traceOf(run, context),
    ...startOf(observed, now),
    ...(runObject && hasEnded(runObject) && !isMadeAgain(observed)
      ? { finishedAt: isoOf(runObject.finishedAt) ?? before.finishedAt ?? now.toISOString() }
      : {}),
  };
}

/** There is such a condition where there is something to be said of the licence. */
function licensed({ quota }: Observed): Said[] {
  const { notice } = quota ?? {};
  if (!notice) return [];
  const { reason, message } = notice;
  return [isInForce({ notice }) ? yes(reason, message) : no(reason, message)];
}

/** There is such a condition where a comparison is asked for. */
function comparedIn(observed: Observed, run: Run): Said[] {
  const said = compared(observed, run);
  return said ? [said] : [];
}

/** One that waits for its turn has not started. */
function startOf({ object, runObject, quota }: Observed, now: Date): Pick<WorkloadStatus, "startedAt"> {
  const { startedAt } = (object.status ?? {}) as WorkloadStatus;
  const known = runObject?.createdAt.toISOString() ?? startedAt ?? (quota?.wait ? undefined : now.toISOString());
  return known === undefined ? {} : { startedAt: known };
}

interface Counts {
  readonly steps: NonNullable<WorkloadStatus["steps"]>;
  readonly items: NonNullable<WorkloadStatus["items"]>;
}

/** status.steps and status.items. A gate counts as running while it waits. */
function countsOf(run: Run, progress: Progress | undefined): Counts {
  const outcomes = progress?.outcomes ?? new Map();
  const walked = progress?.walk ?? walk(run, outcomes);
  const steps = (progress?.steps ?? []).filter(({ node, outcome }) => node.phase === "Running" && !outcome);
  const gates = (progress?.gates ?? []).filter(
    ({ node, verdict }) => node.phase === "Running" && verdict.state === "waiting",
  );
  const { total, done, failed } = itemProgress(run, walked, outcomes);
  return {
    steps: stepProgress(run, walked, outcomes, [...steps, ...gates]).map((step) => ({
      ...step,
      costUsd: dollars(step.costUsd),
    })),
    items: { total, done, failed, progress: `${done}/${total}` },
  };
}

type Say = (type: Condition["type"], said: Said) => Condition;

/** The artifacts are gone, and so are their names. Who decided what stays. */
function expired(
  { outputs: _gone, evidence: _too, results: _also, ...rest }: WorkloadStatus,
  say: Say,
): WorkloadStatus {
  const conditions = rest.conditions ?? [];
  const completed = conditions.find(({ type }) => type === "Completed");
  const message = "its artifacts expired after spec.ttlAfterFinished";
  const said = { status: completed?.status ?? "Unknown", reason: REASON.expired, message } as const;
  return { ...rest, conditions: replaced(conditions, say("Completed", said)) };
}

/** As it was when the run ended, but for what is said of a later edit that is refused, or was until it was taken back. */
function finished(before: WorkloadStatus, say: Say, refusal?: Pick<Refusal, "reason" | "message">): WorkloadStatus {
  const conditions = (before.conditions ?? []).map((one) => say(one.type, one));
  if (refusal) {
    const said = no(refusal.reason, refusal.message);
    return { ...before, conditions: replaced(replaced(conditions, say("Accepted", said)), say("Ready", said)) };
  }
  const named = (type: Condition["type"]) => conditions.find((one) => one.type === type);
  const wasRefused = named("Accepted")?.status === "False";
  const completed = named("Completed");
  const ready = wasRefused ? completed : named("Ready");
  const isRejected = before.reviews?.some(({ decision }) => decision === "rejected");
  const ended = completed?.status === "True" ? "Succeeded" : isRejected ? "Rejected" : "Failed";
  const accepted = replaced(conditions, say("Accepted", ACCEPTED));
  return {
    ...before,
    ...(wasRefused ? { phase: ended } : {}),
    conditions: ready ? replaced(accepted, say("Ready", ready)) : accepted,
  };
}

const ACCEPTED = yes(REASON.valid, "the spec is valid");

/** What runs is left alone; without a run nothing starts. */
function refused(
  before: WorkloadStatus,
  { reason, message }: Refusal,
  runs: readonly RunView[],
  say: Say,
): WorkloadStatus {
  const isRunning = runs.some((run) => !hasEnded(run));
  const starts = isRunning ? " (the run of the earlier spec is not stopped, but starts nothing new)" : "";
  const said = no(reason, `${message}${starts}`);
  const phase = isRunning ? (before.phase ?? "Running") : reason.startsWith("Invalid") ? "Failed" : "Pending";
  const conditions = replaced(before.conditions ?? [], say("Accepted", said));
  return { ...before, phase, conditions: replaced(conditions, say("Ready", said)) };
}

function replaced(conditions: readonly Condition[], one: Condition): Condition[] {
  return conditions.some(({ type }) => type === one.type)
    ? conditions.map((condition) => (condition.type === one.type ? one : condition))
    : [...conditions, one];
}

/** The status as it was, with what keeps the run from going on: for when the run itself cannot be looked at. */
export function stalledStatus({ object }: Pick<Observed, "object">, stall: Stall, now: Date): WorkloadStatus {
  const before = (object.status ?? {}) as WorkloadStatus;
  const conditions = before.conditions ?? [];
  const say = conditionWriter(conditions, object.metadata.generation, now);
  const ready = say("Ready", no(stall.reason, stall.message));
  return { ...before, phase: before.phase ?? "Pending", conditions: replaced(conditions, ready) };
}

function phaseOf(observed: Observed): Phase {
  const { runObject, progress, quota } = observed;
  if (quota?.wait) return "Pending";
  if (!runObject) return isHeld(observed) ? "Suspended" : "Creating";
  if (isMadeAgain(observed)) return "Running";
  if (hasEnded(runObject)) {
    if (rejectionOf(observed) !== undefined) return "Rejected";
    return runObject.phase === "Succeeded" && progress?.walk.end?.phase === "Succeeded" ? "Succeeded" : "Failed";
  }
  if (isHeld(observed)) return "Suspended";
  if (runObject.nodes.length === 0) return "Creating";
  return isAwaitingReview(progress) ? "AwaitingReview" : "Running";
}

/** A review is open from the moment the status says so. */
function reviewsOf(
  observed: Observed,
  run: Run,
  { costOfApproving, stall }: StatusContext,
): Pick<WorkloadStatus, "reviews"> {
  const { progress } = observed;
  const gates = progress?.gates ?? [];
  const reviews = gates.flatMap((gate) => {
    // Its findings were not published by this look, or that may be what failed: a later one opens it.
    if (gate.node.phase === "Running" && !gate.review && (stall || isHeld(observed))) return [];
    const opens = gate.node.phase === "Running" || gate.review !== undefined || gate.verdict.state === "decided";
    if (!opens || gate.verdict.state === "skipped" || (progress?.walk.failure && !gate.review)) return [];
    const cost =
      gate.review?.costOfApproving ?? decimal(costOfApproving(run, gate.step, progress?.outcomes ?? new Map()));
    return [reviewOf(gate, run, cost)];
  });
  const all = [...reviews, ...(progress?.keptReviews ?? decidedReviews(observed.object, run))];
  return all.length > 0 ? { reviews: all } : {};
}

/** From the moment the status says so, the spec has another run. */
function changesOf(progress: Progress | undefined, run: Run): Pick<WorkloadStatus, "changes"> {
  const asked = (progress?.gates ?? []).flatMap(({ verdict }) =>
    verdict.state === "changes" ? [verdict.request] : [],
  );
  const changes = [...run.changes, ...asked];
  return changes.length > 0 ? { changes } : {};
}

/** Of a run whose object is made again. */
function decidedReviews({ status }: KubeObject, run: Run): readonly Review[] {
  return knownReviews((status ?? {}) as WorkloadStatus).filter((review) => review.run === run.run && review.decision);
}

function knownReviews({ reviews = [], earlierReviews = [] }: WorkloadStatus): readonly Review[] {
  return [...reviews, ...earlierReviews];
}

/** Without its decision the settled gate of a run that is asked for again would be one that somebody tampered with. */
function earlierReviewsOf(
  { object, others }: Observed,
  { workload, run }: Run,
  { engine }: StatusContext,
): Pick<WorkloadStatus, "earlierReviews"> {
  const names = new Set(others.map(({ name }) => name));
  const earlier = knownReviews((object.status ?? {}) as WorkloadStatus).filter(
    (review) => review.run !== run && review.decision && names.has(engine.nameOf({ workload, run: review.run })),
  );
  return earlier.length > 0 ? { earlierReviews: earlier } : {};
}

function decimal(usd: number | undefined): string | undefined {
  return usd === undefined ? undefined : dollars(usd);
}

function outputsIn(progress: Progress | undefined, run: Run): Pick<WorkloadStatus, "outputs"> {
  const outputs = progress ? outputsOf(run, progress.outcomes) : [];
  return outputs.length > 0 ? { outputs: Object.fromEntries(outputs.map(({ name, key }) => [name, key])) } : {};
}

function underWay(
  { runObject, progress }: Observed,
  phase: Phase,
  { done, total, failed }: NonNullable<WorkloadStatus["items"]>,
): Said {
  switch (phase) {
    case "Creating":
      return no(phase, runObject ? "waiting for Argo to start the Workflow" : "the Workflow is being created");
    case "Suspended":
      if (runObject?.suspended) return no(REASON.suspendedInEngine, suspendedAdvice(runObject));
      if (runObject?.shutdown) return no(REASON.stoppedInEngine, "the Workflow is being stopped in Argo");
      return no(phase, "spec.suspend is true: nothing new starts. Resume with: spec.suspend false");
    case "AwaitingReview":
      return no(
        phase,
        (progress?.gates ?? [])
          .filter(({ verdict }) => verdict.state === "waiting")
          .map(waitingFor)
          .join("; "),
      );
    default:
      return no(phase, `${done} of ${total} items done, ${failed} failed`);
  }
}

/** Not `argo resume`: it would give each running step a result of its own, and is refused. */
function suspendedAdvice({ name, object }: RunView): string {
  const patch = `kubectl -n ${object.metadata.namespace} patch workflow ${name} --type=merge -p '{"spec":{"suspend":null}}'`;
  return `the Workflow is suspended in Argo. Resume with: ${patch}`;
}

/** A condition's transition time is when its status last changed. */
function conditionWriter(before: readonly Condition[], generation: number | undefined, now: Date): Say {
  return (type, { status, reason, message }) => {
    const known = before.find((one) => one.type === type);
    return {
      type,
      status,
      reason,
      message,
      lastTransitionTime: known?.status === status ? known.lastTransitionTime : `${now.toISOString().slice(0, 19)}Z`,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  };
}

/** Micro-dollars: a step costs about $0.0008, and hundreds of them are added up. */
function dollars(usd: number): string {
  return usd.toFixed(6);
}

function isoOf(time: string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}
