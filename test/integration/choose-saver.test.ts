import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { chooseSaver } from "../../lib/durable/choose-saver.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { type RedisStackDouble, startRedisStackDouble } from "../fakes/redis-stack.ts";
import { startRedis, type TestRedis } from "../redis-server.ts";

let server: TestRedis;
let plain: Redis;
let stack: RedisStackDouble;
let stackRedis: Redis;
beforeAll(async () => {
  server = await startRedis();
  plain = await connectRedis(server.url);
  stack = await startRedisStackDouble(server.socket);
  stackRedis = await connectRedis(stack.url);
});
afterAll(async () => {
  plain.disconnect();
  stackRedis.disconnect();
  await stack.close();
  await server.stop();
});
beforeEach(() => plain.flushall());

test("redis-stack on a Redis without JSON commands: refused, with the setting to use", async () => {
  await expect(chooseSaver("redis-stack", plain, server.url)).rejects.toMatchObject({
    reason: "UnsupportedRedis",
    message: expect.stringContaining("set CHECKPOINTS=redis"),
  });
});

const State = Annotation.Root({
  site: Annotation<string>,
  found: Annotation<string[]>({ reducer: (all, more) => [...all, ...more], default: () => [] }),
  totals: Annotation<Record<string, number>>,
  report: Annotation<string | undefined>,
});

/** Five nodes, two of them at once; `dies` throws in "total" the first time. */
function createGraph(ran: string[], dies: boolean) {
  let alive = !dies;
  const node =
    (name: string, body: (state: typeof State.State) => typeof State.Update) =>
    (state: typeof State.State): typeof State.Update => {
      ran.push(name);
      return body(state);
    };
  return new StateGraph(State)
    .addNode(
      "scrape",
      node("scrape", (state) => ({ found: [`dom of ${state.site}`] })),
    )
    .addNode(
      "prices",
      node("prices", () => ({ found: ["$12", "$29"] })),
    )
    .addNode(
      "palette",
      node("palette", () => ({ found: ["#1f6feb"] })),
    )
    .addNode(
      "total",
      node("total", (state) => {
        if (alive) return { totals: { found: state.found.length } };
        alive = true;
        throw new Error("killed here");
      }),
    )
    .addNode(
      "write",
      node("write", (state) => ({ report: JSON.stringify([state.found, state.totals]) })),
    )
    .addEdge(START, "scrape")
    .addEdge("scrape", "prices")
    .addEdge("scrape", "palette")
    .addEdge(["prices", "palette"], "total")
    .addEdge("total", "write")
    .addEdge("write", END);
}

async function run(checkpointer: BaseCheckpointSaver, dies: boolean) {
  const ran: string[] = [];
  const graph = createGraph(ran, dies).compile({ checkpointer });
  const config = { configurable: { thread_id: "thread" }, durability: "sync" as const };
  if (dies) await expect(graph.invoke({ site: "a.example" }, config)).rejects.toThrow("killed here");
  const result = await graph.invoke(dies ? null : { site: "a.example" }, config);
  const { values, next, tasks, metadata } = await graph.getState(config);
  return { result, ran, state: { values, next, tasks, step: metadata?.step, source: metadata?.source } };
}

describe.each([false, true])("a graph whose node dies: %s", (dies) => {
  test("redis-stack's results, nodes and final state equal ours", async () => {
    const ours = await run((await chooseSaver("redis", plain, server.url))(1), dies);
    const theirs = await run((await chooseSaver("redis-stack", stackRedis, stack.url))(1), dies);
    expect(theirs).toEqual(ours);
    expect(ours.result.found).toHaveLength(4);
    expect(ours.ran).toEqual(["scrape", "palette", "prices", "total", ...(dies ? ["total"] : []), "write"]);
    // Each wrote under its own keys: the second answer was not read from the first's.
    expect((await plain.keys("checkpoint:thread:*")).length).toBeGreaterThanOrEqual(5);
    expect((await plain.keys("agentic:{thread}:checkpoint:*")).length).toBeGreaterThanOrEqual(5);
  });
});

test("a redis-stack that went away is a retryable error, and not the end of the process", async () => {
  const lone = await startRedisStackDouble(server.socket);
  const redis = await connectRedis(lone.url);
  const saver = (await chooseSaver("redis-stack", redis, lone.url))(1);
  redis.disconnect();
  await lone.close();
  await expect(saver.getTuple({ configurable: { thread_id: "thread" } })).rejects.toMatchObject({
    reason: "StoreUnavailable",
    countsAsAttempt: false,
  });
});
