import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { DurableStep, StepContext, StepGraph } from "../../lib/durable/durable.ts";
import { forgetFailed, readRecord } from "../../lib/durable/record.ts";
import { createRunDurably } from "../../lib/durable/run.ts";
import { RedisSaver } from "../../lib/durable/saver.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import { NO_USAGE, type StepResult } from "../../lib/step.ts";
import { startRedis } from "../redis-server.ts";
import { redisForFile } from "./redis.ts";

const WORKER = fileURLToPath(new URL("./durable-worker.ts", import.meta.url));
const NODES = ["one", "two", "three", "four", "five"];
const DONE = { outcome: "succeeded", output: "one two three four", artifacts: {}, usage: NO_USAGE };

const own = redisForFile();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-durable-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => own.redis.flushall());

describe("a process that dies", () => {
  let log: string;
  let identity = "";
  beforeEach(({ task }) => {
    identity = `id-${task.id}`;
    log = join(folder, `${task.id}.log`);
  });

  function worker(pauseMs: number, leaseMs = 2000): { child: ChildProcess; answer: Promise<unknown> } {
    const args = [WORKER, own.server.url, log, identity, String(pauseMs), String(leaseMs)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout?.on("data", (data: Buffer) => {
      said += data.toString();
    });
    return { child, answer: once(child, "close").then(() => (said ? JSON.parse(said) : undefined)) };
  }
  const lines = async (): Promise<string[]> => (await readFile(log, "utf8").catch(() => "")).trim().split("\n");
  async function logged(pid: number | undefined, what: string): Promise<void> {
    for (let i = 0; i < 6000 && !(await lines()).includes(`${pid} ${what}`); i++) await sleep(10);
  }
  /** Asks again as a Broker would, until it is done. */
  async function untilDone(pauseMs: number): Promise<unknown> {
    for (let i = 0; i < 50; i++) {
      const answer = await worker(pauseMs).answer;
      if (JSON.stringify(answer) !== '{"error":"LeaseHeld"}') return answer;
      await sleep(200);
    }
    throw new Error("the lease was never free");
  }

  test.each(NODES)("killed -9 in node %s: another goes on, and repeats this node only", async (victim) => {
    const first = worker(700);
    await logged(first.child.pid, `start ${victim}`);
    first.child.kill("SIGKILL");
    await first.answer;
    expect(await untilDone(0)).toEqual(DONE);
    const started = (await lines()).filter((l) => l.includes("start")).map((l) => l.split(" ")[2]);
    expect(started).toEqual([...NODES.slice(0, NODES.indexOf(victim) + 1), ...NODES.slice(NODES.indexOf(victim))]);
  });

  test("a paused one that wakes up after another took over writes nothing", async () => {
    const first = worker(2000);
    await logged(first.child.pid, "start two");
    first.child.kill("SIGSTOP");
    expect(await untilDone(0)).toEqual(DONE);
    const before = await own.redis.hgetall(`agentic:{${identity}}:record`);
    first.child.kill("SIGCONT");
    // It learns that it lost, whether from its lease or from the refused write, or finds the result of its successor.
    expect([JSON.stringify({ error: "LeaseLost" }), JSON.stringify(DONE)]).toContain(
      JSON.stringify(await first.answer),
    );
    expect(await own.redis.hgetall(`agentic:{${identity}}:record`)).toEqual(before);
    const started = (await lines()).filter((l) => l.includes("start three")).length;
    expect(started).toBe(1);
  });

  test("Redis killed -9 in the middle: what was written is there after its restart", async () => {
    const first = worker(700);
    await logged(first.child.pid, "start three");
    await own.server.kill();
    first.child.kill("SIGKILL");
    await first.answer;
    await own.server.restart();
    expect(await untilDone(0)).toEqual(DONE);
    const started = (await lines()).filter((l) => l.includes("start")).map((l) => l.split(" ")[2]);
    expect(started.filter((n) => n === "one")).toHaveLength(1);
    expect(started.filter((n) => n === "two")).toHaveLength(1);
  });

  test("two at once: one works, the other is told who", async () => {
    // A lease that outlives the stalls of a busy machine, held for as long as the other takes to ask.
    const first = worker(700, 600_000);
    await logged(first.child.pid, "start one");
    first.child.kill("SIGSTOP");
    expect(await worker(0).answer).toEqual({ error: "LeaseHeld" });
    first.child.kill("SIGCONT");
    expect(await first.answer).toEqual(DONE);
  });
});

describe("runDurably", () => {
  let ran = 0;
  const State = Annotation.Root({ identity: Annotation<string>, result: Annotation<StepResult | undefined> });
  const succeeded: StepResult = { outcome: "succeeded", artifacts: { a: "k" }, usage: NO_USAGE };

  function graphOf(body: (context: StepContext) => Promise<StepResult>): StepGraph {
    return new StateGraph(State)
      .addNode("work", async (_state, runtime) => {
        ran++;
        return { result: await body((runtime as { context?: unknown }).context as StepContext) };
      })
      .addEdge(START, "work")
      .addEdge("work", END);
  }
  function step(
    body: (context: StepContext) => Promise<StepResult>,
    over: Partial<DurableStep> & { deadline?: Date } = {},
  ): DurableStep {
    return {
      graph: graphOf(body),
      retryLimit: over.retryLimit ?? 2,
      signal: over.signal ?? new AbortController().signal,
      context: {
        identity: "id",
        workload: { namespace: "default", name: "demo", uid: "uid" },
        run: "run",
        input: { params: {}, from: {} },
        claims: { sub: "uid", jti: "id", allow: [], run: "run" },
        token: "",
        deadline: over.deadline ?? new Date(Date.now() + 180_000),
        log: pino({ level: "silent" }),
      },
    };
  }
  const runDurably = (one: DurableStep): Promise<StepResult> =>
    createRunDurably({
      redis: own.redis,
      saver: (token) => new RedisSaver(own.redis, token),
      holder: "test",
      leaseTtlMs: 20_000,
      keepMs: 60_000,
      now: () => new Date(),
    })(one);
  const busy = async (): Promise<StepResult> => {
    throw new RetryableError("ModelUnavailable", "429");
  };
  beforeEach(() => {
    ran = 0;
  });

  test("asked again, answers from the record, whatever the graph would say now", async () => {
    const first = await runDurably(step(async () => succeeded));
    expect(await runDurably(step(busy))).toEqual(first);
    expect(ran).toBe(1);
  });

  test("a TerminalError is a result", async () => {
    const result = await runDurably(
      step(async () => {
        throw new TerminalError("RobotsDisallowed", "robots.txt says no");
      }),
    );
    expect(result).toMatchObject({ outcome: "failed", reason: "RobotsDisallowed", message: "robots.txt says no" });
  });

  test("upstream trouble is thrown while attempts are left, then it is a result", async () => {
    for (let i = 0; i < 2; i++)
      await expect(runDurably(step(busy))).rejects.toMatchObject({ reason: "ModelUnavailable" });
    expect(await runDurably(step(busy))).toMatchObject({
      outcome: "failed",
      reason: "ModelUnavailable",
      message: "429 (after 3 attempts)",
    });
  });

  test("trouble that is not the step's own uses up no attempt", async () => {
    for (let i = 0; i < 5; i++)
      await expect(
        runDurably(
          step(async () => {
            throw new RetryableError("BrowserUnavailable", "gone", { countsAsAttempt: false });
          }),
        ),
      ).rejects.toMatchObject({ reason: "BrowserUnavailable" });
    expect(await runDurably(step(async () => succeeded))).toEqual(succeeded);
  });

  test("past its deadline it ends, also while a node waits", async () => {
    const wait = async ({ signal }: StepContext): Promise<StepResult> => {
      await sleep(30_000, undefined, { signal });
      return succeeded;
    };
    const result = await runDurably(step(wait, { deadline: new Date(Date.now() + 200) }));
    expect(result).toMatchObject({ outcome: "failed", reason: "DeadlineExceeded" });
  });

  test("a drain stops it, and costs it nothing", async () => {
    const drain = new AbortController();
    const wait = async ({ signal }: StepContext): Promise<StepResult> => {
      drain.abort();
      await sleep(30_000, undefined, { signal });
      return succeeded;
    };
    await expect(runDurably(step(wait, { signal: drain.signal }))).rejects.toMatchObject({ reason: "Draining" });
    expect(await readRecord(own.redis, "id")).toMatchObject({ state: "accepted", attempts: 0 });
    expect(await runDurably(step(async () => succeeded))).toEqual(succeeded);
  });

  test("checkpoints expire from the step's end on, not before", async () => {
    await expect(runDurably(step(busy))).rejects.toThrow();
    const unfinished = await own.redis.keys("agentic:{id}:checkpoint:*");
    expect(unfinished.length).toBeGreaterThan(0);
    for (const key of unfinished) expect(await own.redis.pttl(key)).toBe(-1);
    await runDurably(step(async () => succeeded));
    for (const key of await own.redis.keys("agentic:{id}:*")) expect(await own.redis.pttl(key)).toBeGreaterThan(0);
  });

  test("a failed step is forgotten on request, a succeeded one is not", async () => {
    await runDurably(
      step(async () => {
        throw new TerminalError("Blocked", "a captcha");
      }),
    );
    await forgetFailed(own.redis, "id");
    expect(await readRecord(own.redis, "id")).toBeUndefined();
    expect(await runDurably(step(async () => succeeded))).toEqual(succeeded);
    await forgetFailed(own.redis, "id");
    expect(await readRecord(own.redis, "id")).toMatchObject({ state: "final" });
  });

  test("a Redis that is gone is said within seconds, and is not the step's fault", async () => {
    const lone = await startRedis();
    const client = await connectRedis(lone.url);
    await lone.stop();
    const run = createRunDurably({
      redis: client,
      saver: (token) => new RedisSaver(client, token),
      holder: "test",
      leaseTtlMs: 2000,
      keepMs: 1000,
      now: () => new Date(),
    });
    await expect(run(step(async () => succeeded))).rejects.toMatchObject({
      reason: "StoreUnavailable",
      countsAsAttempt: false,
    });
    client.disconnect();
  });
});
