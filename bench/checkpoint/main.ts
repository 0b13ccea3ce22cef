/**
 * What a durable step costs: five LangGraph nodes with no saver, MemorySaver, ours and upstream's, and as a whole durable step
 * (lease, checkpoints, record, its result in a folder), beside five durable steps on Restate and on DBOS. All in one run, in turn, with fsync on, in a
 * network namespace of their own; needs root for that.
 */
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startRedis } from "../../test/redis-server.ts";
import { installRedisStack } from "../../test/redis-stack/install.ts";
import { startRedisStack } from "../../test/redis-stack/server.ts";
import { type Figure, median, report } from "../harness.ts";
import type { Round } from "./contender.ts";
import { postgresBinaries, startPostgres } from "./postgres.ts";
import { measureSavers } from "./savers.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ROUNDS = 7;
const SEQUENTIAL: Round = { runs: 60, concurrency: 1 };
const AT_ONCE: Round = { runs: 300, concurrency: 30 };
/** Of the faster of Restate and DBOS. */
const GOAL = 0.7;
const INSIDE = "AGENTIC_BENCH_NAMESPACE";

if (process.env[INSIDE]) await main();
else process.exit(await enterNamespace());

/** Prepares what needs the network, then runs this again where only loopback is, and where all processes end with it. */
async function enterNamespace(): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.error("bench/checkpoint needs root: it puts its servers into a network namespace of their own");
    return 1;
  }
  const install = ["install", "--no-save", "--no-fund", "--no-audit", "--loglevel=error", "--prefix", here("peers")];
  console.log("bench/checkpoint: installing Restate and DBOS (about 240 MB)");
  const installed = spawnSync("npm", install, { stdio: "inherit" }).status;
  if (installed !== 0) return installed ?? 1;
  const binaries = postgresBinaries();
  await installRedisStack();
  const isolate = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const inside = `ip link set lo up && exec "$0" "$@"`;
  const command = [...isolate, "sh", "-c", inside, process.execPath, here("main.ts")];
  // Servers that end with the namespace clean up nothing. PostgreSQL's own user must get through it.
  const TMPDIR = mkdtempSync(join(tmpdir(), "agentic-bench-"));
  chmodSync(TMPDIR, 0o755);
  const env = { ...process.env, TMPDIR, [INSIDE]: binaries };
  try {
    return spawnSync("unshare", command, { stdio: "inherit", env }).status ?? 1;
  } finally {
    rmSync(TMPDIR, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const [redis, stack] = [await startRedis(), await startRedisStack()];
  const contenders = new Map<string, ChildProcess>();
  try {
    contenders.set("no saver", await start("langgraph.ts", "none"));
    contenders.set("MemorySaver", await start("langgraph.ts", "memory"));
    contenders.set("ours", await start("langgraph.ts", "ours", redis.url));
    contenders.set("ours, a whole durable step", await start("langgraph.ts", "durable", redis.url));
    contenders.set("upstream's RedisSaver", await start("langgraph.ts", "upstream", stack.url));
    contenders.set("Restate", await start("peers/restate.ts"));
    contenders.set("DBOS", await start("peers/dbos.ts", await startPostgres(process.env[INSIDE] ?? "")));
    const figures = [
      ...(await compare("one after the other", contenders, SEQUENTIAL)),
      ...(await compare("thirty at once", contenders, AT_ONCE)),
      ...(await measureSavers()),
    ];
    report("checkpoint", figures);
  } finally {
    for (const child of contenders.values()) child.kill("SIGKILL");
    await redis.stop();
    await stack.stop();
  }
  process.exit(0);
}

async function start(script: string, ...args: string[]): Promise<ChildProcess> {
  const child = fork(here(script), args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ended = once(child, "exit").then(() => Promise.reject(new Error(`${script} ${args.join(" ")} ended`)));
  await Promise.race([once(child, "message"), ended]);
  ended.catch(() => undefined);
  return child;
}

/** Rounds in turn, so that all meet the same noise; a first one, not counted, warms up. */
async function compare(how: string, contenders: Map<string, ChildProcess>, round: Round): Promise<Figure[]> {
  const times = new Map([...contenders.keys()].map((name) => [name, [] as number[]]));
  for (let i = 0; i <= ROUNDS; i++) {
    for (const [name, child] of contenders) {
      child.send(round);
      const [ms] = (await once(child, "message")) as [number];
      if (i > 0) times.get(name)?.push(ms);
    }
  }
  const of = (name: string): number => median(times.get(name) ?? []);
  const fastestPeer = Math.min(of("Restate"), of("DBOS"));
  return [
    ...[...times.keys()].map((name) => ({ figure: `${how}: a step, ${name}`, value: of(name), unit: "ms" })),
    {
      figure: `${how}: ours over the faster of Restate and DBOS`,
      value: of("ours") / fastestPeer,
      unit: "×",
      goal: GOAL,
    },
    {
      figure: `${how}: our whole durable step over the faster of Restate and DBOS`,
      value: of("ours, a whole durable step") / fastestPeer,
      unit: "×",
      goal: GOAL,
    },
  ];
}
