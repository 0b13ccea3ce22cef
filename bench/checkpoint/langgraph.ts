/** `langgraph.ts none|memory|ours|upstream|durable REDIS_URL`: five LangGraph nodes without a saver, with one, and as a whole durable step. */
import { type BaseCheckpointSaver, MemorySaver } from "@langchain/langgraph-checkpoint";
import { createRunDurably } from "../../lib/durable/run.ts";
import { RedisSaver } from "../../lib/durable/saver.ts";
import { connectStackSaver } from "../../lib/durable/stack-saver.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { createLog } from "../../lib/log.ts";
import { serveRounds } from "./contender.ts";
import { createFiveNodes } from "./graph.ts";

const [kind = "none", url = ""] = process.argv.slice(2);
const DAY_MS = 86_400_000;

async function saverOf(): Promise<BaseCheckpointSaver | undefined> {
  switch (kind) {
    case "memory":
      return new MemorySaver();
    case "ours":
      return new RedisSaver(await connectRedis(url));
    case "upstream":
      return connectStackSaver(url);
    default:
      return undefined;
  }
}

if (kind === "durable") {
  const redis = await connectRedis(url);
  const log = createLog("bench", "fatal");
  const runDurably = createRunDurably({
    redis,
    saver: (token) => new RedisSaver(redis, token),
    holder: "bench",
    leaseTtlMs: 10_000,
    keepMs: DAY_MS,
    now: () => new Date(),
  });
  const signal = new AbortController().signal;
  serveRounds((identity) =>
    runDurably({
      graph: createFiveNodes() as unknown as Parameters<typeof runDurably>[0]["graph"],
      retryLimit: 3,
      signal,
      context: {
        identity,
        workload: { namespace: "default", name: "bench", uid: "bench" },
        run: "bench",
        input: { params: {}, from: {} },
        claims: { sub: "bench", jti: identity, allow: [], run: "bench" },
        token: "",
        deadline: new Date(Date.now() + DAY_MS),
        log,
      },
    }),
  );
} else {
  const checkpointer = await saverOf();
  const graph = createFiveNodes().compile(checkpointer ? { checkpointer } : {});
  serveRounds((id) =>
    graph.invoke(
      { identity: id },
      { configurable: { thread_id: id }, ...(checkpointer ? { durability: "sync" } : {}) },
    ),
  );
}
