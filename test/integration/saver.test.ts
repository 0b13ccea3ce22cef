import { validate } from "@langchain/langgraph-checkpoint-validation";
import type { Redis } from "ioredis";
import { afterAll, beforeAll } from "vitest";
import { RedisSaver } from "../../lib/durable/saver.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { startRedis, type TestRedis } from "../redis-server.ts";

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = await connectRedis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

validate({
  checkpointerName: "RedisSaver",
  async createCheckpointer() {
    await redis.flushall();
    return new RedisSaver(redis);
  },
});
