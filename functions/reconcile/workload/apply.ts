import pLimit from "p-limit";
import type { ArtifactOwner } from "../../../engine/artifact-key.ts";
import { canonicalJson } from "../../../engine/canonical.ts";
import { SHARED_NAMESPACE } from "../../../engine/freeze.ts";
import { ledgerName } from "../../../engine/identity.ts";
import { type Run, stepDeadlineMs } from "../../../engine/run.ts";
import type { StepRequested } from "../../../lib/durable/requests.ts";
import type { ResultStore } from "../../../lib/durable/results.ts";
import type { Artifacts } from "../../../lib/edges/artifacts.ts";
import type { SendEvent } from "../../../lib/edges/broker.ts";
import type { Kube, KubeObject, WriteResult } from "../../../lib/edges/kube.ts";
import type { HostAccess } from "../../../lib/host-access.ts";
import type { Logger } from "../../../lib/log.ts";
import { microUsd } from "../../../lib/quota/micro-usd.ts";
import { INSTALLATION } from "../../../lib/quota/scope.ts";
import { claimsForStep } from "../../../lib/step-claims.ts";
import type { AgentRef } from "../../../lib/step-events.ts";
import { type StepClaims, type StepTokens, TOKEN_LIFE_MS } from "../../../lib/token.ts";
import type { UsageRecord } from "../../../lib/usage/record.ts";
import type { RunEngine, RunView, Settlement } from "../run-engine.ts";
import type { Action, PlannedSettlement } from "./action.ts";
import { listDecisions } from "./decisions.ts";
import { agentOf, expectEvent, requestEvent, reviewRequestedEvent, runCompletedEvent } from "./events.ts";
import type { GateView } from "./gate.ts";
import { formatStepOutput } from "./node-output.ts";
import type { Observed } from "./observe.ts";
import { FINALIZER } from "./plan.ts";
import { accountLeft, closeAccount, knownSpentUsd, type QuotaDeps, settleClaim } from "./quota.ts";
import type { StepView, StepWork } from "./step-view.ts";
import { recordRest, recordRun, type UsageDeps, usedBy } from "./usage.ts";

export interface ApplyDeps extends QuotaDeps, UsageDeps {
  readonly kube: Kube;
  readonly engine: RunEngine;
  readonly artifacts: Artifacts;
  readonly results: ResultStore;
  readonly send: SendEvent;
  /** Of a workload's steps, those that are to be sent now (lib/durable/requests.ts). */
  readonly claimRequests: <T extends StepRequested>(uid: string, requests: readonly T[]) => Promise<T[]>;
  /** Agents of this namespace are about to be sent steps: sees to it that they can log in to the stores. */
  readonly ensureLogins: (namespace: string) => Promise<void>;
  readonly withdrawRequest: (identity: string) => Promise<void>;
  readonly dropSteps: (uid: string) => Promise<void>;
  /** Mints the tokens of one step (lib/token.ts). `granted`: what its agent shows to single hosts. */
  readonly mintTokens: (
    claims: StepClaims,
    expiresAt: Date,
    granted?: { readonly agent: AgentRef; readonly access: HostAccess },
  ) => Promise<StepTokens>;
  /** Mints the link of a review (lib/review-link.ts). */
  readonly reviewUrl: (gate: GateView) => Promise<string>;
  readonly now: () => Date;
  readonly log: Logger;
}

/** How long a deletion waits for Redis and the object store. */
const DELETION_PATIENCE_MS = 2 * 60_000;
/** Requests on their way to the Broker at once. */
const SENDS_AT_ONCE = 16;

/** Does it. "conflict": what it was decided on has changed; look again. @throws what the edges throw */
export async function apply(action: Action, observed: Observed, deps: ApplyDeps): Promise<WriteResult> {
  const { object } = observed;
  const { namespace, name } = object.metadata;
  const ref = { namespace, name };
  switch (action.type) {
    case "addFinalizer":
      return deps.kube.workloads.merge(ref, withFinalizers(object, [...object.metadata.finalizers, FINALIZER]));
    case "claim":
      await settleClaim(action.claim, observed, deps);
      return "written";
    case "applyAgent":
      await deps.kube.agents.apply(action.agent.metadata, action.agent);
      return "written";
    case "createRun":
      await deps.artifacts.put(object.metadata, canonicalJson(action.spec), "json");
      await deps.kube.workflows.create(namespace, action.body);
      return "written";
    case "updateRun":
      await deps.artifacts.put(object.metadata, canonicalJson(action.spec), "json");
      return deps.kube.workflows.merge(refOf(action.view), action.body);
    case "stopRun":
      return deps.kube.workflows.merge(refOf(action.view), deps.engine.supersede);
    case "recordDeleted":
      await recordDeleted(observed, deps);
      return "written";
    case "deleteRun":
      return deps.kube.workflows.remove(refOf(action.view));
    case "cleanUp":
      return cleanUp(observed, deps);
    case "expireArtifacts":
      await deps.artifacts.drop(object.metadata);
      return "written";
    case "settle": {
      const settlements = await Promise.all(
        action.settlements.map((one) => withStoredResult(one, object.metadata, deps)),
      );
      return deps.kube.workflows.patch(refOf(action.view), deps.engine.settle(action.view, settlements, deps.now()));
    }
    case "nudge":
      return deps.kube.workflows.merge(refOf(action.view), deps.engine.nudge(deps.now()));
    case "publish": {
      await deps.artifacts.put(object.metadata, canonicalJson(action.findings), "json");
      if (action.decision) await deps.artifacts.put(object.metadata, canonicalJson(action.decision), "json");
      return "written";
    }
    case "requestReview":
      await deps.send(reviewRequestedEvent(action.gate, await deps.reviewUrl(action.gate)));
      return "written";
    case "announce":
      await deps.send(runCompletedEvent(action.run, action.end, action.data));
      return "written";
    case "expect":
      await allOf(action.steps.map((step) => deps.send(expectEvent(action.run, step))));
      return "written";
    case "dispatch":
      await dispatch(action.run, action.steps, observed, deps);
      return "written";
  }
}

/** Waits for all, then throws what the first that failed threw: nothing is left running behind an error. */
async function allOf(promises: readonly Promise<unknown>[]): Promise<void> {
  for (const one of await Promise.allSettled(promises)) if (one.status === "rejected") throw one.reason;
}

/** A failure that no agent left (a condition that cannot be answered, a deadline) becomes a result like any other. */
async function withStoredResult(
  { result, ...settlement }: PlannedSettlement,
  workload: ArtifactOwner,
  deps: ApplyDeps,
): Promise<Settlement> {
  if (!result) return settlement;
  const digest = await deps.results.put(workload, result);
  return { ...settlement, output: formatStepOutput({ outcome: result.outcome, digest }) };
}

/**
 * Deletes what is kept elsewhere, then lets the object go: after a while also where Redis or the object store is away for good. What is
 * left there expires, or is the administrator's to delete; the log names it.
 */
async function cleanUp(observed: Observed, deps: ApplyDeps): Promise<WriteResult> {
  const { object } = observed;
  const { uid, namespace, name, finalizers, deletionTimestamp } = object.metadata;
  const since = deletionTimestamp === undefined ? deps.now() : new Date(deletionTimestamp);
  const givesUp = deps.now().getTime() - since.getTime() > DELETION_PATIENCE_MS;
  const readSpent = async (): Promise<number | undefined> => {
    try {
      const { spentUsd, inFlightUsd } = await deps.readSpent(ledgerName({ namespace, uid }));
      return microUsd(Math.max(spentUsd + inFlightUsd, knownSpentUsd(observed)));
    } catch (error) {
      if (givesUp) return undefined;
      throw error;
    }
  };
  let record: UsageRecord | undefined;
  const readUse: UsageDeps["readUse"] = givesUp ? whatCanBeRead(deps) : deps.readUse;
  const drops = {
    "its steps in Redis could not be": () => deps.dropSteps(uid),
    // Nobody works on its steps any more: what they used is known.
    "what it used could not be recorded": async () => {
      const used = { ...usedBy(observed), runs: undefined };
      const account = await accountLeft(uid, deps);
      if (account) record = await recordRun(account, used, "deleted", { ...deps, readUse });
      await recordRest(used, { ...deps, readUse });
    },
    "its artifacts could not be": () => deps.artifacts.drop(object.metadata),
    "the decisions on it could not be": () => dropDecisions({ namespace, name }, deps),
    "its account in the namespace's quota could not be": () => closeAccount({ scope: namespace, uid }, readSpent, deps),
    "its account in the installation's could not be": () =>
      closeAccount({ scope: INSTALLATION, uid }, async () => undefined, deps, record),
  };
  for (const [what, drop] of Object.entries(drops)) {
    try {
      await drop();
    } catch (error) {
      if (!givesUp) throw error;
      deps.log.error({ err: error, workload: `${namespace}/${name}`, uid }, `workload deleted, but ${what}`);
    }
  }
  const left = finalizers.filter((finalizer) => finalizer !== FINALIZER);
  return deps.kube.workloads.merge({ namespace, name }, withFinalizers(object, left));
}

/** Before its run objects go, which name the results of its steps: what it used until now. The rest is recorded when it is cleaned up. */
async function recordDeleted(observed: Observed, deps: ApplyDeps): Promise<void> {
  const account = await accountLeft(observed.object.metadata.uid, deps);
  if (account) await recordRun(account, usedBy(observed), "deleted", { ...deps, readUse: whatCanBeRead(deps) });
}

/** Results say most of what a ledger does that cannot be read. */
function whatCanBeRead({ readUse }: UsageDeps): UsageDeps["readUse"] {
  return (ledger) => readUse(ledger).catch(() => undefined);
}

async function dropDecisions(ref: { namespace: string; name: string }, { kube }: ApplyDeps): Promise<void> {
  for (const { metadata } of await listDecisions(kube.decisions, ref)) await kube.decisions.remove(metadata);
}

async function dispatch(run: Run, steps: readonly StepView[], observed: Observed, deps: ApplyDeps): Promise<void> {
  const requests = steps.flatMap((view) => {
    const { work } = view;
    if (!work) return [];
    const { identity, attempt, state } = work;
    // A result that does not count is a failure of an earlier attempt, or stale, or its bytes are gone.
    return [{ view, work, identity, attempt, startAnew: state.ended !== undefined }];
  });
  // Before the claim: a request that is claimed and not sent waits until it may be claimed again.
  if (steps.some(({ step }) => isTenants(run.pipeline.agents[step.agent ?? ""])))
    await deps.ensureLogins(run.workload.namespace);
  const claimed = await deps.claimRequests(run.workload.uid, requests);
  const atOnce = pLimit(SENDS_AT_ONCE);
  const send = async ({ view, work }: { view: StepView; work: StepWork }): Promise<void> => {
    try {
      const { hostAccess: access } = work;
      const granted = access ? { agent: agentOf(run, view.step), access } : undefined;
      const claims = claimsOf(run, view, work, observed, deps.now());
      const tokens = await deps.mintTokens(claims, expiry(deps.now()), granted);
      await deps.send(requestEvent(run, view, work, tokens));
    } catch (error) {
      await deps.withdrawRequest(work.identity);
      throw error;
    }
  };
  await allOf(claimed.map((one) => atOnce(send, one)));
}

const isTenants = (agent: { namespace: string } | undefined): boolean =>
  agent !== undefined && agent.namespace !== SHARED_NAMESPACE;

/** One that ran out while its request was on its way comes back as a dead letter, and is sent anew. */
const expiry = (now: Date): Date => new Date(now.getTime() + TOKEN_LIFE_MS);

/** A step's deadline counts from its first request, that of the run from the run's start. */
function claimsOf(
  run: Run,
  view: StepView,
  { identity, attempt, state }: StepWork,
  observed: Observed,
  now: Date,
): StepClaims {
  const firstAsked = state.attempt === attempt ? state.requestedAt : undefined;
  const byStep = (firstAsked ?? now).getTime() + stepDeadlineMs(run, view.step);
  const byRun = (observed.runObject?.createdAt ?? now).getTime() + run.runDeadlineMs;
  return claimsForStep(run, view, {
    identity,
    deadline: new Date(Math.min(byStep, byRun)),
    spentUsd: Math.max(knownSpentUsd(observed), observed.quota?.spentUsd ?? 0),
  });
}

function refOf({ object }: RunView): { namespace: string; name: string } {
  return { namespace: object.metadata.namespace, name: object.metadata.name };
}

function withFinalizers({ metadata }: KubeObject, finalizers: readonly string[]): object {
  return { metadata: { finalizers, resourceVersion: metadata.resourceVersion } };
}
