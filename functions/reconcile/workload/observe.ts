import { z } from "zod";
import {
  type AgentWorkload,
  agentWorkloadSchema,
  type ChangeRequest,
  changeRequestSchema,
  type WorkloadStatus,
} from "../../../crd/agentworkload.ts";
import { parseDuration } from "../../../crd/duration.ts";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { baseRunOf, earlierRunIds, type Run, runIdOf, runOf } from "../../../engine/run.ts";
import { getIfKept } from "../../../lib/edges/artifacts.ts";
import type { Kube, KubeObject, ObjectRef } from "../../../lib/edges/kube.ts";
import { TerminalError } from "../../../lib/errors.ts";
import { schemaProblems } from "../../../lib/schema-problems.ts";
import { isOwnedBy } from "../owner.ts";
import { REASON } from "../reasons.ts";
import { latestRun, type RunEngine, type RunView } from "../run-engine.ts";
import { observeComparison } from "./comparison.ts";
import { observeRun, type Progress, type ProgressDeps } from "./progress.ts";
import type { QuotaView } from "./quota-view.ts";
import { type Refusal, type ResolveDeps, resolve } from "./resolve.ts";
import { isTold } from "./told.ts";

/** All there is of one workload: what its spec wants, what Argo, the object store and Redis say. Nothing is remembered between looks. */
export interface Observed {
  readonly object: KubeObject;
  readonly spec: SpecView;
  /** The run object of the run that the spec asks for. */
  readonly runObject?: RunView;
  /** Those of earlier specs. */
  readonly others: readonly RunView[];
  /** Absent: it is being deleted. */
  readonly quota?: QuotaView;
  /** What is known of that run; absent without a run object, and once the status tells how it ended. */
  readonly progress?: Progress;
}

/**
 * accepted: the spec with its run; with `refusal` the spec is one that cannot be run, and this is the last one before it that could.
 * finished: a run that ended and whose run object is gone. refused: why nothing can start.
 */
export type SpecView =
  | { readonly state: "accepted"; readonly workload: AgentWorkload; readonly run: Run; readonly refusal?: Refusal }
  | { readonly state: "finished"; readonly workload: AgentWorkload }
  | ({ readonly state: "refused" } & Refusal);

export interface ObserveDeps extends ResolveDeps, ProgressDeps {
  readonly kube: Kube;
  readonly engine: RunEngine;
}

/** @returns undefined for a workload that is not there. @throws RetryableError or TerminalError of the edges */
export async function observe(ref: ObjectRef, deps: ObserveDeps): Promise<Observed | undefined> {
  const object = await deps.kube.workloads.get(ref);
  if (!object) return undefined;
  const { namespace, name } = object.metadata;
  const labelSelector = `${deps.engine.workloadLabel}=${name}`;
  const labelled = await listRuns(object, { namespace, labelSelector }, deps);
  // One of an earlier workload of the same name is on its way out with its owner.
  const runs = labelled.filter((one) => isOwnedBy(one, object)).map(deps.engine.view);
  // Nothing else is asked for: what a deletion waits for may be gone for good.
  if (object.metadata.deletionTimestamp !== undefined) return { object, spec: BEING_DELETED, others: runs };
  const parsed = parseSpec(object, object.spec);
  const observed: Observed =
    "workload" in parsed
      ? await observeWanted(object, parsed.workload, runs, deps)
      : { object, spec: parsed, others: runs };
  return (await observeLastAccepted(observed, runs, deps)) ?? observed;
}

/** What a spec asks for, and its run. */
async function observeWanted(
  object: KubeObject,
  workload: AgentWorkload,
  runs: readonly RunView[],
  deps: ObserveDeps,
): Promise<Observed> {
  const { namespace, name, uid } = object.metadata;
  const reference = { namespace, name, uid };
  const changes = changesIn(object, baseRunOf(uid, workload.spec));
  const nameOf = (run: string): string => deps.engine.nameOf({ workload: reference, run });
  const runName = nameOf(runIdOf(uid, workload.spec, changes));
  // A superseded one is no end of this run, though it has its name: going back to an earlier spec runs it again.
  const runObject = runs.find((one) => one.name === runName && !one.superseded);
  const others = runs.filter((one) => one !== runObject);
  /** Of this spec with fewer changes, the last one first. */
  const earlier = earlierRunIds(uid, workload.spec, changes)
    .toReversed()
    .flatMap((run) => runs.find((one) => one.name === nameOf(run)) ?? []);
  if (runObject) {
    if (!runObject.pipeline) {
      const message = `the frozen pipeline in the annotations of Workflow ${runName} is not as reconcile wrote it: delete the Workflow to start the run again; completed steps are reused`;
      return { object, spec: { state: "refused", reason: "UnreadableRun", message }, runObject, others };
    }
    const { pipeline, comparison } = runObject;
    const run = runOf(reference, workload.spec, pipeline, { changes, comparison });
    const accepted: Observed = { object, spec: { state: "accepted", workload, run }, runObject, others };
    if (isTold(object, runObject)) return accepted;
    const startedAt = new Date(Math.min(...[runObject, ...earlier].map(({ createdAt }) => createdAt.getTime())));
    return { ...accepted, progress: await observeRun(run, workload, { runObject, startedAt }, object, deps) };
  }
  if (hasFinished(object, runName, workload, deps.now()))
    return { object, spec: { state: "finished", workload }, others };
  // Changes are asked of the run that was looked at: a newer agent would do its other steps again, too.
  const frozen = earlier.find(({ pipeline }) => pipeline)?.pipeline;
  const resolved = frozen ? { pipeline: frozen } : await resolve(workload, object, deps);
  if (!("pipeline" in resolved)) return { object, spec: { state: "refused", ...resolved }, others };
  const comparison = await observeComparison(workload, object, runs.length > 0, deps);
  const run = runOf(reference, workload.spec, resolved.pipeline, { changes, comparison });
  return { object, spec: { state: "accepted", workload, run }, others };
}

/**
 * A spec that cannot be run stops nothing: the run of the last one that could goes on under the terms it had. Undefined where there is
 * none, or the object store has lost that spec. A new image replaces the Agent that the run's steps would go to: its run waits.
 */
async function observeLastAccepted(
  { object, spec: refused, runObject }: Observed,
  runs: readonly RunView[],
  deps: ObserveDeps,
): Promise<Observed | undefined> {
  if (refused.state !== "refused" || refused.needsAgent || runObject) return undefined;
  const last = latestRun(runs);
  const spec = last?.acceptedSpec === undefined ? undefined : await readSpec(last.acceptedSpec, object, deps);
  if (!last || spec === undefined) return undefined;
  const parsed = parseSpec(object, spec);
  if (!("workload" in parsed)) return undefined;
  const observed = await observeWanted(object, parsed.workload, runs, deps);
  if (observed.spec.state !== "accepted" || observed.runObject !== last) return undefined;
  const { reason, message } = refused;
  return { ...observed, spec: { ...observed.spec, refusal: { reason, message } } };
}

async function readSpec(digest: string, { metadata }: KubeObject, { artifacts }: ObserveDeps): Promise<unknown> {
  const bytes = await getIfKept(artifacts, metadata, artifactKey(metadata, digest, "json"));
  return bytes && JSON.parse(new TextDecoder().decode(bytes));
}

const BEING_DELETED: SpecView = { state: "refused", reason: "BeingDeleted", message: "the workload is being deleted" };

/** A workload that is being deleted goes also where the engine has been uninstalled. */
async function listRuns(
  { metadata }: KubeObject,
  where: { namespace: string; labelSelector: string },
  { kube }: ObserveDeps,
): Promise<KubeObject[]> {
  try {
    return await kube.workflows.list(where);
  } catch (error) {
    if (metadata.deletionTimestamp !== undefined && error instanceof TerminalError && error.reason === "KindMissing")
      return [];
    throw error;
  }
}

function parseSpec(
  object: KubeObject,
  spec: unknown,
): { workload: AgentWorkload } | Extract<SpecView, { state: "refused" }> {
  const { namespace, name, uid, generation } = object.metadata;
  const parsed = agentWorkloadSchema.omit({ status: true }).safeParse({
    apiVersion: object["apiVersion"],
    kind: object["kind"],
    metadata: { namespace, name, uid, ...(generation === undefined ? {} : { generation }) },
    spec,
  });
  if (parsed.success) return { workload: parsed.data };
  return { state: "refused", reason: "InvalidSpec", message: `the spec is invalid: ${schemaProblems(parsed.error)}` };
}

/** What reviewers asked to be changed in runs of a spec. `base`: its run without changes. */
function changesIn({ status }: KubeObject, base: string): ChangeRequest[] {
  const { changes } = (status ?? {}) as Record<string, unknown>;
  const known = z.array(changeRequestSchema).safeParse(changes ?? []).data ?? [];
  return known.filter(({ run }) => run === base);
}

/**
 * A run that has ended stays ended when its run object's time to live is over, as a Job does. A failed one whose run object somebody
 * deleted before that is wanted again; one that has expired is not, whatever ttlAfterFinished says by then.
 */
function hasFinished({ status: seen }: KubeObject, runName: string, { spec }: AgentWorkload, now: Date): boolean {
  const { workflow, finishedAt, phase, conditions = [] } = (seen ?? {}) as WorkloadStatus;
  if (workflow !== runName || finishedAt === undefined) return false;
  if (phase !== "Failed" || conditions.some(({ reason }) => reason === REASON.expired)) return true;
  return now.getTime() >= new Date(finishedAt).getTime() + parseDuration(spec.ttlAfterFinished);
}
