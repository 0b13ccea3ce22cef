import pLimit from "p-limit";
import type { ChangeRequest } from "../../crd/agentworkload.ts";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { runResultsOf } from "../../engine/comparison.ts";
import { evidenceOf } from "../../engine/evidence.ts";
import { type Decision, decisionSchema } from "../../engine/findings.ts";
import type { Outcomes } from "../../engine/outcomes.ts";
import { type Run, redoneSince } from "../../engine/run.ts";
import { traceId, traceSeed } from "../../engine/trace.ts";
import { createCarryCorrections } from "../../lib/durable/carried-corrections.ts";
import { createFindPrevious } from "../../lib/durable/previous-results.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { replaceFile } from "../../lib/edges/durable-files.ts";
import { createFolderReviews, type FolderReviews } from "../../lib/edges/reviews/folder.ts";
import type { ReviewRecord } from "../../lib/edges/reviews.ts";
import { RetryableError } from "../../lib/errors.ts";
import { signEvidence } from "../../lib/evidence.ts";
import type { HeldAccess } from "../../lib/host-access.ts";
import type { Logger } from "../../lib/log.ts";
import { costOfApproving } from "../../lib/model/approving.ts";
import type { ResolvedHost } from "../../lib/resolved-host.ts";
import { program, sameCommand } from "../invocation.ts";
import { type ProgressView, showProgress } from "../progress.ts";
import { type ResolvedWorkload, withChanges } from "../resolve.ts";
import { type RunFolder, type RunState, readRunState } from "../run-folder.ts";
import { createApprover, reviewPath, reviewToken } from "./approver.ts";
import { chooseComparison, copyArtifacts } from "./comparison.ts";
import { connectDispatch, STORE_PATIENCE_MS } from "./connect-dispatch.ts";
import { beginRun } from "./earlier-run.ts";
import { lastOpened, passGate } from "./gate.ts";
import { Interrupted } from "./interrupted.ts";
import { type Journal, openJournal } from "./journal.ts";
import { writeOutputs } from "./outputs.ts";
import { createPageServer } from "./page-server.ts";
import { patiently } from "./patience.ts";
import { noSpace } from "./redis-server.ts";
import { createRunTrace } from "./run-trace.ts";
import { type EndedRun, type OpenGate, type RunnerEdges, runPipeline } from "./runner.ts";
import { type SigningKey, signingKey } from "./signing-key.ts";
import { type Stack, startStack } from "./stack.ts";
import { createStateFile } from "./state-file.ts";
import { createStepRecords } from "./step-records.ts";

export interface LocalRunOptions {
  readonly approve?: true;
  readonly redis?: string;
  readonly resolve: ReadonlyMap<string, ResolvedHost>;
  /** What steps show to single hosts, by their exact names. Never written. */
  readonly hostAccess: HeldAccess;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Results that are read at once: with each, all bytes that it names are checked. */
const READS_AT_ONCE = 8;
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Context {
  readonly resolved: ResolvedWorkload;
  readonly folder: RunFolder;
  readonly options: LocalRunOptions;
  readonly stack: Stack;
  readonly keys: SigningKey;
  readonly reviews: FolderReviews;
  readonly startedAt: Date;
  readonly reusableSince: Date;
  readonly isContinued: boolean;
  /** sha256 of the frozen pipeline. */
  readonly frozen: string;
  /** The last run in this folder that succeeded. */
  readonly lastSucceeded: RunState["lastSucceeded"];
}

/** Runs a workload in its folder to the end of the run. @throws Interrupted when it cannot continue now; nothing is lost then */
export async function localRun(
  given: ResolvedWorkload,
  folder: RunFolder,
  options: LocalRunOptions,
): Promise<RunState> {
  const frozen = sha256(canonicalJson(given.run.pipeline));
  const beginning = await beginRun(given, frozen, folder, { now: new Date(), say: options.say });
  if ("done" in beginning) return beginning.done;
  const { state } = await readRunState(folder);
  const chosen = await chooseComparison(given, folder, state, beginning);
  const { comparison } = chosen;
  const resolved = comparison ? { ...given, run: { ...given.run, comparison } } : given;
  await copyArtifacts(chosen, folder, given.run.workload.namespace);
  if (comparison?.problem) options.say(`The run is compared with none: ${comparison.problem}.`);
  const keys = await signingKey(folder.key);
  const stack = await startStack(folder, { ...options, keys });
  try {
    const reviews = createFolderReviews(folder.reviews);
    const lastSucceeded = state?.lastSucceeded;
    return await runOn({ resolved, folder, options, stack, keys, reviews, frozen, lastSucceeded, ...beginning });
  } finally {
    await stack.stop();
  }
}

async function runOn(context: Context): Promise<RunState> {
  const { resolved, folder, stack, reviews, options } = context;
  let { run } = resolved;
  const view = showProgress(process.stderr, run, () => Date.now());
  const openGates = new Map<string, string>();
  const state = createStateFile(folder, () => currentState(context, view, openGates));
  const { journal, unreadable } = await openJournal(folder.journal);
  if (unreadable > 1)
    options.say(`${unreadable} lines of ${folder.journal} cannot be read: those steps are done again.`);
  const reviewServer = createPageServer(
    createApprover({
      reviews,
      artifacts: stack.edges.artifacts,
      publicKey: context.keys.publicKey,
      log: options.log,
      draining: stack.stopping,
    }),
  );
  const onOpen = async (record: ReviewRecord): Promise<void> => {
    const token = await reviewToken(context.keys.privateKey, record, "ReviewLink");
    const url = `${await reviewServer.open()}${reviewPath(record)}?token=${token}`;
    openGates.set(record.review.gate, url);
    await state.write();
    view.pause();
    options.say(gateText(record, url, openGates.size > 1, folder));
  };
  let asked: ChangeRequest[] = [];
  const onChanges = (request: ChangeRequest): void => void asked.push(request);
  const decide = async (open: OpenGate) => {
    try {
      return await passGate(run, open, { ...gateOptions(context, onOpen), onChanges });
    } finally {
      openGates.delete(open.gate.name);
      state.touch();
    }
  };
  try {
    await state.write();
    const edges = await connectEdges(context, journal);
    const runOnce = async () => {
      const trace = createRunTrace(edges.traceSeed, edges.now);
      const ended = await runPipeline(run, {
        ...edges,
        decide,
        emit(event, position) {
          view.on(event, position);
          trace.on(event);
          state.touch();
        },
      });
      trace.end(run, ended, await decisionsOf(context));
      return ended;
    };
    let ended = await runOnce();
    // With changes it is another run, in which what they do not concern is recorded already.
    for (; asked.length > 0; ended = await runOnce()) {
      run = withChanges(resolved, [...run.changes, ...asked]);
      asked = [];
    }
    const { end, outcomes } = ended;
    view.done();
    const outputs = await writeOutputs(run, outcomes, stack.edges.artifacts, folder);
    const { phase, ...why } = end;
    const finished = new Date();
    const finishedAt = finished.toISOString();
    await writeEvidence(context, run, ended, finished);
    return await state.write({
      phase,
      ...why,
      finishedAt,
      ...(Object.keys(outputs).length > 0 ? { outputs } : {}),
      ...(phase === "Succeeded"
        ? { lastSucceeded: { results: await keepResults(context, run, outcomes, finished), finishedAt } }
        : {}),
    });
  } catch (error) {
    view.done();
    const { stopping } = stack;
    const why =
      stopping.aborted && stopping.reason instanceof Interrupted ? stopping.reason : asInterrupted(error, folder);
    if (why instanceof Interrupted)
      await state.write({ phase: "Interrupted", reason: why.reason, message: why.message }).catch(() => undefined);
    throw why;
  } finally {
    await reviewServer.close();
    await journal.close();
  }
}

/** Of all commands that work on it. A workload on one machine has the same uid in each folder, each time. */
function localTraceSeed({ run }: ResolvedWorkload, startedAt: Date): string {
  return `${traceSeed(run)}/${startedAt.toISOString()}`;
}

/** What the run did, signed with the folder's key. */
async function writeEvidence(context: Context, run: Run, { end, outcomes }: EndedRun, finishedAt: Date): Promise<void> {
  const { folder, keys, startedAt } = context;
  const evidence = evidenceOf({
    run,
    outcomes,
    decisions: await decisionsOf(context),
    phase: end.phase,
    reason: "reason" in end ? end.reason : undefined,
    startedAt,
    finishedAt,
  });
  await replaceFile(folder.evidence, await signEvidence(evidence, keys.privateKey));
}

/** What later runs are compared with. */
function keepResults({ stack }: Context, run: Run, outcomes: Outcomes, finishedAt: Date): Promise<string> {
  const results = canonicalJson(runResultsOf(run, outcomes, finishedAt));
  return stack.edges.artifacts.put(run.workload, results, "json");
}

async function decisionsOf({ resolved, reviews }: Context): Promise<Decision[]> {
  const records = await reviews.list(resolved.run.workload);
  return records.flatMap(({ review }) => decisionSchema.strip().safeParse(review).data ?? []);
}

async function currentState(
  { resolved, reviews, startedAt, frozen, lastSucceeded }: Context,
  view: ProgressView,
  openGates: ReadonlyMap<string, string>,
): Promise<RunState> {
  const { workload, run, pipeline, comparison } = resolved.run;
  const records = await reviews.list(workload);
  return {
    workload,
    pipeline: `${pipeline.namespace}/${pipeline.name}`,
    command: sameCommand(),
    run,
    trace: traceId(localTraceSeed(resolved, startedAt)),
    frozen,
    phase: openGates.size > 0 ? "AwaitingReview" : "Running",
    pid: process.pid,
    startedAt: startedAt.toISOString(),
    ...view.progress,
    ...(comparison ? { comparedWith: comparison } : {}),
    ...(lastSucceeded ? { lastSucceeded } : {}),
    reviews: records.flatMap(({ review }) => (review.run === run ? [review] : [])),
    ...(openGates.size > 0 ? { reviewUrls: Object.fromEntries(openGates) } : {}),
  };
}

function gateText({ workload, review }: ReviewRecord, url: string, isOneOfSeveral: boolean, folder: RunFolder): string {
  const which = isOneOfSeveral ? ` --gate ${review.gate}` : "";
  return `Gate ${review.gate} waits for a review until ${review.timeoutAt} (then: ${review.onTimeout}). Look and decide at
  ${url}
or with
  ${program()} approve ${workload.name} --out ${folder.path}${which}`;
}

function gateOptions({ resolved, reviews, stack, options }: Context, onOpen: (record: ReviewRecord) => Promise<void>) {
  const { run } = resolved;
  const setting = options.approve ? "agentic run --approve" : undefined;
  return {
    reviews,
    artifacts: stack.edges.artifacts,
    carryCorrections: createCarryCorrections(stack.edges.artifacts),
    approvedBy: run.review.required ? setting : "spec.review.required: false",
    costOfApproving: ({ gate, outcomes }: OpenGate) =>
      costOfApproving(run, gate, outcomes, { hasModel: stack.edges.model !== undefined }),
    onOpen,
    now: () => new Date(),
  };
}

/** Connects the agents, waits for those in processes of their own, and finds what earlier commands did. */
async function connectEdges(context: Context, journal: Journal): Promise<Omit<RunnerEdges, "decide" | "emit">> {
  const { resolved, folder, stack, keys, options, startedAt, reusableSince } = context;
  const failuresStandUntil = context.isContinued ? await lastOpened(resolved.run, context.reviews) : undefined;
  const { run } = resolved;
  const { artifacts } = stack.edges;
  const signal = stack.stopping;
  const now = (): Date => new Date();
  const results = createResultStore(artifacts);
  const dispatchFor = await connectDispatch(resolved, stack, {
    folder,
    keys,
    results,
    hostAccess: options.hostAccess,
    say: options.say,
    log: options.log,
  });
  const records = createStepRecords({
    workload: run.workload,
    journal,
    results,
    artifacts,
    store: stack.store,
    reusableSince,
    failuresStandUntil,
    now,
  });
  const inTurn = pLimit(READS_AT_ONCE);
  const findPrevious = createFindPrevious(artifacts, results);
  let saysLost = false;
  return {
    dispatch: dispatchFor(run),
    recorded: (identity, step) =>
      inTurn(() => patiently(() => records.find(identity, redoneSince(run, step)), STORE_PATIENCE_MS, signal)),
    async findPrevious(of, instance) {
      const found = await inTurn(() => patiently(() => findPrevious(of, instance), STORE_PATIENCE_MS, signal));
      if (found === "lost" && !saysLost)
        options.say(
          `Results of ${of.comparison?.workload}, with which the run is compared, are gone: steps go on without.`,
        );
      saysLost ||= found === "lost";
      return found;
    },
    record: (identity, result, ms) => patiently(() => records.add(identity, result, ms), STORE_PATIENCE_MS, signal),
    signal,
    traceSeed: localTraceSeed(resolved, startedAt),
    // No timer is that long; no command lives that long either.
    deadline: run.runDeadlineMs > MAX_TIMER_MS ? new AbortController().signal : AbortSignal.timeout(run.runDeadlineMs),
    now,
  };
}

/** A full disk, and a store that is away, are not the run's own trouble. */
function asInterrupted(error: unknown, folder: RunFolder): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ((cause as NodeJS.ErrnoException).code === "ENOSPC") return noSpace(folder.path, error);
  return error instanceof RetryableError ? new Interrupted(error.reason, error.message, { cause: error }) : error;
}
