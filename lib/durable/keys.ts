import type { Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";

interface ThreadKeys {
  /** Sorted set, all scores 0: `namespace NUL checkpoint id`. Ids sort by time, so the last of a namespace is the latest. */
  readonly index: string;
  /** Hash: channel values by the hash of their bytes. */
  readonly values: string;
  /** Hash: one checkpoint with its pending writes. `member`: of the index; "" gives the prefix of all. */
  checkpoint(member: string): string;
  readonly lease: string;
  /** Hash: lib/durable/step-scripts.ts lists its fields. */
  readonly record: string;
  /** Exists while a request of the step is on its way. */
  readonly requested: string;
}

/**
 * Keys of a thread, which is a step's identity. They share a hash tag: one script may touch them all, and a cluster keeps them on
 * one node.
 */
export function threadKeys(thread: string): ThreadKeys {
  const base = `agentic:{${thread}}`;
  return {
    index: `${base}:index`,
    values: `${base}:values`,
    checkpoint: (member) => `${base}:checkpoint:${member}`,
    lease: `${base}:lease`,
    record: `${base}:record`,
    requested: `${base}:requested`,
  };
}

/** Set: the identities of a workload's steps. */
export function workloadKey(uid: string): string {
  return `agentic:{${uid}}:steps`;
}

/** The same set once the workload is deleted: none of them can be started or requested any more. */
export function droppedKey(uid: string): string {
  return `agentic:{${uid}}:dropped`;
}

/** Matches the index of every thread. */
export const INDEX_PATTERN = "agentic:{*}:index";

export function threadOfIndex(key: string): string {
  return key.slice("agentic:{".length, -"}:index".length);
}

/** Every key of a thread's checkpoints. */
export async function checkpointKeys(redis: Redis, thread: string): Promise<string[]> {
  const keys = threadKeys(thread);
  const members = await storeErrors(redis.zrange(keys.index, 0, -1));
  return [keys.index, keys.values, ...members.map(keys.checkpoint)];
}
