import type { Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";
import { TerminalError } from "../errors.ts";
import { RedisStepStore } from "./redis-step-store.ts";
import type { StepStore } from "./step-store.ts";

/**
 * `redis`: our own saver, on any Redis from 6.2 on. `redis-stack`: checkpoints by @langchain/langgraph-checkpoint-redis, for steps
 * whose threads other LangGraph programs read while they run; they are not fenced. Records and leases are the same for both.
 * @throws TerminalError UnsupportedRedis when the server lacks what redis-stack needs; RetryableError StoreUnavailable
 */
export async function chooseStepStore(
  kind: "redis" | "redis-stack",
  redis: Redis,
  url: string,
  ca?: string,
): Promise<StepStore> {
  const store = new RedisStepStore(redis);
  if (kind === "redis") return store;
  const info = (await storeErrors(redis.command("INFO", "JSON.SET", "FT.SEARCH"))) as unknown[];
  if (info.some((command) => command === null))
    throw new TerminalError(
      "UnsupportedRedis",
      "CHECKPOINTS=redis-stack needs Redis 8 with JSON and search; this server has neither JSON.SET nor FT.SEARCH: set CHECKPOINTS=redis (the default), which needs no modules",
    );
  const [{ connectStackSaver }, { StackStepStore }] = await Promise.all([
    import("./stack-saver.ts"),
    import("./stack-step-store.ts"),
  ]);
  return new StackStepStore(store, await connectStackSaver(url, ca));
}
