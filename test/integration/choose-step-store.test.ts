import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { chooseStepStore } from "../../lib/durable/choose-step-store.ts";
import { threadKeys } from "../../lib/durable/keys.ts";
import { claimRequests, dropSteps } from "../../lib/durable/requests.ts";
import { createResultStore, type ResultStore } from "../../lib/durable/results.ts";
import { connectStackSaver, type StackSaver } from "../../lib/durable/stack-saver.ts";
import { StackStepStore } from "../../lib/durable/stack-step-store.ts";
import type { StepStore } from "../../lib/durable/step-store.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { RetryableError } from "../../lib/errors.ts";
import { startRedisStack, type TestRedisStack } from "../redis-stack/server.ts";
import { graphOf, runnerOf, SUCCEEDED, stepOf } from "./durable-step.ts";
import { redisForFile } from "./redis.ts";

const plain = redisForFile();
let stack: TestRedisStack;
let stackRedis: Redis;
beforeAll(async () => {
  stack = await startRedisStack();
  stackRedis = await connectRedis(stack.url);
});
afterAll(async () => {
  stackRedis.disconnect();
  await stack.stop();
});
beforeEach(async () => {
  await plain.redis.flushall();
  await stackRedis.flushall();
});

test("redis-stack on a Redis without JSON commands: refused, with the setting to use", async () => {
  await expect(chooseStepStore("redis-stack", plain.redis, plain.server.url)).rejects.toMatchObject({
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

async function saverOf(store: StepStore): Promise<BaseCheckpointSaver> {
  const start = await store.start("thread", { holder: "test", leaseTtlMs: 20_000, now: new Date() });
  if (!("started" in start)) throw new Error("not started");
  return start.started.checkpointer;
}

describe.each([false, true])("a graph whose node dies: %s", (dies) => {
  test("redis-stack's results, nodes and final state equal ours", async () => {
    const ours = await run(await saverOf(await chooseStepStore("redis", plain.redis, plain.server.url)), dies);
    const theirs = await run(await saverOf(await chooseStepStore("redis-stack", stackRedis, stack.url)), dies);
    expect(theirs).toEqual(ours);
    expect(ours.result.found).toHaveLength(4);
    expect(ours.ran).toEqual(["scrape", "palette", "prices", "total", ...(dies ? ["total"] : []), "write"]);
    expect((await stackRedis.keys("checkpoint:thread:*")).length).toBeGreaterThanOrEqual(5);
    expect((await plain.redis.keys("agentic:{thread}:checkpoint:*")).length).toBeGreaterThanOrEqual(5);
  });
});

describe("a step whose checkpoints are redis-stack's", () => {
  let folder: string;
  let results: ResultStore;
  let store: StepStore;
  let ran: string[];
  let saver: StackSaver;
  beforeAll(async () => {
    saver = await connectStackSaver(stack.url);
  });
  afterAll(() => saver.end());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "agentic-stack-"));
    results = createResultStore(createFolderArtifacts(folder));
    store = await chooseStepStore("redis-stack", stackRedis, stack.url);
    ran = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const did = (name: string) => async (): Promise<undefined> => {
    ran.push(name);
  };
  const die = async (): Promise<undefined> => {
    throw new RetryableError("BrowserUnavailable", "gone", { countsAsAttempt: false });
  };
  // Of one shape: another one would begin anew.
  const last = async () => SUCCEEDED;
  const begun = graphOf({ one: did("one"), die, last });
  const whole = graphOf({ one: did("one"), die: did("two"), last });
  const runOn = (on: StepStore, graph: typeof whole, identity = "id") =>
    runnerOf({
      store: on,
      results,
      recursionLimit: 25,
    })(stepOf(graph, { identity }));
  const keys = (): Promise<string[]> => stackRedis.keys("*");

  test("goes on where it died, and leaves nothing but its record when it ends", async () => {
    await expect(runOn(store, begun)).rejects.toThrow("gone");
    expect((await keys()).length).toBeGreaterThan(5);
    expect(await runOn(store, whole)).toEqual(SUCCEEDED);
    expect(ran).toEqual(["one", "two"]);
    expect(await keys()).toEqual([threadKeys("id").record]);
  });

  test("starts anew when it is forgotten", async () => {
    await expect(runOn(store, begun)).rejects.toThrow("gone");
    await store.forget(["id"]);
    expect(await keys()).toEqual([]);
    await runOn(store, whole);
    expect(ran).toEqual(["one", "one", "two"]);
  });

  test("a claim that starts it anew deletes its thread", async () => {
    await expect(runOn(store, begun)).rejects.toThrow("gone");
    const anew = [{ identity: "id", attempt: "wf/1", startAnew: true }];
    expect(await claimRequests(stackRedis, store, "uid", anew, { patienceMs: 1000, now: new Date() })).toEqual(anew);
    expect(await stackRedis.keys("checkpoint*")).toEqual([]);
  });

  test("a thread that outlived its record's end is deleted before the step is done again", async () => {
    const died = new StackStepStore(await chooseStepStore("redis", stackRedis, stack.url), saver);
    Object.defineProperty(saver, "deleteThread", { configurable: true, value: async () => undefined });
    await runOn(died, whole);
    Reflect.deleteProperty(saver, "deleteThread");
    expect((await stackRedis.keys("checkpoint:id:*")).length).toBeGreaterThan(0);
    await rm(folder, { recursive: true });
    results = createResultStore(createFolderArtifacts(folder));
    expect(await runOn(store, whole)).toEqual(SUCCEEDED);
    expect(ran).toEqual(["one", "two", "one", "two"]);
    expect(await keys()).toEqual([threadKeys("id").record]);
  });

  test("dropping a workload's steps leaves nothing of them, and everything of others", async () => {
    const requests = ["a", "b"].map((identity) => ({ identity, attempt: "wf/1", startAnew: false }));
    await claimRequests(stackRedis, store, "uid", requests, { patienceMs: 60_000, now: new Date() });
    await expect(runOn(store, begun, "a")).rejects.toThrow("gone");
    await runOn(store, whole, "b");
    await expect(runOn(store, begun, "other")).rejects.toThrow("gone");
    await dropSteps(stackRedis, store, "uid", { keepMs: 60_000, patienceMs: 10_000 });
    expect(await stackRedis.keys("checkpoint*:[ab]:*")).toEqual([]);
    await expect(runOn(store, whole, "a")).resolves.toMatchObject({ reason: "WorkloadDeleted" });
    await runOn(store, whole, "other");
    expect(ran.filter((node) => node === "one")).toHaveLength(3);
  });
});

test("a redis-stack that went away is a retryable error, and not the end of the process", async () => {
  const lone = await startRedisStack();
  const redis = await connectRedis(lone.url);
  const checkpointer = await saverOf(await chooseStepStore("redis-stack", redis, lone.url));
  redis.disconnect();
  await lone.stop();
  const away = { reason: "StoreUnavailable", countsAsAttempt: false };
  await expect(checkpointer.getTuple({ configurable: { thread_id: "thread" } })).rejects.toMatchObject(away);
  await expect(checkpointer.deleteThread("thread")).rejects.toMatchObject(away);
});
