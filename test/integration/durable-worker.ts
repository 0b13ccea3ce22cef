/**
 * A process that runs a five-node step and writes down each node that it executes:
 * `durable-worker.ts REDIS ARTIFACTS LOG IDENTITY PAUSE_MS LEASE_MS`. Prints the result, or the reason of the error, as JSON.
 */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { pino } from "pino";
import { NO_USAGE, type StepResult } from "../../engine/result.ts";
import type { StepContext } from "../../lib/durable/durable.ts";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { createRunDurably } from "../../lib/durable/run.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { connectRedis } from "../../lib/edges/redis.ts";

const [url = "", artifacts = "", log = "", identity = "", pause = "0", lease = "1000"] = process.argv.slice(2);
const redis = await connectRedis(url);
const say = (what: string): void => appendFileSync(log, `${process.pid} ${what}\n`);

const State = Annotation.Root({
  identity: Annotation<string>,
  trail: Annotation<string[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
  result: Annotation<StepResult | undefined>,
});
const node = (name: string) => async () => {
  say(`start ${name}`);
  await sleep(Number(pause));
  say(`end ${name}`);
  return { trail: [name] };
};
const graph = new StateGraph(State)
  .addNode("one", node("one"))
  .addNode("two", node("two"))
  .addNode("three", node("three"))
  .addNode("four", node("four"))
  .addNode("five", async ({ trail }) => {
    await node("five")();
    const result: StepResult = { outcome: "succeeded", output: trail.join(" "), artifacts: {}, usage: NO_USAGE };
    return { trail: ["five"], result };
  })
  .addEdge(START, "one")
  .addEdge("one", "two")
  .addEdge("two", "three")
  .addEdge("three", "four")
  .addEdge("four", "five")
  .addEdge("five", END);

const runDurably = createRunDurably({
  store: new RedisStepStore(redis),
  results: createResultStore(createFolderArtifacts(artifacts)),
  holder: `worker ${process.pid}`,
  leaseTtlMs: Number(lease),
  keepMs: 60_000,
  recursionLimit: 25,
  now: () => new Date(),
  modelCalls: async () => [],
  egress: async () => undefined,
});
const deadline = new Date(Date.now() + 60_000);
try {
  const result = await runDurably({
    graph,
    signal: new AbortController().signal,
    context: {
      identity,
      workload: { namespace: "default", name: "demo", uid: "uid" },
      run: "run",
      step: "five-nodes",
      input: { params: {}, from: {} },
      claims: { sub: "uid", jti: identity, allow: [], run: "run", deadline: deadline.toISOString(), retryLimit: 3 },
      egressToken: "",
      deadline,
      log: pino({ level: "silent" }),
    } satisfies Omit<StepContext, "signal">,
  });
  process.stdout.write(JSON.stringify(result));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: (error as { reason?: string }).reason ?? String(error) }));
}
redis.disconnect();
