import type { KindClient, ObjectRef } from "../../lib/edges/kube.ts";
import { isStoreTrouble } from "../../lib/edges/redis.ts";

interface Deps {
  /** Runs work on an object while no other process does. @throws RetryableError Busy, StoreUnavailable, StoreFull */
  readonly exclusively: <T>(key: string, work: () => Promise<T>) => Promise<T>;
}

/**
 * Runs work on an object while no other process does. Redis, which sees to that, may be full or gone for good: an object that is being deleted goes
 * without it, since each write of a deletion may be made twice.
 */
export async function exclusivelyOrDeleted<T>(
  key: string,
  kind: KindClient,
  ref: ObjectRef,
  { exclusively }: Deps,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await exclusively(key, work);
  } catch (error) {
    if (!isStoreTrouble(error)) throw error;
    const object = await kind.get(ref);
    if (object?.metadata.deletionTimestamp === undefined) throw error;
    return work();
  }
}
