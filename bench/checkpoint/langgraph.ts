/**
 * `langgraph.ts none|memory|ours|upstream|durable REDIS_URL`: five LangGraph nodes without a saver, with one, and as a whole durable
 * step, whose result goes into a folder.
 */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BaseCheckpointSaver, MemorySaver } from "@langchain/langgraph-checkpoint";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { createRunDurably } from "../../lib/durable/run.ts";
import { RedisSaver } from "../../lib/durable/saver.ts";
import { connectStackSaver } from "../../lib/durable/stack-saver.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
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
    store: new RedisStepStore(redis),
    results: createResultStore(createFolderArtifacts(mkdtempSync(join(tmpdir(), "agentic-bench-results-")))),
    holder: "bench",
    leaseTtlMs: 10_000,
    keepMs: DAY_MS,
    recursionLimit: 25,
    now: () => new Date(),
    modelCalls: async () => [],
    egress: async () => undefined,
  });
  const signal = new AbortController().signal;
  const deadline = new Date(Date.now() + DAY_MS);
  const claims = { sub: "bench", allow: [], run: "bench", deadline: deadline.toISOString(), retryLimit: 3 };
  serveRounds((identity) =>
    runDurably({
      graph: createFiveNodes() as unknown as Parameters<typeof runDurably>[0]["graph"],
      signal,
      context: {
        identity,
        workload: { namespace: "default", name: "bench", uid: "bench" },
        run: "bench",
        step: "five-nodes",
        input: { params: {}, from: {} },
        claims: { ...claims, jti: identity },
        egressToken: "",
        deadline,
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
