import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import type { Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";
import { TerminalError } from "../errors.ts";
import { RedisSaver } from "./saver.ts";

/** Makes the checkpoint saver of one attempt. */
export type MakeSaver = (fencingToken: number) => BaseCheckpointSaver;

/**
 * `redis`: ours, on any Redis from 6.2 on. `redis-stack`: the RedisSaver of @langchain/langgraph-checkpoint-redis, for who shares
 * threads with other LangGraph programs; its writes are not fenced.
 * @throws TerminalError UnsupportedRedis when the server lacks what redis-stack needs
 */
export async function chooseSaver(kind: "redis" | "redis-stack", redis: Redis, url: string): Promise<MakeSaver> {
  if (kind === "redis") return (fencingToken) => new RedisSaver(redis, fencingToken);
  const info = (await storeErrors(redis.command("INFO", "JSON.SET", "FT.SEARCH"))) as unknown[];
  if (info.some((command) => command === null))
    throw new TerminalError(
      "UnsupportedRedis",
      "CHECKPOINTS=redis-stack needs Redis 8 with JSON and search; this server has neither JSON.SET nor FT.SEARCH: set CHECKPOINTS=redis (the default), which needs no modules",
    );
  const { connectStackSaver } = await import("./stack-saver.ts");
  const saver = await connectStackSaver(url);
  return () => saver;
}
