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

/** `broken`: the key of an object that is no record, or that of another key. */
export type ReadUsage = StoredUsage | { readonly broken: string };

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
  /** Of all namespaces, or of one, in no order, some hundreds at a time. */
  inMonth(month: string, namespace?: string): AsyncIterable<readonly ReadUsage[]>;
}

/** No workload's scope (engine/artifact-key.ts): a uid is none of these words. */
const PREFIX = `${SHARED_NAMESPACE}/usage/`;
const KEY = /^[^/]+\/usage\/([^/]+)\/([^/]+)\/([^/]+)\.json$/;
const READS_AT_ONCE = 32;
/** Clocks of the store and of who writes differ, by less than this. */
const CLOCK_TOLERANCE_MS = 24 * 3_600_000;

export function createUsageStore(store: Pick<ObjectStore, "read" | "create" | "list">): UsageStore {
  const folderOf = ({ namespace, uid }: ArtifactOwner): string => `${PREFIX}${namespace}/${uid}/`;

  async function readOne(key: string): Promise<ReadUsage> {
    const bytes = await attempt("read", key, () => store.read(key));
    const file = new TextDecoder().decode(bytes);
    const record = readUsageFile(file);
    const [, namespace, uid, part] = KEY.exec(key) ?? [];
    // A copy under another key would count twice.
    if (record?.namespace === namespace && record?.uid === uid && record?.part === part && record)
      return { record, file };
    return { broken: key };
  }

  async function* read(prefix: string, modifiedSince?: Date): AsyncGenerator<ReadUsage[]> {
    const inTurn = pLimit(READS_AT_ONCE);
    const pages = store.list(prefix, modifiedSince)[Symbol.asyncIterator]();
    for (;;) {
      const page = await attempt("read", prefix, () => pages.next());
      if (page.done) return;
      yield await inTurn.map([...page.value], readOne);
    }
  }

  return {
    async of(workload) {
      const records: UsageRecord[] = [];
      for await (const all of read(folderOf(workload)))
        records.push(...all.flatMap((one) => ("record" in one ? [one.record] : [])));
      return records;
    },
    add: (workload, part, file) => {
      const key = `${folderOf(workload)}${part}.json`;
      return attempt("write", key, () => store.create(key, new TextEncoder().encode(file)));
    },
    async *inMonth(month, namespace) {
      const prefix = namespace === undefined ? PREFIX : `${PREFIX}${namespace}/`;
      // What was written before the month began is none of it.
      const since = new Date(Date.parse(`${month}-01T00:00:00Z`) - CLOCK_TOLERANCE_MS);
      for await (const all of read(prefix, since))
        yield all.filter((one) => "broken" in one || one.record.month === month);
    },
  };
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
