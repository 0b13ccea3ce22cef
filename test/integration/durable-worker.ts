/** A process that runs a five-node step and writes down each node it executes: `durable-worker.ts REDIS LOG IDENTITY PAUSE_MS LEASE_MS`. */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { pino } from "pino";
import type { StepContext } from "../../lib/durable/durable.ts";
import { createRunDurably } from "../../lib/durable/run.ts";
import { RedisSaver } from "../../lib/durable/saver.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { NO_USAGE, type StepResult } from "../../lib/step.ts";

const [url = "", log = "", identity = "", pause = "0", lease = "1000"] = process.argv.slice(2);
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
  redis,
  saver: (token) => new RedisSaver(redis, token),
  holder: `worker ${process.pid}`,
  leaseTtlMs: Number(lease),
  keepMs: 60_000,
  now: () => new Date(),
});
try {
  const result = await runDurably({
    graph,
    retryLimit: 3,
    signal: new AbortController().signal,
    context: {
      identity,
      workload: { namespace: "default", name: "demo", uid: "uid" },
      run: "run",
      input: { params: {}, from: {} },
      claims: { sub: "uid", jti: identity, allow: [], run: "run" },
      token: "",
      deadline: new Date(Date.now() + 60_000),
      log: pino({ level: "silent" }),
    } satisfies Omit<StepContext, "signal">,
  });
  process.stdout.write(JSON.stringify(result));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: (error as { reason?: string }).reason ?? String(error) }));
}
redis.disconnect();
