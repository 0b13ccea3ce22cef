import { z } from "zod";
import { type AgentWorkload, checkedWorkloadSpecSchema, MAX_WORKLOAD_NAME } from "./agentworkload.ts";
import { parseCron } from "./cron.ts";
import { API_VERSION, condition, isRecord, metadata } from "./fields.ts";

/** The AgentSchedule makes AgentWorkloads of a template. Its type, CRD, reference page and validation all come from this schema. */

/** Its workloads are named `NAME-MINUTES`, with eight digits until the year 2160. */
export const MAX_SCHEDULE_NAME = MAX_WORKLOAD_NAME - 9;
/** Each has an Agent of the same name, of 40 characters at most. */
export const MAX_SCHEDULE_NAME_WITH_IMAGE = 40 - 9;
/** Whose workload one is. */
export const SCHEDULE_LABEL = "agentic.dev/schedule";

const QUALIFIED = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const key = z
  .string()
  .max(317)
  .regex(QUALIFIED, "expected a key as Kubernetes has them, such as team or example.com/team");
const labelValue = z
  .string()
  .max(63)
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/, "expected letters, digits, dashes, dots and underscores");

const specSchema = z
  .strictObject({
    schedule: z
      .string()
      .max(120)
      .describe(
        'When, as in crontab(5): minute, hour, day of the month, month, day of the week. Example: "0 6 * * 1".',
      ),
    timeZone: z
      .string()
      .max(64)
      .default("UTC")
      .describe('IANA name of the schedule\'s time zone, such as "Europe/Berlin".'),
    startingDeadlineSeconds: z
      .int()
      .min(120, "expected at least 120: a schedule is looked at every two minutes")
      .max(31_536_000)
      .optional()
      .describe("How late a workload may still start. Absent: at any time, as long as no later time has come."),
    concurrencyPolicy: z
      .enum(["Allow", "Forbid", "Replace"])
      .default("Allow")
      .describe(
        "While the workload before has not ended. Allow: another starts. Forbid: it waits. Replace: the one before is deleted.",
      ),
    suspend: z.boolean().default(false).describe("True starts no workload. Those that have started go on."),
    successfulHistoryLimit: z.int().min(0).max(100).default(3).describe("Workloads that succeeded and are kept."),
    failedHistoryLimit: z
      .int()
      .min(0)
      .max(100)
      .default(1)
      .describe("Workloads that ended otherwise, rejected ones included, and are kept."),
    workloadTemplate: z
      .strictObject({
        metadata: z
          .strictObject({
            labels: z.record(key, labelValue).optional().describe("Labels of each workload."),
            annotations: z.record(key, z.string().max(16_384)).optional().describe("Annotations of each workload."),
          })
          .optional()
          .describe("Metadata of each workload."),
        spec: checkedWorkloadSpecSchema.describe("Spec of each workload."),
      })
      .describe("The workloads that it makes."),
  })
  .describe("Desired state.");

/** Runs beside other problems of the spec, so that a user sees all of them at once. */
function checkSchedule(
  { schedule, timeZone = "UTC" }: z.infer<typeof specSchema>,
  context: z.core.$RefinementCtx<z.infer<typeof specSchema>>,
): void {
  if (typeof schedule !== "string" || typeof timeZone !== "string") return;
  const parsed = parseCron(schedule, timeZone);
  if ("problem" in parsed)
    context.addIssue({ code: "custom", path: [parsed.problem.field], message: parsed.problem.message });
}

export const SCHEDULE_CONDITIONS = ["Ready"] as const;
const statusSchema = z
  .strictObject({
    active: z.array(z.string()).describe("Its workloads that have not ended."),
    lastScheduleTime: z.iso.datetime().describe("The time for which it last made a workload."),
    lastSuccessfulTime: z.iso.datetime().describe("When a workload of it last succeeded."),
    nextScheduleTime: z.iso.datetime().describe("The next time. Absent while it is suspended."),
    conditions: z.array(condition(SCHEDULE_CONDITIONS)).describe("Conditions, with reasons."),
  })
  .partial()
  .describe("Observed state.");
export type ScheduleStatus = z.infer<typeof statusSchema>;

export const agentScheduleSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION, `expected "${API_VERSION}"`),
  kind: z.literal("AgentSchedule", 'expected "AgentSchedule"'),
  metadata: metadata(
    z
      .string("a name is needed")
      .max(MAX_SCHEDULE_NAME, `expected at most ${MAX_SCHEDULE_NAME} characters: the names of its workloads add 9`)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "expected lower-case letters, digits and dashes"),
  ),
  spec: specSchema.superRefine(checkSchedule, { when: isRecord }),
  status: statusSchema.optional(),
});
export type AgentSchedule = z.infer<typeof agentScheduleSchema>;

/** A name that its workloads may have: the template is judged as such a workload's. */
export function workloadOfTemplate({ metadata: { namespace, name }, spec }: AgentSchedule): AgentWorkload {
  return {
    apiVersion: API_VERSION,
    kind: "AgentWorkload",
    metadata: { namespace, name: workloadNameAt(name, new Date(10_000_000 * 60_000)) },
    spec: spec.workloadTemplate.spec,
  };
}

/** The same time has the same name: what is made twice is there. */
export function workloadNameAt(schedule: string, time: Date): string {
  return `${schedule}-${time.getTime() / 60_000}`;
}

/** The schedule and the time in a workload's name; undefined where it can be none of a schedule. */
export function scheduledIn(workload: string): { readonly schedule: string; readonly time: Date } | undefined {
  const [, schedule, minutes] = /^(.+)-([1-9][0-9]{7,8})$/.exec(workload) ?? [];
  return schedule === undefined ? undefined : { schedule, time: new Date(Number(minutes) * 60_000) };
}
