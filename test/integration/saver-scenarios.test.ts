import { setTimeout as sleep } from "node:timers/promises";
import {
  Annotation,
  Command,
  END,
  INTERRUPT,
  interrupt,
  MemorySaver,
  Send,
  START,
  StateGraph,
  type StateSnapshot,
} from "@langchain/langgraph";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { beforeEach, describe, expect, test } from "vitest";
import { threadKeys } from "../../lib/durable/keys.ts";
import { RedisSaver } from "../../lib/durable/saver.ts";
import { redisForFile } from "./redis.ts";

const own = redisForFile();
beforeEach(() => own.redis.flushall());

type Durability = "sync" | "async" | "exit";
interface Config {
  readonly configurable: { readonly thread_id: string };
  readonly durability: Durability;
}
const DURABILITIES: readonly Durability[] = ["sync", "async", "exit"];
const list = Annotation<string[]>({ reducer: (all, more) => [...all, ...more], default: () => [] });

interface Graph {
  getStateHistory(config: Config): AsyncIterableIterator<StateSnapshot>;
}

/** All snapshots of a thread, without what differs from run to run: ids and times. */
async function historyOf(graph: Graph, config: Config): Promise<unknown[]> {
  const snapshots: unknown[] = [];
  for await (const { values, next, metadata, tasks, parentConfig } of graph.getStateHistory(config))
    snapshots.push({
      values: stable(values),
      next,
      metadata,
      tasks: tasks.map(({ name, interrupts, error }) => ({
        name,
        interrupts: interrupts.length,
        failed: Boolean(error),
      })),
      hasParent: parentConfig !== undefined,
    });
  return snapshots;
}

/** A Command's or interrupt's id is another in each run; everything else counts, types included. */
function stable(values: Record<string, unknown>): unknown {
  const { [INTERRUPT]: interrupts, ...rest } = values;
  return interrupts ? { ...rest, interrupts: (interrupts as { value: unknown }[]).map(({ value }) => value) } : rest;
}

const BYTES = new Uint8Array([0, 1, 255, 10]);
/** Whatever LangGraph's serializer keeps; of a Date it keeps the text. */
const RICH = {
  map: new Map([["a", new Set([1, "2"])]]),
  pattern: /a+/gi,
  nested: { bytes: new Uint8Array([7, 0]) },
  nothing: null,
  error: new Error("broken"),
  day: new Date(0),
};

/** Each runs a graph on a saver, and tells whatever a user of the thread can see. */
const SCENARIOS: Record<string, (checkpointer: BaseCheckpointSaver, config: Config) => Promise<unknown>> = {
  async "a fan-out by Send"(checkpointer, config) {
    const graph = new StateGraph(Annotation.Root({ items: list }))
      .addNode("work", ({ item }: { item: string }) => ({ items: [item] }))
      .addNode("end", ({ items }) => ({ items: [`${items.length}`] }))
      .addConditionalEdges(START, () => ["a", "b", "c", "d"].map((item) => new Send("work", { item })), ["work"])
      .addEdge("work", "end")
      .addEdge("end", END)
      .compile({ checkpointer });
    const result = await graph.invoke({ items: [] }, config);
    return { result, history: await historyOf(graph as unknown as Graph, config) };
  },

  async "binary and rich state, read by a node after the one that failed"(checkpointer, config) {
    const State = Annotation.Root({ bytes: Annotation<Uint8Array>, rich: Annotation<unknown> });
    const seen: unknown[] = [];
    let fails = true;
    const graph = new StateGraph(State)
      .addNode("write", () => ({ bytes: BYTES, rich: RICH }))
      .addNode("read", (state) => {
        if (fails) throw new Error("broken");
        seen.push(state);
        return {};
      })
      .addEdge(START, "write")
      .addEdge("write", "read")
      .addEdge("read", END)
      .compile({ checkpointer });
    await expect(graph.invoke({}, config)).rejects.toThrow("broken");
    fails = false;
    await graph.invoke(null, config);
    expect(seen).toStrictEqual([{ bytes: BYTES, rich: { ...RICH, day: RICH.day.toJSON() } }]);
    return { seen, values: (await graph.getState(config)).values };
  },

  async "one of several branches fails, and only that one runs again"(checkpointer, config) {
    const ran: string[] = [];
    let fails = true;
    const graph = new StateGraph(Annotation.Root({ items: list }))
      .addNode("work", async ({ item }: { item: string }) => {
        ran.push(item);
        if (item !== "b" || !fails) return { items: [item] };
        // Long enough for the others' writes to be stored.
        await sleep(100);
        throw new Error("broken");
      })
      .addConditionalEdges(START, () => ["a", "b", "c"].map((item) => new Send("work", { item })), ["work"])
      .addEdge("work", END)
      .compile({ checkpointer });
    await expect(graph.invoke({ items: [] }, config)).rejects.toThrow("broken");
    fails = false;
    return {
      result: await graph.invoke(null, config),
      ran,
      history: await historyOf(graph as unknown as Graph, config),
    };
  },

  async "an interrupt in a subgraph, resumed"(checkpointer, config) {
    const State = Annotation.Root({ a: Annotation<string>, b: Annotation<string> });
    const inner = new StateGraph(State)
      .addNode("first", () => ({ a: "1" }))
      .addNode("ask", () => ({ b: String(interrupt("go on?")) }))
      .addEdge(START, "first")
      .addEdge("first", "ask")
      .addEdge("ask", END)
      .compile();
    const graph = new StateGraph(State)
      .addNode("inner", inner)
      .addNode("after", ({ a, b }) => ({ a: a + b }))
      .addEdge(START, "inner")
      .addEdge("inner", "after")
      .addEdge("after", END)
      .compile({ checkpointer });
    const asked = stable(await graph.invoke({}, config));
    const { next, tasks } = await graph.getState(config, { subgraphs: true });
    const waiting = tasks.map(({ name, state }) => [
      name,
      state && "next" in state ? [state.next, state.values] : null,
    ]);
    const answered = await graph.invoke(new Command({ resume: "yes" }), config);
    return { asked, next, waiting, answered, history: await historyOf(graph as unknown as Graph, config) };
  },

  async "a fork of an earlier checkpoint, a replay, and another run of the thread"(checkpointer, config) {
    const State = Annotation.Root({ n: Annotation<number>, log: list, untouched: Annotation<string> });
    const graph = new StateGraph(State)
      .addNode("x", ({ n }) => ({ n: n + 1, log: [`x${n}`] }))
      .addNode("y", ({ n }) => ({ n: n * 10, log: [`y${n}`] }))
      .addEdge(START, "x")
      .addEdge("x", "y")
      .addEdge("y", END)
      .compile({ checkpointer });
    await graph.invoke({ n: 1, untouched: "kept" }, config);
    const branches: unknown[] = [];
    for await (const snapshot of graph.getStateHistory(config)) {
      if (snapshot.next[0] !== "y") continue;
      const fork = await graph.updateState(snapshot.config, { n: 7 });
      branches.push((await graph.getState(fork)).values, await graph.invoke(null, fork));
      branches.push(await graph.invoke(null, snapshot.config));
      break;
    }
    const again = await graph.invoke({ n: 100 }, config);
    const limited: unknown[] = [];
    for await (const { values } of graph.getStateHistory(config, { limit: 2 })) limited.push(values);
    const filtered: unknown[] = [];
    for await (const { values } of graph.getStateHistory(config, { filter: { source: "loop" } })) filtered.push(values);
    return { branches, again, limited, filtered };
  },
};

describe.each(DURABILITIES)("durability %s", (durability) => {
  test.each(Object.entries(SCENARIOS))("%s: as with LangGraph's MemorySaver", async (_name, run) => {
    const config: Config = { configurable: { thread_id: "thread" }, durability };
    const expected = await run(new MemorySaver(), config);
    expect(await run(new RedisSaver(own.redis), config)).toStrictEqual(expected);
  });
});

test("a channel's value is taken from the parent only where the versions are equal: branches of a thread do not mix", async () => {
  const put = (saver: RedisSaver, id: string, version: number, changed: Record<string, number>) =>
    saver.put(
      { configurable: { thread_id: "branches", checkpoint_ns: "", checkpoint_id: id === "1" ? "" : "1" } },
      {
        ...{ v: 4, id, ts: "", versions_seen: {} },
        channel_values: { a: "of one branch" },
        channel_versions: { a: version },
      },
      { source: "loop", step: 0, parents: {} },
      changed,
    );
  const saver = new RedisSaver(own.redis);
  const read = async (id: string) => {
    const config = { configurable: { thread_id: "branches", checkpoint_ns: "", checkpoint_id: id } };
    return (await saver.getTuple(config))?.checkpoint.channel_values;
  };
  await put(saver, "1", 1, { a: 1 });
  await put(saver, "2", 1, {});
  await put(saver, "3", 2, {});
  expect([await read("2"), await read("3")]).toEqual([{ a: "of one branch" }, {}]);
  // A start knows that what it does not find there is lost.
  await own.redis.hset(threadKeys("branches").record, "running", "token");
  await expect(put(new RedisSaver(own.redis, "token"), "4", 2, {})).rejects.toMatchObject({
    reason: "StoreUnavailable",
  });
  expect(await read("4")).toBeUndefined();
});

test("a task that runs again keeps what it wrote first; an error or an interrupt takes the place of the one before", async () => {
  const saver = new RedisSaver(own.redis);
  const config = { configurable: { thread_id: "again", checkpoint_ns: "", checkpoint_id: "1" } };
  const checkpoint = { v: 4, id: "1", ts: "", versions_seen: {}, channel_values: {}, channel_versions: {} };
  await saver.put(
    { configurable: { thread_id: "again", checkpoint_ns: "", checkpoint_id: "" } },
    checkpoint,
    { source: "loop", step: 0, parents: {} },
    {},
  );
  for (const time of ["first", "second"]) {
    await saver.putWrites(config, [["channel", time]], "task-1");
    await saver.putWrites(config, [[INTERRUPT, time]], "task-2");
  }
  const { pendingWrites = [] } = (await saver.getTuple(config)) ?? {};
  expect(pendingWrites.toSorted()).toEqual([
    ["task-1", "channel", "first"],
    ["task-2", INTERRUPT, "second"],
  ]);
});
