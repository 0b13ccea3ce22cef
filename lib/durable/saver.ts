import type { RunnableConfig } from "@langchain/core/runnables";
import {
  BaseCheckpointSaver,
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointPendingWrite,
  type CheckpointTuple,
  compareWritesSortKeys,
  getCheckpointId,
  maxChannelVersion,
  type PendingWrite,
  TASKS,
  WRITES_IDX_MAP,
  writesSortKey,
} from "@langchain/langgraph-checkpoint";
import type { Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";
import { GET, PUT, PUT_WRITES } from "./checkpoint-scripts.ts";
import { checkpointKeys, INDEX_PATTERN, threadKeys, threadOfIndex } from "./keys.ts";
import { runScript } from "./run-script.ts";
import { digestOf, pack, unpack } from "./typed.ts";
import { WriteBatches } from "./write-batches.ts";

/**
 * LangGraph checkpoints on any Redis from 6.2 on, or Valkey: no modules. A put is one round trip and one atomic script; equal channel
 * values are stored once. With a fencing token, a write is refused with LeaseLost unless that start of the step is under way.
 */
export class RedisSaver extends BaseCheckpointSaver {
  readonly #redis: Redis;
  readonly #token: string;
  readonly #batches = new WriteBatches();

  constructor(redis: Redis, fencingToken = "") {
    super();
    this.#redis = redis;
    this.#token = fencingToken;
  }

  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    const thread = threadOf(config);
    const ns = namespaceOf(config);
    const keys = threadKeys(thread);
    const member = memberOf(ns, checkpoint.id);
    const { channel_values: channels, ...rest } = checkpoint;
    const parent = (config.configurable?.["checkpoint_id"] as string | undefined) ?? "";
    const changed = Object.entries(channels).filter(([channel]) => channel in newVersions);
    // A channel without a version was never written to: it holds its default.
    const kept = Object.keys(channels).filter(
      (channel) => !(channel in newVersions) && channel in checkpoint.channel_versions,
    );
    const before = [
      this.#token,
      member,
      await pack(this.serde, rest),
      await pack(this.serde, metadata),
      parent,
      JSON.stringify(
        Object.fromEntries(kept.map((channel) => [channel, String(checkpoint.channel_versions[channel])])),
      ),
    ];
    const values = await Promise.all(
      changed.map(async ([channel, value]) => {
        const bytes = await pack(this.serde, value);
        return [channel, String(newVersions[channel]), digestOf(bytes), bytes];
      }),
    );
    const parentKey = keys.checkpoint(memberOf(ns, parent));
    await this.#batches.sendWith(parentKey, (writes) =>
      runScript(
        this.#redis,
        PUT,
        [keys.record, keys.index, keys.values, keys.checkpoint(member), parentKey],
        [...before, String(writes.length), ...writes, ...values.flat()],
      ),
    );
    return configOf(thread, ns, checkpoint.id);
  }

  override async putWrites(
    config: RunnableConfig,
    writes: PendingWrite[],
    taskId: string,
    taskPath = "",
  ): Promise<void> {
    const id = config.configurable?.["checkpoint_id"] as string | undefined;
    if (id === undefined) throw new Error('putWrites needs "checkpoint_id" in the config\'s configurable');
    const keys = threadKeys(threadOf(config));
    const args = await Promise.all(
      writes.map(async ([channel, value], position) => {
        const index = WRITES_IDX_MAP[channel] || position;
        const field = `write:${JSON.stringify([taskId, index])}`;
        // A task that runs again keeps its first writes. Errors and interrupts, whose index is negative, are replaced.
        const bytes = await pack(this.serde, value);
        return [index >= 0 ? "keep" : "set", field, JSON.stringify([channel, taskPath]), digestOf(bytes), bytes];
      }),
    );
    const checkpoint = keys.checkpoint(memberOf(namespaceOf(config), id));
    await this.#batches.add(checkpoint, args.flat(), (batch) =>
      runScript(this.#redis, PUT_WRITES, [keys.record, keys.values, checkpoint], [this.#token, ...batch]),
    );
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const thread = config.configurable?.["thread_id"] as string | undefined;
    if (!thread) return undefined;
    return this.#read(thread, namespaceOf(config), getCheckpointId(config));
  }

  override async *list(config: RunnableConfig, options: CheckpointListOptions = {}): AsyncGenerator<CheckpointTuple> {
    const { thread_id: only, checkpoint_ns: ns, checkpoint_id: id } = config.configurable ?? {};
    const before = options.before ? getCheckpointId(options.before) : "";
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    for (const thread of only ? [only as string] : await this.#threads()) {
      const members = await storeErrors(this.#redis.zrevrange(threadKeys(thread).index, 0, -1));
      for (const member of members) {
        const { namespace, checkpointId } = parseMember(member);
        if (ns !== undefined && namespace !== ns) continue;
        if (id && checkpointId !== id) continue;
        if (before && checkpointId >= before) continue;
        if (left <= 0) return;
        const tuple = await this.#read(thread, namespace, checkpointId);
        if (!tuple || !matches(tuple.metadata, options.filter)) continue;
        left -= 1;
        yield tuple;
      }
    }
  }

  override async deleteThread(threadId: string): Promise<void> {
    await storeErrors(this.#redis.unlink(await checkpointKeys(this.#redis, threadId)));
  }

  async #read(thread: string, ns: string, id: string): Promise<CheckpointTuple | undefined> {
    const keys = threadKeys(thread);
    const found = (await runScript(
      this.#redis,
      GET,
      [keys.index, keys.values],
      [id ? memberOf(ns, id) : "", `[${ns}\0\u{10ffff}`, `[${ns}\0`, keys.checkpoint("")],
    )) as [Buffer, Buffer[], Buffer[], Buffer[]] | [];
    if (found.length === 0) return undefined;
    const [member, plain, channels, writes] = found;
    const { checkpointId } = parseMember(member.toString());
    const fields = new Map(tuples(plain, 2).map(([field, value]) => [field?.toString(), value]));
    const checkpoint = await this.#checkpointOf(fields.get("checkpoint"), channels);
    const parent = fields.get("parent")?.toString() ?? "";
    if (checkpoint.v < 4 && parent) await this.#migratePendingSends(checkpoint, thread, ns, parent);
    return {
      config: configOf(thread, ns, checkpointId),
      checkpoint,
      metadata: (await unpack(this.serde, fields.get("metadata"))) as CheckpointMetadata,
      pendingWrites: await this.#writesOf(writes),
      ...(parent ? { parentConfig: configOf(thread, ns, parent) } : {}),
    };
  }

  async #checkpointOf(packed: Buffer | undefined, channels: Buffer[]): Promise<Checkpoint> {
    const rest = (await unpack(this.serde, packed)) as Omit<Checkpoint, "channel_values">;
    const values = tuples(channels, 2).map(async ([name, bytes]) => [String(name), await unpack(this.serde, bytes)]);
    return { ...rest, channel_values: Object.fromEntries(await Promise.all(values)) as Record<string, unknown> };
  }

  /** In the order in which LangGraph applies them. */
  async #writesOf(writes: Buffer[]): Promise<CheckpointPendingWrite[]> {
    const found = await Promise.all(
      tuples(writes, 3).map(async ([field, head, bytes]) => {
        const [taskId, index] = JSON.parse(String(field).slice("write:".length)) as [string, number];
        const [channel, taskPath] = JSON.parse(String(head)) as [string, string];
        const write: CheckpointPendingWrite = [taskId, channel, await unpack(this.serde, bytes)];
        return { key: writesSortKey(taskPath, taskId, index), write };
      }),
    );
    return found.toSorted((a, b) => compareWritesSortKeys(a.key, b.key)).map(({ write }) => write);
  }

  /** Checkpoints of format 3 and older stored the sends of a superstep as pending writes of the parent. */
  async #migratePendingSends(checkpoint: Checkpoint, thread: string, ns: string, parent: string): Promise<void> {
    const tuple = await this.#read(thread, ns, parent);
    const sends = (tuple?.pendingWrites ?? []).filter(([, channel]) => channel === TASKS).map(([, , value]) => value);
    const versions = Object.values(checkpoint.channel_versions);
    checkpoint.channel_values[TASKS] = sends;
    checkpoint.channel_versions[TASKS] =
      versions.length > 0 ? maxChannelVersion(...versions) : this.getNextVersion(undefined);
  }

  async #threads(): Promise<string[]> {
    const threads: string[] = [];
    for await (const keys of this.#redis.scanStream({ match: INDEX_PATTERN, count: 1000 }))
      for (const key of keys as string[]) threads.push(threadOfIndex(key));
    return [...new Set(threads)];
  }
}

function threadOf(config: RunnableConfig): string {
  const thread = config.configurable?.["thread_id"] as string | undefined;
  if (!thread) throw new Error('a checkpoint needs "thread_id" in the config\'s configurable');
  return thread;
}

function namespaceOf(config: RunnableConfig): string {
  return (config.configurable?.["checkpoint_ns"] as string | undefined) ?? "";
}

function memberOf(namespace: string, id: string): string {
  return `${namespace}\0${id}`;
}

function parseMember(member: string): { namespace: string; checkpointId: string } {
  const end = member.indexOf("\0");
  return { namespace: member.slice(0, end), checkpointId: member.slice(end + 1) };
}

function configOf(thread: string, namespace: string, id: string): RunnableConfig {
  return { configurable: { thread_id: thread, checkpoint_ns: namespace, checkpoint_id: id } };
}

function tuples<T>(flat: readonly T[], size: number): T[][] {
  return Array.from({ length: flat.length / size }, (_, i) => flat.slice(i * size, (i + 1) * size));
}

function matches(metadata: CheckpointMetadata | undefined, filter: CheckpointListOptions["filter"]): boolean {
  if (!filter) return true;
  const fields = (metadata ?? {}) as Record<string, unknown>;
  return Object.entries(filter).every(([key, value]) => JSON.stringify(fields[key]) === JSON.stringify(value));
}
