import { type BaseCheckpointSaver, emptyCheckpoint, uuid6 } from "@langchain/langgraph-checkpoint";
import { Redis } from "ioredis";
import { RedisSaver } from "../../lib/durable/saver.ts";
import { connectStackSaver } from "../../lib/durable/stack-saver.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { startRedis } from "../../test/redis-server.ts";
import { startRedisStack } from "../../test/redis-stack/server.ts";
import { type Figure, median } from "../harness.ts";
import { createFiveNodes } from "./graph.ts";
import { type Relay, startRelay } from "./relay.ts";

const PUTS = 200;
const PAGE = "x".repeat(6000);
const KEYS = [1_000, 100_000, 1_000_000];

/** One saver on a Redis of its own, through a relay that counts. */
interface Subject {
  readonly name: string;
  readonly saver: BaseCheckpointSaver;
  readonly relay: Relay;
  readonly redis: Redis;
}

/** What a put costs and stores, and what the latest costs among many keys, ours beside upstream's. */
export async function measureSavers(): Promise<Figure[]> {
  const more = ["--enable-debug-command", "yes"];
  const [ourServer, theirServer] = [await startRedis(more), await startRedisStack(more)];
  const ourRelay = await startRelay({ path: ourServer.socket });
  const theirRelay = await startRelay({ host: "127.0.0.1", port: Number(new URL(theirServer.url).port) });
  const subjects: Subject[] = [
    {
      name: "ours",
      saver: new RedisSaver(await connectRedis(`redis://127.0.0.1:${ourRelay.port}`)),
      relay: ourRelay,
      redis: new Redis(ourServer.socket),
    },
    {
      name: "upstream",
      saver: await connectStackSaver(`redis://127.0.0.1:${theirRelay.port}`),
      relay: theirRelay,
      redis: new Redis(theirServer.socket),
    },
  ];
  try {
    const figures: Figure[] = [];
    for (const subject of subjects) figures.push(...(await putFigures(subject)), ...(await sizeFigures(subject)));
    for (const keys of KEYS) for (const subject of subjects) figures.push(await latestFigure(subject, keys));
    return figures;
  } finally {
    for (const { redis } of subjects) redis.disconnect();
    await ourServer.stop();
    await theirServer.stop();
  }
}

async function putFigures({ name, saver, relay }: Subject): Promise<Figure[]> {
  const put = (step: number) => {
    const checkpoint = {
      ...emptyCheckpoint(),
      id: uuid6(step),
      channel_values: { last: "one", page: PAGE },
      channel_versions: { last: step + 1, page: 1 },
    };
    const config = { configurable: { thread_id: "puts", checkpoint_ns: "" } };
    return saver.put(config, checkpoint, { source: "loop", step, parents: {} }, { last: step + 1 });
  };
  await put(0);
  relay.reset();
  for (let step = 1; step <= PUTS; step++) await put(step);
  const { commands, roundTrips } = relay.counts;
  const ours = name === "ours";
  return [
    { figure: `${name}: commands a put`, value: commands / PUTS, unit: "" },
    { figure: `${name}: round trips a put`, value: roundTrips / PUTS, unit: "", ...(ours ? { goal: 1 } : {}) },
  ];
}

async function sizeFigures({ name, saver, redis }: Subject): Promise<Figure[]> {
  const bytes = async (thread: string, page: string | undefined) => {
    await createFiveNodes(page)
      .compile({ checkpointer: saver })
      .invoke({ identity: thread }, { configurable: { thread_id: thread }, durability: "sync" });
    const sizes = (await redis.keys(`*${thread}*`)).map((key) => redis.memory("USAGE", key, "SAMPLES", 0));
    return (await Promise.all(sizes)).reduce<number>((sum, size) => sum + Number(size), 0);
  };
  const lean = await bytes("thread-lean", undefined);
  const full = await bytes("thread-full", PAGE);
  const goal = name === "ours" ? { goal: 1.1 } : {};
  return [
    { figure: `${name}: Redis bytes a thread of five nodes`, value: lean, unit: "B" },
    {
      figure: `${name}: how often a 6 kB value that a node wrote and no later one touches is stored`,
      value: (full - lean) / PAGE.length,
      unit: "×",
      ...goal,
    },
  ];
}

async function latestFigure({ name, saver, redis }: Subject, keys: number): Promise<Figure> {
  await redis.call("DEBUG", "POPULATE", String(keys - (await redis.dbsize())), "filler", "16");
  const times: number[] = [];
  for (let i = 0; i < (name === "ours" ? 500 : 9); i++) {
    const began = performance.now();
    const found = await saver.getTuple({ configurable: { thread_id: "thread-full", checkpoint_ns: "" } });
    times.push(performance.now() - began);
    if (found?.checkpoint.channel_values["last"] !== "five") throw new Error(`${name}: not the latest`);
  }
  return {
    figure: `${name}: the latest checkpoint among ${keys.toLocaleString("en")} keys`,
    value: median(times),
    unit: "ms",
    ...(name === "ours" ? { goal: 1 } : {}),
  };
}
