import { type AgentSchedule, agentScheduleSchema, SCHEDULE_LABEL, scheduledIn } from "../../../crd/agentschedule.ts";
import type { PHASES, WorkloadSpec, WorkloadStatus } from "../../../crd/agentworkload.ts";
import { parseCron, type Times } from "../../../crd/cron.ts";
import type { Kube, KubeObject, ObjectRef } from "../../../lib/edges/kube.ts";
import { schemaProblems } from "../../../lib/schema-problems.ts";
import { isOwnedBy } from "../owner.ts";

/** A workload that the schedule made. */
export interface ScheduledWorkload {
  readonly name: string;
  /** For which it was made. */
  readonly time: Date;
  readonly phase?: (typeof PHASES)[number];
  readonly finishedAt?: Date;
  /** A run of it succeeded, and what that left is there: later ones can be compared with it. */
  readonly hasResults: boolean;
  readonly compareWith?: string;
}

export interface Observed {
  readonly object: KubeObject;
  readonly spec: { readonly schedule: AgentSchedule; readonly times: Times } | { readonly problem: string };
  /** The first first. Without those that are being deleted. */
  readonly workloads: readonly ScheduledWorkload[];
}

/** @returns undefined for a schedule that is not there, or is being deleted: its workloads go with it */
export async function observe(
  ref: ObjectRef,
  { kube }: { readonly kube: Pick<Kube, "schedules" | "workloads"> },
): Promise<Observed | undefined> {
  const object = await kube.schedules.get(ref);
  if (!object || object.metadata.deletionTimestamp !== undefined) return undefined;
  const { namespace, name } = object.metadata;
  const labelled = await kube.workloads.list({ namespace, labelSelector: `${SCHEDULE_LABEL}=${name}` });
  const workloads = labelled
    .filter((one) => isOwnedBy(one, object) && one.metadata.deletionTimestamp === undefined)
    .flatMap((one) => viewWorkload(one) ?? [])
    .toSorted((a, b) => a.time.getTime() - b.time.getTime());
  return { object, spec: specOf(object), workloads };
}

/** What a schedule's object wants; also of one in a list. */
export function specOf({ metadata, spec }: KubeObject): Observed["spec"] {
  const { namespace, name } = metadata;
  const parsed = agentScheduleSchema
    .omit({ status: true })
    .safeParse({ apiVersion: "agentic.dev/v1alpha1", kind: "AgentSchedule", metadata: { namespace, name }, spec });
  if (!parsed.success) return { problem: `the spec is invalid: ${schemaProblems(parsed.error)}` };
  const cron = parseCron(parsed.data.spec.schedule, parsed.data.spec.timeZone);
  return "times" in cron ? { schedule: parsed.data, times: cron.times } : { problem: cron.problem.message };
}

function viewWorkload({ metadata, spec, status }: KubeObject): ScheduledWorkload | undefined {
  const time = scheduledIn(metadata.name)?.time;
  if (!time) return undefined;
  const { phase, finishedAt, results } = (status ?? {}) as WorkloadStatus;
  const { compareWith } = (spec ?? {}) as Partial<WorkloadSpec>;
  return {
    name: metadata.name,
    time,
    ...(phase === undefined ? {} : { phase }),
    ...(finishedAt === undefined ? {} : { finishedAt: new Date(finishedAt) }),
    hasResults: results !== undefined,
    ...(compareWith === undefined ? {} : { compareWith }),
  };
}
