import pLimit from "p-limit";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { ledgerName } from "../../../engine/identity.ts";
import type { WorkloadRef } from "../../../engine/result.ts";
import type { ResultStore } from "../../../lib/durable/results.ts";
import type { SendEvent } from "../../../lib/edges/broker.ts";
import type { UsageStore } from "../../../lib/edges/usage-store.ts";
import { RetryableError } from "../../../lib/errors.ts";
import type { Logger } from "../../../lib/log.ts";
import type { LedgerUse } from "../../../lib/model/ledger.ts";
import type { RunAccount } from "../../../lib/quota/accounts.ts";
import { METRIC } from "../../../lib/telemetry/metrics.ts";
import { usageRecordedEvent } from "../../../lib/usage/event.ts";
import {
  type CountedResult,
  saysMore,
  type UsageFacts,
  type UsageRecord,
  usageRecord,
} from "../../../lib/usage/record.ts";
import type { RunView } from "../run-engine.ts";
import { parseStepOutput } from "./node-output.ts";
import type { Observed } from "./observe.ts";

export interface UsageDeps {
  readonly usage: UsageStore;
  /** Signs a record, where there is a key. */
  readonly usageFile: (record: UsageRecord) => Promise<string>;
  /** What a workload's budget ledger booked; undefined: it is not waited for any more. @throws RetryableError StoreUnavailable */
  readonly readUse: (ledger: string) => Promise<LedgerUse | undefined>;
  readonly results: Pick<ResultStore, "get">;
  readonly send: SendEvent;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Results that are read at once. */
const READS_AT_ONCE = 32;

/** Of whom, and what is left to read of it. */
export interface Used {
  readonly workload: WorkloadRef;
  readonly pipeline: string;
  /** undefined: they are gone. */
  readonly runs: readonly RunView[] | undefined;
}

/** `observed`: of which a run is to be recorded. */
export function usedBy({ object, spec, runObject, others }: Observed): Used {
  const { namespace, name, uid } = object.metadata;
  const runs = [...(runObject ? [runObject] : []), ...others];
  // The status is still about the run that is recorded: what comes after it is written later.
  const { pipeline } = (object.status ?? {}) as WorkloadStatus;
  const accepted = spec.state === "accepted" ? `${spec.run.pipeline.namespace}/${spec.run.pipeline.name}` : "";
  return { workload: { namespace, name, uid }, pipeline: pipeline ?? accepted, runs };
}

/** Of a run whose account is about to be closed. Made once, however often it is asked for. */
export async function recordRun(
  account: RunAccount,
  used: Used,
  ended: UsageRecord["ended"],
  deps: UsageDeps,
): Promise<UsageRecord> {
  const part = `run-${account.run}-${account.opened.replaceAll(/[^0-9A-Za-z]/g, "")}`;
  const earlier = await deps.usage.of(used.workload);
  const known = earlier.find((one) => one.part === part);
  const now = factsOf(used, part, ended, deps);
  const month = [account.month, now.month].toSorted()[1] ?? now.month;
  const facts = { ...now, month, run: account.run, items: account.items };
  const record = known ?? (await add(await createRecord(facts, used, earlier, deps), deps));
  await announce(record, deps);
  return record;
}

/** Of a workload that is being deleted, once nobody works on it any more: what no record says yet. */
export async function recordRest(used: Used, deps: UsageDeps): Promise<void> {
  const earlier = await deps.usage.of(used.workload);
  const known = earlier.find(({ part }) => part === REST);
  const facts = { ...factsOf(used, REST, "deleted", deps), run: "", items: 0 };
  const record = known ?? (await createRecord(facts, used, earlier, deps));
  if (!known && !saysMore(record)) return;
  await announce(known ?? (await add(record, deps)), deps);
}

const REST = "rest";

function factsOf(
  { workload: { namespace, name, uid }, pipeline }: Used,
  part: string,
  ended: UsageRecord["ended"],
  deps: UsageDeps,
): Omit<UsageFacts, "run" | "items"> {
  const recordedAt = deps.now().toISOString();
  const month = recordedAt.slice(0, "2026-01".length);
  return { namespace, workload: name, uid, part, pipeline, ended, month, recordedAt };
}

async function createRecord(
  facts: UsageFacts,
  { workload, runs }: Used,
  earlier: readonly UsageRecord[],
  deps: UsageDeps,
): Promise<UsageRecord> {
  const [ledger, results] = await Promise.all([
    deps.readUse(ledgerName(workload)),
    runs && Promise.all(runs.map((run) => resultsOf(run, workload, deps))),
  ]);
  return usageRecord(facts, { ledger, results }, earlier);
}

/** Results whose bytes are gone count nothing: what they say of models, the ledger says, too. */
async function resultsOf({ nodes }: RunView, workload: WorkloadRef, { results }: UsageDeps): Promise<CountedResult[]> {
  const inTurn = pLimit(READS_AT_ONCE);
  const found = await inTurn.map([...nodes], async ({ role, step, output }): Promise<CountedResult[]> => {
    const ended = role === "step" ? parseStepOutput(output) : undefined;
    if (!ended || !("digest" in ended)) return [];
    const result = await results.get(workload, ended.digest);
    return result ? [{ step, digest: ended.digest, usage: result.usage, modelCalls: result.modelCalls }] : [];
  });
  return found.flat();
}

/** @returns the one that is there: another process may have been first */
async function add(record: UsageRecord, deps: UsageDeps): Promise<UsageRecord> {
  const { namespace, uid, part, ended } = record;
  if (await deps.usage.add({ namespace, uid }, part, await deps.usageFile(record))) {
    METRIC.usageRecords.record(1, { namespace, ended });
    return record;
  }
  const known = (await deps.usage.of({ namespace, uid })).find((one) => one.part === part);
  if (known) return known;
  throw new RetryableError(
    "UsageContended",
    `another process is writing the usage record ${part} of ${namespace}/${uid}`,
    {
      countsAsAttempt: false,
    },
  );
}

/** Best effort: the record is what counts, and can be exported again. */
async function announce(record: UsageRecord, { send, log }: UsageDeps): Promise<void> {
  await send(usageRecordedEvent(record)).catch((error: unknown) => {
    const { namespace, workload, part } = record;
    log.warn({ err: error, workload: `${namespace}/${workload}`, part }, "usage not announced");
  });
}
