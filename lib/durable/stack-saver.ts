import type { RunnableConfig } from "@langchain/core/runnables";
import type {
  ChannelVersions,
  Checkpoint,
  CheckpointMetadata,
  CheckpointTuple,
  PendingWrite,
} from "@langchain/langgraph-checkpoint";
import { RedisSaver } from "@langchain/langgraph-checkpoint-redis";
import { createClient, type RedisClientType } from "redis";
import { storeErrors } from "../edges/redis.ts";
import { redisTls } from "../edges/redis-tls.ts";

/** Upstream's saver on a connection whose loss is a RetryableError of the step and not the end of the process. */
export class StackSaver extends RedisSaver {
  override put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    return storeErrors(super.put(config, checkpoint, metadata, newVersions));
  }

  override putWrites(config: RunnableConfig, writes: PendingWrite[], taskId: string): Promise<void> {
    return storeErrors(super.putWrites(config, writes, taskId));
  }

  override getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    return storeErrors(super.getTuple(config));
  }

  override deleteThread(threadId: string): Promise<void> {
    return storeErrors(super.deleteThread(threadId));
  }
}

/** @throws RetryableError StoreUnavailable */
export async function connectStackSaver(url: string, ca?: string): Promise<StackSaver> {
  const tls = redisTls(url, ca);
  const socket = { connectTimeout: 3000, ...(tls && { ...tls, tls: true as const }) };
  const client = createClient({ url, socket, disableOfflineQueue: true });
  // Each command reports its own error; without a listener the connection's would end the process.
  client.on("error", () => undefined);
  await storeErrors(client.connect());
  return new StackSaver(client as unknown as RedisClientType);
}
