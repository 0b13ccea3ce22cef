import { CloudEvent } from "cloudevents";
import { sumOfModels, type UsageRecord } from "./record.ts";
import { totalOf } from "./total.ts";

/** CloudEvent type that says what a run used. */
export const USAGE_RECORDED = "dev.agentic.usage.recorded";

/** One of a record, however often it is sent: by source and id a meter counts it once. The subject is who is billed. */
export function usageRecordedEvent(record: UsageRecord): CloudEvent<unknown> {
  const { namespace, workload, uid, part, run, pipeline, ended, month, recordedAt, models } = record;
  const byModel = [...sumOfModels([models]).values()].map(({ model, nanoUsd, ...use }) => [
    model,
    { ...use, usd: nanoUsd / 1_000_000_000 },
  ]);
  return new CloudEvent<unknown>({
    id: usageId({ uid, part }),
    type: USAGE_RECORDED,
    source: "/agentic/reconcile",
    subject: namespace,
    time: recordedAt,
    datacontenttype: "application/json",
    data: { workload, run, pipeline, ended, month, ...totalOf([record]), models: Object.fromEntries(byModel) },
  });
}

export function usageId({ uid, part }: Pick<UsageRecord, "uid" | "part">): string {
  return `${uid}-${part}`;
}
