import { SCHEDULE_LABEL, type ScheduleStatus, workloadNameAt } from "../../../crd/agentschedule.ts";
import { canonicalJson } from "../../../engine/canonical.ts";
import type { Kube, KubeObject, ObjectRef } from "../../../lib/edges/kube.ts";
import { RetryableError, TerminalError } from "../../../lib/errors.ts";
import type { Logger } from "../../../lib/log.ts";
import { ATTRIBUTE } from "../../../lib/telemetry/attributes.ts";
import { AUDIT } from "../../../lib/telemetry/audit.ts";
import { eventOn } from "../object-event.ts";
import { isOwnedBy } from "../owner.ts";
import { REASON } from "../reasons.ts";
import { type Observed, observe } from "./observe.ts";
import { type Action, type Plan, plan } from "./plan.ts";
import { type StartProblem, statusOf } from "./status.ts";

export interface ScheduleDeps {
  readonly kube: Kube;
  /** Runs work on an object while no other process does. @throws RetryableError Busy, StoreUnavailable */
  readonly exclusively: <T>(key: string, work: () => Promise<T>) => Promise<T>;
  readonly now: () => Date;
  readonly log: Logger;
}

/** As the API server knows it (config/rbac.yaml). */
const RECONCILE = "system:serviceaccount:agentic-system:reconcile";
/** Annotation: the time for which a workload was made. */
const SCHEDULED_AT = "agentic.dev/scheduled-at";

/**
 * Makes the workload whose time has come, and deletes those that are beyond the history limits.
 * @returns when to look again; undefined: nothing comes by itself. @throws what the edges throw
 */
export function reconcileSchedule(ref: ObjectRef, deps: ScheduleDeps): Promise<Date | undefined> {
  return deps.exclusively(`schedule/${ref.namespace}/${ref.name}`, () => lookOnce(ref, deps));
}

async function lookOnce(ref: ObjectRef, deps: ScheduleDeps): Promise<Date | undefined> {
  const observed = await observe(ref, deps);
  if (!observed) return undefined;
  const now = deps.now();
  const planned = plan(observed, now);
  let problem: StartProblem | undefined;
  let failed: unknown;
  for (const action of planned.actions) {
    // The one that was to be replaced is still there.
    if (action.type === "create" && problem) continue;
    try {
      const kept = await apply(action, observed, deps);
      problem ??= kept;
    } catch (error) {
      failed ??= error;
      if (action.type === "create" || action.why === "Replaced") problem = problemOf(error);
    }
  }
  await say(observed, planned, deps);
  const status = statusOf(observed, planned, problem, now);
  const written = await putStatus(observed.object, status, deps);
  if (failed !== undefined) throw failed;
  // It was changed meanwhile: what is now, the next look sees.
  if (written === "conflict") return now;
  return status.nextScheduleTime === undefined ? undefined : new Date(status.nextScheduleTime);
}

/** @returns what keeps the workload from being made, and nobody but its author can mend */
async function apply(action: Action, { object }: Observed, deps: ScheduleDeps): Promise<StartProblem | undefined> {
  const { namespace, name } = object.metadata;
  if (action.type === "delete") {
    const { name: workload, why } = action;
    if ((await deps.kube.workloads.remove({ namespace, name: workload })) === "written") {
      AUDIT.deleted.record(deps.log, auditOf(namespace, workload));
      deps.log.info({ schedule: `${namespace}/${name}`, workload, why }, "workload of a schedule deleted");
    }
    return undefined;
  }
  const body = workloadOf(object, action);
  const made = await deps.kube.workloads.create(namespace, body);
  const { name: workload } = body.metadata;
  if (made === "created") {
    AUDIT.created.record(deps.log, auditOf(namespace, workload));
    return undefined;
  }
  const there = await deps.kube.workloads.get({ namespace, name: workload });
  if (!there || isOwnedBy(there, object)) return undefined;
  const message = `there is an AgentWorkload ${workload} that is not this schedule's: delete it, or give the schedule another name`;
  return { reason: REASON.nameTaken, message };
}

function auditOf(namespace: string, workload: string) {
  return {
    "user.name": RECONCILE,
    "agentic.object.kind": "AgentWorkload",
    "k8s.namespace.name": namespace,
    "agentic.object.name": workload,
    [ATTRIBUTE.namespace]: namespace,
    [ATTRIBUTE.workload]: workload,
  };
}

interface Template {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
}

/** As its author wrote it: what a newer version of the CRD knows, and this process does not, is not lost. */
function workloadOf({ metadata, spec }: KubeObject, { time, compareWith }: Extract<Action, { type: "create" }>) {
  const { namespace, name, uid } = metadata;
  const { workloadTemplate: template } = spec as { workloadTemplate: Template };
  return {
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentWorkload",
    metadata: {
      namespace,
      name: workloadNameAt(name, time),
      labels: { ...template.metadata?.labels, [SCHEDULE_LABEL]: name },
      annotations: { ...template.metadata?.annotations, [SCHEDULED_AT]: time.toISOString() },
      ownerReferences: [{ apiVersion: "agentic.dev/v1alpha1", kind: "AgentSchedule", name, uid, controller: true }],
    },
    spec: { ...template.spec, ...(compareWith === undefined ? {} : { compareWith }) },
  };
}

function problemOf(error: unknown): StartProblem {
  if (error instanceof RetryableError || error instanceof TerminalError)
    return { reason: error.reason, message: `the workload could not be made: ${error.message}` };
  return { reason: REASON.internal, message: error instanceof Error ? error.message : String(error) };
}

/** Kubernetes Events: a repeated look makes the same. Best effort, as those of workloads are. */
async function say({ object }: Observed, { tooLateFor, manyMissedSince }: Plan, { kube, now, log }: ScheduleDeps) {
  const events = [
    ...(tooLateFor
      ? [
          {
            key: tooLateFor.toISOString(),
            reason: REASON.tooLate,
            message: `no workload was made for ${tooLateFor.toISOString()}: spec.startingDeadlineSeconds had passed`,
          },
        ]
      : []),
    ...(manyMissedSince
      ? [
          {
            key: manyMissedSince.toISOString(),
            reason: REASON.manyMissed,
            message: `more than 100 times have passed since ${manyMissedSince.toISOString()}: a workload is made for the last one only`,
          },
        ]
      : []),
  ];
  for (const event of events)
    await kube
      .event(eventOn(object, { ...event, kind: "AgentSchedule", type: "Warning" }, now()))
      .catch((error: unknown) => {
        const { namespace, name } = object.metadata;
        log.warn({ err: error, schedule: `${namespace}/${name}`, reason: event.reason }, "Event not written");
      });
}

function putStatus(object: KubeObject, status: ScheduleStatus, { kube }: ScheduleDeps) {
  if (canonicalJson(status) === canonicalJson(object.status ?? {})) return "same" as const;
  return kube.schedules.putStatus(object, status);
}
