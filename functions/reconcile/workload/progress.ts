import pLimit from "p-limit";
import { z } from "zod";
import { type Agent, agentSchema } from "../../../crd/agent.ts";
import { type AgentWorkload, type Review, reviewSchema } from "../../../crd/agentworkload.ts";
import { parseDuration } from "../../../crd/duration.ts";
import { checkedResult } from "../../../engine/agent-output.ts";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { canonicalJson, sha256 } from "../../../engine/canonical.ts";
import { findingsOf, gateOutcome } from "../../../engine/findings.ts";
import { type StepDependencies, stepIdentity } from "../../../engine/identity.ts";
import { type Outcomes, type OutcomeTable, outcomeOf, SKIPPED, setOutcome } from "../../../engine/outcomes.ts";
import type { PipelineStep } from "../../../engine/pipeline.ts";
import { failedResult, type StepResult } from "../../../engine/result.ts";
import { type Run, redoneSince, stepDeadlineMs, stepOf } from "../../../engine/run.ts";
import { ancestorsOf, type Stage } from "../../../engine/stages.ts";
import { type Instance, itemsOf, turnOf, type Walk, walk } from "../../../engine/walk.ts";
import type { CarryCorrections } from "../../../lib/durable/carried-corrections.ts";
import type { FindPrevious } from "../../../lib/durable/previous-results.ts";
import type { StepState } from "../../../lib/durable/requests.ts";
import type { ResultStore } from "../../../lib/durable/results.ts";
import { type Artifacts, getIfKept } from "../../../lib/edges/artifacts.ts";
import type { Kube, KubeObject } from "../../../lib/edges/kube.ts";
import { type HeldAccess, HOST_ACCESS_SECRET, hostAccessFor } from "../../../lib/host-access.ts";
import { REASON } from "../reasons.ts";
import { isCutShort, type NodeView, type RunView } from "../run-engine.ts";
import { type MadeDecision, readDecisions, withoutInvalidCorrections } from "./decisions.ts";
import { type GateView, viewGate } from "./gate.ts";
import { NOT_RUN, parseStepOutput } from "./node-output.ts";
import { isUnderWay, type StepView, type StepWork } from "./step-view.ts";

/** How far a run is. */
export interface Progress {
  /** Steps that agents do, whose nodes are there. */
  readonly steps: readonly StepView[];
  readonly gates: readonly GateView[];
  /** Of gates that cannot be judged: a step before them is done again, or has not ended in a run that is made again, or the engine cut
   * the run short. They stay as they are. */
  readonly keptReviews: readonly Review[];
  readonly outcomes: Outcomes;
  readonly walk: Walk;
  /** A step that has not ended finds the results gone that it is compared with: it goes on without. */
  readonly lacksPrevious: boolean;
  /** The agents of steps that nobody takes up, as they are now; null: deleted. */
  readonly lateAgents: ReadonlyMap<string, Agent | null>;
}

export interface ProgressDeps {
  readonly kube: Pick<Kube, "agents" | "decisions" | "hostAccess">;
  readonly artifacts: Artifacts;
  readonly results: ResultStore;
  readonly findPrevious: FindPrevious;
  readonly carryCorrections: CarryCorrections;
  readonly readStates: (identities: readonly string[]) => Promise<readonly StepState[]>;
  /** Whether the egress proxy can be told of a proxy to reach a host by. */
  readonly usesProxies: boolean;
  readonly now: () => Date;
}

/** Reads of the object store at once. */
const READS_AT_ONCE = 32;
/** A request that is this old and not taken up is late: its agent is looked at. */
export const LATE_MS = 30_000;

/** When a request is late; with the step's deadline in `ms`, when nothing is awaited of it any more. In ms. */
export function lateAt(requestedAt: Date, ms = 0): number {
  return requestedAt.getTime() + ms + LATE_MS;
}

interface Looking {
  readonly run: Run;
  readonly runObject: RunView;
  /** A success that ended before this is done again. */
  readonly reusableFrom: Date;
  readonly deps: ProgressDeps;
  readonly table: OutcomeTable;
  /** Steps with nodes that have not ended, by item: their successors wait, where a result has to be made again. */
  readonly redone: Map<string, Set<number>>;
  lacksPrevious: boolean;
  /** Of the workload's namespace: read once a look, where a step that asks for it is to be requested. */
  heldAccess?: Promise<HeldAccess>;
}

/** `startedAt`: of the first run of the spec, where changes were asked for since: what they do not concern does not grow old meanwhile. */
export async function observeRun(
  run: Run,
  workload: AgentWorkload,
  { runObject, startedAt }: { readonly runObject: RunView; readonly startedAt: Date },
  object: KubeObject,
  deps: ProgressDeps,
): Promise<Progress> {
  const reusableFrom = new Date(startedAt.getTime() - parseDuration(workload.spec.freshness));
  const table: OutcomeTable = new Map();
  const looking: Looking = { run, runObject, reusableFrom, deps, table, redone: new Map(), lacksPrevious: false };
  let made: Promise<MadeDecision[]> | undefined;
  const decisionsOnce = (): Promise<MadeDecision[]> => {
    made ??= readDecisions(deps.kube.decisions, run.workload);
    return made;
  };
  const nodes = Map.groupBy(runObject.nodes, ({ role, step }) => `${role}/${step}`);
  const reviews = readReviews(object);
  const steps: StepView[] = [];
  const gates: GateView[] = [];
  const keptReviews: Review[] = [];
  for (const stage of run.stages)
    for (const step of stage.steps) {
      if (step.gate) {
        const node = nodes.get(`gate/${step.name}`)?.find(({ output }) => output !== NOT_RUN);
        const ofGate = reviews.filter((one) => one.gate === step.name);
        const known = ofGate.filter((one) => one.run === run.run);
        if (!node) {
          // Decided before its run object was made again: the decision counts for the same findings.
          keptReviews.push(...known.filter(({ decision }) => decision));
          continue;
        }
        if (isCutOff(looking, node) || isReopened(run, step, steps)) {
          keptReviews.push(...known);
          continue;
        }
        const isDecided = known.some(({ decision }) => decision);
        const decisions = isDecided ? [] : await decisionsOnce();
        const gate = await observeGate(looking, step, node, { reviews: ofGate, decisions });
        if (gate) gates.push(gate);
        continue;
      }
      const views = await observeStep(looking, stage, step, nodes.get(`step/${step.name}`) ?? []);
      steps.push(...views);
      for (const { index, outcome } of views) if (outcome) setOutcome(table, step.name, index, outcome);
      const open = views.filter(({ outcome, work }) => !outcome && work);
      if (open.length > 0) looking.redone.set(step.name, new Set(open.map(({ index = 0 }) => index)));
    }
  const late = await lateAgents(looking, steps);
  return {
    steps,
    gates,
    keptReviews,
    outcomes: table,
    walk: judge(run, table, runObject),
    lacksPrevious: looking.lacksPrevious,
    lateAgents: late,
  };
}

/**
 * As the walk judges it. The engine has started as many items as a list had when its node was settled: where the bytes of the list were
 * lost, and the step that returned it left another number, the run cannot go on.
 */
function judge(run: Run, table: Outcomes, { nodes }: RunView): Walk {
  const walked = walk(run, table);
  for (const { stage, state, items } of walked.stages) {
    const list = nodes.find(({ role, step, phase }) => role === "list" && step === stage.name && phase === "Succeeded");
    if (walked.failure || !list || !items || (state !== "running" && state !== "over")) continue;
    if (Number(list.output) === items.length) continue;
    const message = `${stage.forEach} had ${list.output} items, and has ${items.length} since its bytes were lost and its step was done again: 'kubectl delete workflow' of this run starts it with these`;
    const failure = { reason: REASON.listChanged, message };
    return { ...walked, ready: [], failure, end: { phase: "Failed", ...failure } };
  }
  return walked;
}

/** The engine failed the node when it ended the run: neither its step nor a person did. */
function isCutOff({ runObject }: Looking, { phase, output }: NodeView): boolean {
  return (phase === "Failed" || phase === "Error") && output === undefined && isCutShort(runObject);
}

/** A step before the gate is done again, for the bytes of its result are gone: what the gate is about is not known until it has ended. */
function isReopened(run: Run, { name }: PipelineStep, steps: readonly StepView[]): boolean {
  const before = ancestorsOf(name, run.pipeline.steps);
  return steps.some(({ step, node, outcome }) => before.has(step.name) && !outcome && node.output !== NOT_RUN);
}

async function observeGate(
  { run, deps, table }: Looking,
  step: PipelineStep,
  node: NodeView,
  known: { readonly reviews: readonly Review[]; readonly decisions: readonly MadeDecision[] },
): Promise<GateView | undefined> {
  const turn = turnOf(run, { step }, table);
  if (turn.do === "fail") {
    setOutcome(table, step.name, undefined, turn.result);
    return undefined;
  }
  const findings = await deps.carryCorrections(run, findingsOf(run, step, table), known.reviews);
  const digest = sha256(canonicalJson(findings));
  const decisions = await withoutInvalidCorrections(known.decisions, digest, findings, deps.artifacts);
  const seen = { findings, digest, reviews: known.reviews, decisions, skips: turn.do === "skip" };
  const gate = viewGate(run, step, node, seen, deps.now());
  const { verdict } = gate;
  if (verdict.state === "skipped") setOutcome(table, step.name, undefined, SKIPPED);
  if (verdict.state === "tampered")
    setOutcome(table, step.name, undefined, failedResult(REASON.tamperedGate, verdict.message));
  if (verdict.state === "decided") {
    const { decision } = verdict;
    const key = artifactKey(run.workload, sha256(canonicalJson(decision)), "json");
    setOutcome(table, step.name, undefined, gateOutcome(decision, { findings: gate.key, decision: key }));
  }
  // Its reader looks for the findings as long as it is open.
  const lacksFindings =
    gate.review !== undefined &&
    verdict.state === "waiting" &&
    !(await getIfKept(deps.artifacts, run.workload, gate.key));
  return { ...gate, lacksFindings };
}

/** The nodes of one step: what was settled is read from the object store, what runs from Redis. */
async function observeStep(
  looking: Looking,
  stage: Stage,
  step: PipelineStep,
  nodes: readonly NodeView[],
): Promise<StepView[]> {
  const items = itemsOf(looking.run, stage, looking.table);
  const instances = nodes.flatMap((node) => {
    const instance = instanceOf(step, node, items);
    return instance && node.phase !== "Omitted" && node.phase !== "Skipped" ? [{ ...instance, node }] : [];
  });
  const atOnce = pLimit(READS_AT_ONCE);
  const views = await Promise.all(instances.map((one) => atOnce(() => settledView(looking, one))));
  const open = views.filter(({ outcome, node }) => !outcome && node.output !== NOT_RUN);
  const running = await Promise.all(
    open.map((view) => atOnce(async () => ({ ...view, ...(await workOf(looking, stage, view)) }))),
  );
  const identities = running.flatMap(({ identity }) => (identity === undefined ? [] : [identity]));
  const states = await looking.deps.readStates(identities);
  const stateOf = new Map(identities.map((identity, at) => [identity, states[at]]));
  const opened = await Promise.all(
    running.map((view) => atOnce(() => runningView(looking, view, stateOf.get(view.identity ?? "")))),
  );
  return [...views.filter((view) => !open.includes(view)), ...opened];
}

function instanceOf(step: PipelineStep, node: NodeView, items: ReturnType<typeof itemsOf>): Instance | undefined {
  if (step.forEach === undefined) return { step };
  const item = items?.[node.index ?? -1];
  return item === undefined || node.index === undefined ? undefined : { step, index: node.index, item };
}

/** What a settled node says. One whose bytes are gone from the object store is open again: its step is done anew. */
async function settledView(looking: Looking, view: StepView): Promise<StepView> {
  const { node } = view;
  if (node.phase === "Running" || node.phase === "Pending") return view;
  const output = parseStepOutput(node.output);
  if (output?.outcome === "skipped") return { ...view, outcome: SKIPPED };
  if (output?.outcome === "notRun") return view;
  if (output) {
    const result = await looking.deps.results.get(looking.run.workload, output.digest);
    // What failed is not done again: Argo has gone on from its failure.
    if (!result) return output.outcome === "failed" ? { ...view, outcome: lostFailure(node) } : view;
    return { ...view, outcome: await checked(looking.run, view.step, result) };
  }
  if (isCutOff(looking, node)) return view;
  if (node.phase === "Succeeded")
    return { ...view, outcome: failedResult("ResumedByHand", "its node was resumed in Argo without a result") };
  return { ...view, outcome: failedResult("NodeFailed", `its node failed in Argo: ${node.message ?? "no message"}`) };
}

/** As its node tells it (plan.ts). */
function lostFailure({ message = "" }: NodeView): StepResult {
  const [, reason = "ResultLost", why = message] = /^(\w+): (.*)$/s.exec(message) ?? [];
  return failedResult(reason, why);
}

type Prepared = StepView & { readonly identity?: string; readonly input?: StepDependencies["input"] };

/** What a running node's step works on, where the steps before it have ended. */
async function workOf(looking: Looking, stage: Stage, view: StepView): Promise<Partial<Prepared>> {
  const { run, table, redone } = looking;
  const { step, index, item } = view;
  for (const name of step.after) {
    const before = stepOf(run, name);
    const own = before?.forEach === undefined ? 0 : before.forEach === step.forEach ? index : undefined;
    const open = redone.get(name);
    if (open && (own === undefined || open.has(own))) return {};
    // How many items of another fan-out failed is judged by tolerance; turnOf judges an earlier one over the same list.
    const isSingle = before?.forEach === undefined;
    if (!isSingle && !stage.steps.some((one) => one.name === name)) continue;
    const outcome = outcomeOf(table, name, own);
    if (!outcome) return {};
    if (outcome.reason === REASON.tamperedGate)
      return { outcome: failedResult(REASON.tamperedGate, outcome.message ?? "") };
    // Its node is there although a step before it failed: somebody resumed that in Argo. It ends, and counts for nothing.
    if (outcome.outcome === "failed" && !(isSingle && before?.optional))
      return { outcome: failedResult("NothingToWorkOn", `step ${name} before it failed, and was resumed in Argo`) };
  }
  const instance = { step, ...(index === undefined ? {} : { index }), ...(item === undefined ? {} : { item }) };
  const previous = await looking.deps.findPrevious(run, instance);
  if (previous === "lost") looking.lacksPrevious = true;
  const turn = turnOf(run, instance, table, previous === "lost" ? undefined : previous);
  if (turn.do === "skip") return { outcome: SKIPPED };
  if (turn.do === "fail") return { outcome: turn.result };
  const revision = run.pipeline.agents[step.agent ?? ""]?.revision ?? "";
  return {
    input: turn.input,
    identity: stepIdentity({ workload: run.workload, step: step.name, revision, input: turn.input }),
  };
}

/**
 * A record counts when it is of this attempt, or a success that is still fresh: a failure never outlives its attempt, so that what
 * is tried again in Argo, or asked again by a later run, is done again.
 */
async function runningView(looking: Looking, prepared: Prepared, state: StepState | undefined): Promise<StepView> {
  const { identity, input, ...view } = prepared;
  if (view.outcome || identity === undefined || input === undefined || !state) return view;
  const { run, runObject, deps } = looking;
  // One whose bytes are gone is another attempt: its deadline counts anew.
  const lost = parseStepOutput(view.node.output);
  const attempt = `${runObject.uid}/${view.node.startedAt}${lost && "digest" in lost ? `/${lost.digest}` : ""}`;
  const work = { input, identity, attempt, state };
  const { ended } = state;
  const redone = redoneSince(run, view.step.name);
  const reusableFrom = redone && redone > looking.reusableFrom ? redone : looking.reusableFrom;
  if (ended && (state.attempt === attempt || (ended.outcome === "succeeded" && ended.finishedAt >= reusableFrom))) {
    const result = await deps.results.get(run.workload, ended.digest);
    if (result) return { ...view, work, digest: ended.digest, outcome: await checked(run, view.step, result) };
  }
  const late = deadlineProblem(looking, view.step, state, attempt);
  if (late) return { ...view, work, outcome: late };
  return isUnderWay({ ...view, work }) ? { ...view, work } : withHostAccess(looking, { ...view, work });
}

/** Read when the step is about to be requested, so that each request has what is held now. */
async function withHostAccess(looking: Looking, view: StepView & { readonly work: StepWork }): Promise<StepView> {
  const { step, item, work } = view;
  if (!step.hostAccess) return view;
  const { namespace } = looking.run.workload;
  looking.heldAccess ??= looking.deps.kube.hostAccess(namespace);
  const hostAccess = usable(hostAccessFor(step, item, await looking.heldAccess), looking.deps);
  if (!hostAccess) return view;
  if (!("problem" in hostAccess)) return { ...view, work: { ...work, hostAccess } };
  const message = `Secret ${namespace}/${HOST_ACCESS_SECRET}: ${hostAccess.problem}. Correct it, and delete the Workflow to try again`;
  return { ...view, work, outcome: failedResult("InvalidHostAccess", message.slice(0, 1024)) };
}

/** A host that is to be reached by a proxy is not asked without. */
function usable(found: ReturnType<typeof hostAccessFor>, { usesProxies }: ProgressDeps): typeof found {
  if (!found || "problem" in found || usesProxies) return found;
  const host = Object.keys(found).find((name) => found[name]?.proxy !== undefined);
  return host === undefined
    ? found
    : { problem: `${host}: names a proxy, and there is no EGRESS_ACCESS_KEY (Secret agentic-egress)` };
}

/** An agent that never answers, or is gone, does not hold a run for ever: its deadline counts from the first request. */
function deadlineProblem(
  { run, deps }: Looking,
  step: PipelineStep,
  state: StepState,
  attempt: string,
): StepResult | undefined {
  if (state.attempt !== attempt || !state.requestedAt || state.held) return undefined;
  const ms = stepDeadlineMs(run, step);
  if (deps.now().getTime() < lateAt(state.requestedAt, ms)) return undefined;
  return failedResult(
    "DeadlineExceeded",
    `agent ${step.agent} left no result within ${ms / 1000} s of the first request`,
  );
}

function checked(run: Run, step: PipelineStep, result: StepResult): Promise<StepResult> {
  const agent = run.pipeline.agents[step.agent ?? ""];
  return agent ? checkedResult(result, agent, run.workload, step) : Promise.resolve(result);
}

/** Looked at only where a request is late: what its Agent says of itself explains it. */
async function lateAgents({ run, deps }: Looking, steps: readonly StepView[]): Promise<Map<string, Agent | null>> {
  const now = deps.now().getTime();
  const late = steps.filter(({ outcome, work }) => {
    const { requestedAt, held, undeliverable } = work?.state ?? {};
    return !outcome && !held && (undeliverable || (requestedAt && now > lateAt(requestedAt)));
  });
  const agents = new Map<string, Agent | null>();
  for (const name of new Set(late.flatMap(({ step }) => step.agent ?? []))) {
    const frozen = run.pipeline.agents[name];
    const object = frozen && (await deps.kube.agents.get({ namespace: frozen.namespace, name: frozen.name }));
    agents.set(name, (object && agentSchema.safeParse(object).data) ?? null);
  }
  return agents;
}

/** Of this run, and the decisions of earlier ones: a spec that is taken back finds its own. */
function readReviews({ status }: KubeObject): readonly Review[] {
  const { reviews, earlierReviews } = (status ?? {}) as Record<string, unknown>;
  return [reviews, earlierReviews].flatMap((all) => z.array(reviewSchema).safeParse(all ?? []).data ?? []);
}
