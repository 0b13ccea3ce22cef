import { validate } from "@langchain/langgraph-checkpoint-validation";
import { RedisSaver } from "../../lib/durable/saver.ts";
import { redisForFile } from "./redis.ts";

const own = redisForFile();

validate({
  checkpointerName: "RedisSaver",
  async createCheckpointer() {
    await own.redis.flushall();
    return new RedisSaver(own.redis);
  },
});
