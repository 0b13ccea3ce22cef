import pLimit from "p-limit";
import type { ArtifactOwner } from "../../engine/artifact-key.ts";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import { RetryableError, TerminalError } from "../errors.ts";
import { inStoreCall, type StoreVerb } from "../telemetry/store-call.ts";
import { readUsageFile } from "../usage/file.ts";
import type { UsageRecord } from "../usage/record.ts";
import type { ObjectStore } from "./artifacts/object-store.ts";

/** A record, and the bytes that say it. */
export interface StoredUsage {
  readonly record: UsageRecord;
  readonly file: string;
}

export interface MonthOfUsage {
  readonly records: readonly StoredUsage[];
  /** Keys of objects that are no record, or that of another key. */
  readonly broken: readonly string[];
}

/**
 * Records of what runs used. They are only ever added: not where the artifacts of a workload are, for they outlive it, but below the control
 * plane's own namespace, where no tenant's login reaches (docs/adr/0054).
 * @throws TerminalError StoreRefused; RetryableError ArtifactStoreUnavailable
 */
export interface UsageStore {
  /** All of a workload. What is broken is left out. */
  of(workload: ArtifactOwner): Promise<UsageRecord[]>;
  /** @returns false: there is one of this part already, which stays as it is */
  add(workload: ArtifactOwner, part: string, file: string): Promise<boolean>;
  /** Of all namespaces, or of one. */
  inMonth(month: string, namespace?: string): Promise<MonthOfUsage>;
}

/** No workload's scope (engine/artifact-key.ts): a uid is none of these words. */
const PREFIX = `${SHARED_NAMESPACE}/usage/`;
const KEY = /^[^/]+\/usage\/([^/]+)\/([^/]+)\/([^/]+)\.json$/;
const READS_AT_ONCE = 32;
/** Clocks of the store and of who writes differ, by less than this. */
const CLOCK_TOLERANCE_MS = 24 * 3_600_000;

export function createUsageStore(store: Pick<ObjectStore, "read" | "create" | "list">): UsageStore {
  const folderOf = ({ namespace, uid }: ArtifactOwner): string => `${PREFIX}${namespace}/${uid}/`;

  async function readAll(prefix: string, modifiedSince?: Date): Promise<MonthOfUsage> {
    const inTurn = pLimit(READS_AT_ONCE);
    const records: StoredUsage[] = [];
    const broken: string[] = [];
    const readOne = async (key: string): Promise<void> => {
      const bytes = await attempt("read", key, () => store.read(key));
      const file = new TextDecoder().decode(bytes);
      const record = readUsageFile(file);
      const [, namespace, uid, part] = KEY.exec(key) ?? [];
      // A copy under another key would count twice.
      if (record?.namespace === namespace && record?.uid === uid && record?.part === part && record)
        records.push({ record, file });
      else broken.push(key);
    };
    for await (const keys of store.list(prefix, modifiedSince)) await inTurn.map(keys, readOne);
    return { records: records.toSorted(inOrder), broken: broken.toSorted() };
  }

  return {
    of: async (workload) =>
      (await attempt("read", folderOf(workload), () => readAll(folderOf(workload)))).records.map(
        ({ record }) => record,
      ),
    add: (workload, part, file) => {
      const key = `${folderOf(workload)}${part}.json`;
      return attempt("write", key, () => store.create(key, new TextEncoder().encode(file)));
    },
    async inMonth(month, namespace) {
      const prefix = namespace === undefined ? PREFIX : `${PREFIX}${namespace}/`;
      // What was written before the month began is none of it.
      const since = new Date(Date.parse(`${month}-01T00:00:00Z`) - CLOCK_TOLERANCE_MS);
      const { records, broken } = await attempt("read", prefix, () => readAll(prefix, since));
      return { records: records.filter(({ record }) => record.month === month), broken };
    },
  };
}

function inOrder(a: StoredUsage, b: StoredUsage): number {
  const keyOf = ({ record: { recordedAt, uid, part } }: StoredUsage): string => `${recordedAt} ${uid} ${part}`;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

async function attempt<T>(verb: StoreVerb, what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await inStoreCall(verb, what, action);
  } catch (cause) {
    if (cause instanceof TerminalError || cause instanceof RetryableError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RetryableError("ArtifactStoreUnavailable", `the object store could not ${verb} ${what}: ${reason}`, {
      cause,
      retryAfterSeconds: 2,
      countsAsAttempt: false,
    });
  }
}
