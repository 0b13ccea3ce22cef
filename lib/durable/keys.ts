import type { Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";

/**
 * All keys of a thread share its hash tag, so that they live on one node of a cluster and one script may touch them.
 * A step's identity is its thread.
 */
export function threadKeys(thread: string): {
  index: string;
  values: string;
  checkpoint(member: string): string;
  fence: string;
  lease: string;
  record: string;
  requested: string;
} {
  const base = `agentic:{${thread}}`;
  return {
    /** Sorted set, all scores 0: `namespace NUL checkpoint id`. Ids sort by time, so the last of a namespace is the latest. */
    index: `${base}:index`,
    /** Hash: channel values by the hash of their bytes. */
    values: `${base}:values`,
    /** Hash: one checkpoint with its pending writes. */
    checkpoint: (member) => `${base}:checkpoint:${member}`,
    /** Counter: the newest fencing token. */
    fence: `${base}:fence`,
    lease: `${base}:lease`,
    record: `${base}:record`,
    /** Is there while a request of the step is on its way. */
    requested: `${base}:requested`,
  };
}

/** Set: the threads of a workload's steps. */
export function workloadKey(uid: string): string {
  return `agentic:{${uid}}:steps`;
}

/** For listing all threads. */
export const INDEX_PATTERN = "agentic:{*}:index";

export function threadOfIndex(key: string): string {
  return key.slice("agentic:{".length, -"}:index".length);
}

/** Every key of a thread's checkpoints: what is deleted, or left to expire, together. */
export async function checkpointKeys(redis: Redis, thread: string): Promise<string[]> {
  const keys = threadKeys(thread);
  const members = await storeErrors(redis.zrange(keys.index, 0, -1));
  return [keys.index, keys.values, ...members.map(keys.checkpoint)];
}
