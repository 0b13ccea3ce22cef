import type { Redis } from "ioredis";
import { afterAll, beforeAll } from "vitest";
import { connectRedis } from "../../lib/edges/redis.ts";
import { startRedis, type TestRedis } from "../redis-server.ts";

/** A server of the test file's own, and a connection to it: there from the first test to the last. */
export function redisForFile(): { readonly server: TestRedis; readonly redis: Redis } {
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
  return {
    get server() {
      return server;
    },
    get redis() {
      return redis;
    },
  };
}
