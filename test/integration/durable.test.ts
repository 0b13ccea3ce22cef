import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { END, interrupt, START, StateGraph } from "@langchain/langgraph";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { NO_USAGE, type StepResult } from "../../engine/result.ts";
import type { DurableStep, RunDurably, StepContext } from "../../lib/durable/durable.ts";
import { threadKeys, workloadKey } from "../../lib/durable/keys.ts";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import { claimRequests, dropSteps, readStates, withdrawRequest } from "../../lib/durable/requests.ts";
import { createResultStore, type ResultStore } from "../../lib/durable/results.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import { startRedis } from "../redis-server.ts";
import { graphOf, runnerOf, State, SUCCEEDED, stepOf } from "./durable-step.ts";
import { redisForFile } from "./redis.ts";
import { startRedisRelay } from "./redis-relay.ts";

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
let artifacts: string;
beforeEach(async ({ task }) => {
  await own.redis.flushall();
  artifacts = join(folder, `artifacts-${task.id}`);
});

describe("a process that dies", () => {
  let log: string;
  let identity = "";
  beforeEach(({ task }) => {
    identity = `id-${task.id}`;
    log = join(folder, `${task.id}.log`);
  });

  function worker(pauseMs: number, leaseMs = 2000): { child: ChildProcess; answer: Promise<unknown> } {
    const args = [WORKER, own.server.url, artifacts, log, identity, String(pauseMs), String(leaseMs)];
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
    // It learns that it lost, by its lease or by a refused write, or finds its successor's result.
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
  let ran: string[] = [];
  let results: ResultStore;
  beforeEach(() => {
    ran = [];
    results = createResultStore(createFolderArtifacts(artifacts));
  });

  function runnerOn(
    redis: Redis,
    over: { leaseTtlMs?: number; keepMs?: number; results?: ResultStore } = {},
  ): RunDurably {
    return runnerOf({
      store: new RedisStepStore(redis),
      results: over.results ?? results,
      leaseTtlMs: over.leaseTtlMs ?? 20_000,
      keepMs: over.keepMs ?? 60_000,
    });
  }
  const runDurably = (step: DurableStep): Promise<StepResult> => runnerOn(own.redis)(step);
  const stateOf = async (identity = "id") => (await readStates(own.redis, [identity]))[0];
  const keys = (identity = "id"): Promise<string[]> => own.redis.keys(`agentic:{${identity}}:*`);
  const fields = (identity = "id") => own.redis.hgetall(threadKeys(identity).record);

  const succeed = async (): Promise<StepResult> => {
    ran.push("work");
    return SUCCEEDED;
  };
  const busy = async (): Promise<StepResult> => {
    throw new RetryableError("ModelUnavailable", "429");
  };
  const die = async (): Promise<undefined> => {
    throw new RetryableError("BrowserUnavailable", "gone", { countsAsAttempt: false });
  };
  const did = (name: string) => async (): Promise<undefined> => {
    ran.push(name);
  };
  /** Starts a step as a process would that is killed at work: nothing is given back, and its lease has run out. */
  async function crash(identity = "id", retryLimit = 2): Promise<void> {
    const redis = await connectRedis(own.server.url);
    const working = Promise.withResolvers<void>();
    const work = async (): Promise<undefined> => {
      working.resolve();
      await new Promise(() => undefined);
    };
    runnerOn(redis)(stepOf(graphOf({ one: did("one"), work }), { identity, retryLimit })).catch(() => undefined);
    await working.promise;
    redis.disconnect();
    await own.redis.del(threadKeys(identity).lease);
  }

  test("asked again, answers the stored result, byte for byte, whatever the graph would do now", async () => {
    const unsorted = { b: "2", a: "1" };
    const first = await runDurably(
      stepOf(async () => ({ ...SUCCEEDED, artifacts: unsorted, data: { z: 1, a: [{ y: 1, b: 2 }] } })),
    );
    expect(first).toMatchObject({ artifacts: unsorted, data: { z: 1 } });
    const second = await runnerOn(own.redis, { results: createResultStore(createFolderArtifacts(artifacts)) })(
      stepOf(busy),
    );
    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
  });

  test("Redis keeps no more of a finished step than its request, outcome and digest: half a kilobyte, for as long as it was told", async () => {
    const request = { identity: "id", attempt: "default/demo-0123456789/2026-01-01T10:00:00Z", startAnew: false };
    const claim = { patienceMs: 60_000, now: new Date() };
    await claimRequests(own.redis, new RedisStepStore(own.redis), "uid", [request], claim);
    await withdrawRequest(own.redis, "id");
    await expect(runDurably(stepOf(busy))).rejects.toThrow();
    for (const key of await keys()) expect(await own.redis.pttl(key)).toBe(-1);
    expect((await keys()).length).toBeGreaterThan(3);
    await runDurably(stepOf(succeed));
    const { record } = threadKeys("id");
    expect(await keys()).toEqual([record]);
    expect(await own.redis.pttl(record)).toBeGreaterThan(0);
    const kept = ["attempt", "digest", "finishedAt", "outcome", "requestedAt", "startedAt"];
    expect(Object.keys(await fields()).toSorted()).toEqual(kept);
    expect(await own.redis.memory("USAGE", record)).toBeLessThan(512);
    expect(await stateOf()).toMatchObject({
      ended: { outcome: "succeeded", digest: await results.put({ namespace: "default", uid: "uid" }, SUCCEEDED) },
    });
  });

  test("the record never names a result that is not stored", async () => {
    let seen: unknown = "nothing";
    const watching: ResultStore = {
      ...results,
      async put(uid, result) {
        seen = (await stateOf())?.ended;
        return results.put(uid, result);
      },
    };
    await runnerOn(own.redis, { results: watching })(stepOf(succeed));
    expect(seen).toBeUndefined();
  });

  test("an object store that is away at the end: no node is repeated", async () => {
    const away: ResultStore = {
      ...results,
      put: async () => {
        throw new RetryableError("ArtifactStoreUnavailable", "away", { countsAsAttempt: false });
      },
    };
    for (let i = 0; i < 4; i++)
      await expect(runnerOn(own.redis, { results: away })(stepOf(succeed))).rejects.toMatchObject({ message: "away" });
    expect(await runDurably(stepOf(succeed))).toEqual(SUCCEEDED);
    expect(ran).toEqual(["work"]);
  });

  test("a result whose bytes are gone is made again, by one of all who ask, and the record keeps its request", async () => {
    const { record } = threadKeys("id");
    await own.redis.hset(record, "attempt", "wf/1", "requestedAt", "2026-01-01T10:00:00.000Z");
    const ask = (body: () => Promise<StepResult>): Promise<StepResult> =>
      runnerOn(own.redis, { results: createResultStore(createFolderArtifacts(artifacts)) })(stepOf(body));
    expect(await ask(async () => ({ ...SUCCEEDED, output: "1" }))).toMatchObject({ output: "1" });
    await rm(artifacts, { recursive: true });
    const again = await ask(async () => {
      await expect(ask(busy)).rejects.toMatchObject({ reason: "LeaseHeld" });
      expect(await own.redis.pttl(record)).toBe(-1);
      return { ...SUCCEEDED, output: "2" };
    });
    expect(again).toMatchObject({ output: "2" });
    expect(await ask(busy)).toMatchObject({ output: "2" });
    expect(await stateOf()).toMatchObject({ attempt: "wf/1", requestedAt: new Date("2026-01-01T10:00:00.000Z") });
    expect(await own.redis.pttl(record)).toBeGreaterThan(0);
  });

  test("an object store that keeps nothing is trouble that may pass, and not a loop", async () => {
    const empty: ResultStore = { ...results, get: async () => undefined };
    const run = runnerOn(own.redis, { results: empty });
    for (let i = 0; i < 2; i++)
      await expect(run(stepOf(succeed))).rejects.toMatchObject({
        reason: "ArtifactStoreUnavailable",
        countsAsAttempt: false,
      });
    expect(ran).toEqual(["work", "work"]);
  });

  test("a TerminalError is a result", async () => {
    const result = await runDurably(
      stepOf(async () => {
        throw new TerminalError("RobotsDisallowed", "robots.txt says no");
      }),
    );
    expect(result).toMatchObject({ outcome: "failed", reason: "RobotsDisallowed", message: "robots.txt says no" });
  });

  test.each([
    ["none", undefined],
    ["one with a line that is too long", { ...SUCCEEDED, output: "x".repeat(257) }],
  ])("a graph with an invalid result (%s) fails at once and says what it must return", async (_name, result) => {
    expect(await runDurably(stepOf(async () => result))).toMatchObject({
      outcome: "failed",
      reason: "InvalidResult",
      message: expect.stringContaining("last node must return { result }"),
    });
  });

  test("upstream trouble is thrown while attempts are left, then it is a result", async () => {
    for (let i = 0; i < 2; i++)
      await expect(runDurably(stepOf(busy))).rejects.toMatchObject({ reason: "ModelUnavailable" });
    expect(await runDurably(stepOf(busy))).toMatchObject({
      outcome: "failed",
      reason: "ModelUnavailable",
      message: "429 (after 3 attempts)",
    });
  });

  test("attempts that are spent while the object store is away end with their own reason later", async () => {
    const put = async (): Promise<never> => {
      throw new RetryableError("ArtifactStoreUnavailable", "away", { countsAsAttempt: false });
    };
    const away = runnerOn(own.redis, { results: { ...results, put } });
    await expect(away(stepOf(busy, { retryLimit: 0 }))).rejects.toMatchObject({ reason: "ArtifactStoreUnavailable" });
    expect(await runDurably(stepOf(busy, { retryLimit: 0 }))).toMatchObject({ reason: "ModelUnavailable" });
  });

  test("a result has the calls that were booked, whatever its step says; one that failed has their cost as well", async () => {
    const cost = { inputTokens: 10, outputTokens: 2, costUsd: 0.5 };
    const modelCalls = ["first", "repair"].map((purpose) => ({ model: "m", purpose, prompt: "p", calls: 1, ...cost }));
    const paying = runnerOf({
      store: new RedisStepStore(own.redis),
      results,
      modelCalls: async ({ uid }, identity) => (uid === "uid" && identity !== "free" ? modelCalls : []),
    });
    const fail = async (): Promise<StepResult> => {
      throw new TerminalError("InvalidAnswer", "two answers that do not match");
    };
    const usage = { inputTokens: 20, outputTokens: 4, costUsd: 1, browserSeconds: 0 };
    expect(await paying(stepOf(fail, { identity: "fails" }))).toMatchObject({ outcome: "failed", usage, modelCalls });
    expect(await paying(stepOf(succeed, { identity: "other" }))).toEqual({ ...SUCCEEDED, modelCalls });
    const boast = async (): Promise<StepResult> => ({ ...SUCCEEDED, modelCalls });
    expect(await paying(stepOf(boast, { identity: "free" }))).toEqual(SUCCEEDED);
  });

  test("a result has what the egress proxy counted, whatever its step says, where the step may reach a host", async () => {
    const egress = { requests: 2, bytes: 99, hosts: [{ host: "a.test", requests: 2, bytes: 99 }], refused: [] };
    const reaching = runnerOf({
      store: new RedisStepStore(own.redis),
      results,
      egress: async ({ identity, egressToken }) =>
        `${identity} ${egressToken}` === "reaches token" ? egress : undefined,
    });
    const boast = async (): Promise<StepResult> => ({ ...SUCCEEDED, egress: { ...egress, bytes: 1 } });
    const allowed = (identity: string, allow: readonly string[]): DurableStep => {
      const step = stepOf(boast, { identity });
      const claims = { ...step.context.claims, allow: [...allow] };
      return { ...step, context: { ...step.context, claims, egressToken: "token" } };
    };
    expect(await reaching(allowed("reaches", ["a.test"]))).toEqual({ ...SUCCEEDED, egress });
    expect(await reaching(allowed("unknown", ["a.test"]))).toEqual(SUCCEEDED);
    await own.redis.flushall();
    expect(await reaching(allowed("reaches", []))).toEqual(SUCCEEDED);
  });

  test("trouble that is not the step's own uses up no attempt", async () => {
    for (let i = 0; i < 5; i++)
      await expect(runDurably(stepOf(die))).rejects.toMatchObject({ reason: "BrowserUnavailable" });
    expect(await runDurably(stepOf(succeed))).toEqual(SUCCEEDED);
  });

  test("the lease of a holder that is known to be dead is taken over at once, and its start counts as a crash", async () => {
    const working = Promise.withResolvers<void>();
    const drain = new AbortController();
    const first = runDurably(
      stepOf(
        async ({ signal }) => {
          working.resolve();
          await sleep(60_000, undefined, { signal });
          return SUCCEEDED;
        },
        { signal: drain.signal },
      ),
    ).catch((error: RetryableError) => error.reason);
    await working.promise;
    await expect(runDurably(stepOf(succeed))).rejects.toMatchObject({ message: "test works on this step" });
    const isDead = (holder: string): boolean => holder === "test";
    const store = new RedisStepStore(own.redis);
    const start = await store.start("id", { holder: "next", leaseTtlMs: 20_000, isDead, now: new Date() });
    expect(start).toMatchObject({ started: { startedBefore: true, crashes: 1 } });
    drain.abort();
    expect(await first).toBe("Draining");
    expect(await store.start("id", { holder: "third", leaseTtlMs: 20_000, isDead, now: new Date() })).toEqual({
      heldBy: "next",
    });
  });

  test("past its deadline it ends, also while a node waits", async () => {
    const wait = async ({ signal }: StepContext): Promise<StepResult> => {
      await sleep(30_000, undefined, { signal });
      return SUCCEEDED;
    };
    const result = await runDurably(stepOf(wait, { deadline: new Date(Date.now() + 200) }));
    expect(result).toMatchObject({ outcome: "failed", reason: "DeadlineExceeded" });
    const late = stepOf(succeed, { identity: "late", deadline: new Date(Date.now() - 1) });
    expect(await runDurably(late)).toMatchObject({ reason: "DeadlineExceeded" });
    expect(ran).toEqual([]);
  });

  test("a drain stops it, and costs it nothing", async () => {
    const drain = new AbortController();
    const wait = async ({ signal }: StepContext): Promise<StepResult> => {
      drain.abort();
      await sleep(30_000, undefined, { signal });
      return SUCCEEDED;
    };
    await expect(runDurably(stepOf(wait, { signal: drain.signal }))).rejects.toMatchObject({ reason: "Draining" });
    expect(Object.keys(await fields())).toEqual(["last", "startedAt"]);
    expect(await stateOf()).toMatchObject({ held: false });
    expect(await runDurably(stepOf(succeed))).toEqual(SUCCEEDED);
  });

  test.each(["Draining", "LeaseLost", "DeadlineExceeded"])(
    "%s counts, whatever a node makes of its signal",
    async (reason) => {
      const drain = new AbortController();
      const clumsy = async ({ signal }: StepContext): Promise<StepResult> => {
        if (reason === "Draining") setImmediate(() => drain.abort());
        if (reason === "LeaseLost") await own.redis.del(threadKeys("id").lease);
        const aborted = Promise.withResolvers<never>();
        signal.addEventListener("abort", () => aborted.reject(new TerminalError("Clumsy", "stopped")));
        return aborted.promise;
      };
      const deadline = new Date(Date.now() + (reason === "DeadlineExceeded" ? 2000 : 60_000));
      const run = runnerOn(own.redis, { leaseTtlMs: 6000 })(stepOf(clumsy, { signal: drain.signal, deadline }));
      expect(await run.catch((error: unknown) => error)).toMatchObject({ reason });
    },
  );

  test("an instance that drains already starts no node", async () => {
    const drained = stepOf(succeed, { signal: AbortSignal.abort() });
    await expect(runDurably(drained)).rejects.toMatchObject({ reason: "Draining" });
    expect(ran).toEqual([]);
  });

  test("a node that ignores the drain and ends later writes nothing, and breaks nothing", async () => {
    const drain = new AbortController();
    const working = Promise.withResolvers<void>();
    const stubborn = async (): Promise<StepResult> => {
      drain.abort();
      await working.promise;
      return SUCCEEDED;
    };
    await expect(runDurably(stepOf(stubborn, { signal: drain.signal }))).rejects.toMatchObject({ reason: "Draining" });
    const before = await dump();
    working.resolve();
    await sleep(50);
    expect(await dump()).toEqual(before);
  });
  const dump = async (): Promise<unknown> =>
    Promise.all((await keys()).toSorted().map((key) => own.redis.dumpBuffer(key)));

  test("interrupt() ends the step, and says what to do instead", async () => {
    const ask = async (): Promise<StepResult> => ({ ...SUCCEEDED, output: interrupt("go on?") });
    expect(await runDurably(stepOf(graphOf({ one: did("one"), ask })))).toMatchObject({
      outcome: "failed",
      reason: "InterruptUnsupported",
      message: expect.stringContaining("put a step with `gate` after this one"),
    });
    expect((await fields())["failed"]).toBeUndefined();
  });

  test("a graph that does not end meets the recursion limit once, and is told the setting", async () => {
    const loop = (end: number) => {
      let turn = 0;
      return new StateGraph(State)
        .addNode("turn", () => (++turn >= end ? { result: SUCCEEDED } : {}))
        .addEdge(START, "turn")
        .addConditionalEdges("turn", ({ result }) => (result ? END : "turn"), ["turn", END]);
    };
    expect(await runDurably(stepOf(loop(11)))).toEqual(SUCCEEDED);
    expect(await runDurably(stepOf(loop(Number.POSITIVE_INFINITY), { identity: "endless" }))).toMatchObject({
      outcome: "failed",
      reason: "RecursionLimit",
      message: expect.stringMatching(/12 supersteps.*set RECURSION_LIMIT higher/),
    });
  });

  describe("starts that end without an answer", () => {
    test("use up the retry limit; then the step ends, without another start", async () => {
      for (let i = 0; i < 3; i++) await crash();
      expect(ran).toEqual(["one"]);
      expect(await runDurably(stepOf(succeed))).toMatchObject({
        outcome: "failed",
        reason: "Crashed",
        message: expect.stringMatching(/after 3 starts: the process that ran it ended 3 times without an answer/),
      });
      expect(ran).toEqual(["one"]);
      expect(await runDurably(stepOf(succeed))).toMatchObject({ reason: "Crashed" });
    });

    test("one fewer is no reason to give up", async () => {
      for (let i = 0; i < 2; i++) await crash();
      expect(await runDurably(stepOf(graphOf({ one: did("again"), work: succeed })))).toEqual(SUCCEEDED);
      expect(ran).toEqual(["one", "work"]);
    });

    test("count together with those that failed", async () => {
      await crash();
      await expect(runDurably(stepOf(busy))).rejects.toMatchObject({ reason: "ModelUnavailable" });
      expect(await runDurably(stepOf(busy))).toMatchObject({ message: "429 (after 3 attempts)" });
      await crash("other");
      await expect(runDurably(stepOf(busy, { identity: "other" }))).rejects.toThrow();
      await crash("other");
      expect(await runDurably(stepOf(succeed, { identity: "other" }))).toMatchObject({
        reason: "Crashed",
        message: expect.stringContaining("after 3 starts: the process that ran it ended 2 times"),
      });
    });

    test("a paused process that wakes up was no crash", async () => {
      const slow = await startRedisRelay(own.server.socket);
      const redis = await connectRedis(slow.url);
      onTestFinished(async () => {
        redis.disconnect();
        await slow.close();
      });
      const working = Promise.withResolvers<void>();
      const first = runnerOn(redis, { leaseTtlMs: 3000 })(
        stepOf(async ({ signal }) => {
          working.resolve();
          await sleep(60_000, undefined, { signal });
          return SUCCEEDED;
        }),
      ).catch((error: RetryableError) => error.reason);
      await working.promise;
      slow.hold("everything");
      await own.redis.del(threadKeys("id").lease);
      await expect(runDurably(stepOf(die))).rejects.toMatchObject({ reason: "BrowserUnavailable" });
      expect((await fields())["crashed"]).toMatch(/^\S+ $/);
      slow.letGo();
      expect(await first).toBe("LeaseLost");
      await expect.poll(async () => (await fields())["crashed"]).toBe("");
    });

    test("a Redis that was away while a step ran made no crash of it", async () => {
      const lone = await startRedis();
      const redis = await connectRedis(lone.url);
      onTestFinished(async () => {
        redis.disconnect();
        await lone.stop();
      });
      const run = runnerOn(redis, { leaseTtlMs: 3000 });
      const crash = async ({ signal }: StepContext): Promise<StepResult> => {
        await lone.kill();
        await sleep(60_000, undefined, { signal });
        return SUCCEEDED;
      };
      await expect(run(stepOf(crash, { retryLimit: 0 }))).rejects.toMatchObject({
        reason: "LeaseLost",
        countsAsAttempt: false,
      });
      await lone.restart();
      const running = () => redis.hexists(threadKeys("id").record, "running").catch(() => 1);
      await expect.poll(running, { timeout: 30_000 }).toBe(0);
      expect(await run(stepOf(succeed, { retryLimit: 0 }))).toEqual(SUCCEEDED);
    });
  });

  describe("on a network that fails", () => {
    let relay: Awaited<ReturnType<typeof startRedisRelay>>;
    let behind: Redis;
    beforeEach(async () => {
      relay = await startRedisRelay(own.server.socket);
      behind = await connectRedis(relay.url);
      return async () => {
        behind.disconnect();
        await relay.close();
      };
    });

    test("a first answer that comes after the lease has ended repeats no node that another process has finished since", async () => {
      relay.hold("answers");
      const nodes = { one: did("one"), two: did("two") };
      const slow = runnerOn(behind, { leaseTtlMs: 100 })(stepOf(graphOf({ ...nodes, three: succeed })));
      const told = slow.catch((error: RetryableError) => error.reason);
      await expect.poll(() => own.redis.hexists(threadKeys("id").record, "running")).toBe(1);
      await expect.poll(() => own.redis.exists(threadKeys("id").lease)).toBe(0);
      await expect(runDurably(stepOf(graphOf({ ...nodes, three: die })))).rejects.toMatchObject({ message: "gone" });
      relay.letGo();
      expect(await told).toBe("LeaseLost");
      expect(ran).toEqual(["one", "two"]);
      expect(await runnerOn(behind)(stepOf(graphOf({ ...nodes, three: succeed })))).toEqual(SUCCEEDED);
      expect(ran).toEqual(["one", "two", "work"]);
    });

    test("a first answer that comes after the lease has ended starts nothing", async () => {
      relay.hold("answers");
      const told = runnerOn(behind, { leaseTtlMs: 1500 })(stepOf(succeed)).catch(
        (error: RetryableError) => error.reason,
      );
      await expect.poll(() => own.redis.hexists(threadKeys("id").record, "running")).toBe(1);
      await expect.poll(() => own.redis.exists(threadKeys("id").lease), { timeout: 10_000 }).toBe(0);
      relay.letGo();
      expect(await told).toBe("LeaseLost");
      expect(ran).toEqual([]);
    });

    test("a start whose answer never comes is no crash", async () => {
      relay.hold("answers");
      await expect(runnerOn(behind)(stepOf(succeed))).rejects.toMatchObject({ reason: "StoreUnavailable" });
      await expect.poll(async () => Object.keys(await fields()), { timeout: 10_000 }).toEqual(["last", "startedAt"]);
      expect(await stateOf()).toMatchObject({ held: false });
      expect(await runDurably(stepOf(succeed, { retryLimit: 0 }))).toEqual(SUCCEEDED);
    });

    test("a start whose answer was lost finds its own lease, and is counted once", async () => {
      relay.loseNextAnswer();
      expect(
        await runnerOn(behind)(
          stepOf(async () => {
            expect((await fields())["crashed"]).toBeUndefined();
            return SUCCEEDED;
          }),
        ),
      ).toEqual(SUCCEEDED);
    });

    test("a failure whose answer was lost is counted once", async () => {
      const lose = async (): Promise<StepResult> => {
        relay.loseNextAnswer();
        throw new RetryableError("ModelUnavailable", "429");
      };
      // The node's error is a pending write: its answer is the one that is lost here, and the count's below.
      await expect(runnerOn(behind)(stepOf(lose))).rejects.toMatchObject({ reason: "ModelUnavailable" });
      const store = new RedisStepStore(behind);
      const start = await store.start("id", { holder: "test", leaseTtlMs: 20_000, now: new Date() });
      if (!("started" in start)) throw new Error("not started");
      relay.loseNextAnswer();
      expect(await start.started.countFailure(2)).toBe(2);
      expect((await fields())["failed"]).toMatch(/^\S+ \S+ $/);
    });

    test("an end whose answer was lost stands", async () => {
      const store = new RedisStepStore(behind);
      const start = await store.start("id", { holder: "test", leaseTtlMs: 20_000, now: new Date() });
      if (!("started" in start)) throw new Error("not started");
      const end = { outcome: "succeeded", digest: "d", finishedAt: new Date(0) } as const;
      relay.loseNextAnswer();
      expect(await start.started.finish(end, 60_000)).toEqual(end);
    });
  });

  describe("a step that is forgotten while somebody works on it", () => {
    test.each(["a node", "its last node"])("the worker learns it after %s, and leaves nothing behind", async (when) => {
      const forget = async (): Promise<undefined> => {
        ran.push("forget");
        await new RedisStepStore(own.redis).forget(["id"]);
      };
      const last = when === "a node" ? succeed : async () => forget().then(() => SUCCEEDED);
      const nodes = when === "a node" ? { one: did("one"), forget, last } : { one: did("one"), last };
      await expect(runDurably(stepOf(graphOf(nodes)))).rejects.toMatchObject({ reason: "LeaseLost" });
      expect(ran).toEqual(["one", "forget"]);
      expect(await keys()).toEqual([]);
    });

    test("a node that waits is told within a third of the lease", async () => {
      const wait = async ({ signal }: StepContext): Promise<StepResult> => {
        await new RedisStepStore(own.redis).forget(["id"]);
        await sleep(60_000, undefined, { signal }).catch(() => ran.push("aborted"));
        return SUCCEEDED;
      };
      const run = runnerOn(own.redis, { leaseTtlMs: 6000 })(stepOf(wait));
      await expect(run).rejects.toMatchObject({ reason: "LeaseLost" });
      expect(ran).toEqual(["aborted"]);
    });

    test("the next start begins anew", async () => {
      await expect(runDurably(stepOf(graphOf({ one: did("one"), die })))).rejects.toThrow();
      await new RedisStepStore(own.redis).forget(["id"]);
      expect(await runDurably(stepOf(graphOf({ one: did("one"), work: succeed })))).toEqual(SUCCEEDED);
      expect(ran).toEqual(["one", "one", "work"]);
    });
  });

  test("a step whose workload is deleted: its node is aborted, and a request that was on its way does nothing", async () => {
    await own.redis.sadd(workloadKey("uid"), "id");
    const wait = async ({ signal }: StepContext): Promise<StepResult> => {
      const dropped = dropSteps(own.redis, new RedisStepStore(own.redis), "uid", {
        keepMs: 60_000,
        patienceMs: 60_000,
      });
      await sleep(60_000, undefined, { signal }).catch(() => ran.push("aborted"));
      dropped.then(() => ran.push("dropped"));
      return SUCCEEDED;
    };
    const run = runnerOn(own.redis, { leaseTtlMs: 3000 });
    await expect(run(stepOf(wait))).rejects.toMatchObject({ reason: "LeaseLost", countsAsAttempt: false });
    await expect.poll(() => ran).toEqual(["aborted", "dropped"]);
    const before = await own.redis.dumpBuffer(threadKeys("id").record);
    expect(await run(stepOf(succeed))).toMatchObject({ outcome: "failed", reason: "WorkloadDeleted" });
    expect(ran).toEqual(["aborted", "dropped"]);
    expect(await own.redis.dumpBuffer(threadKeys("id").record)).toEqual(before);
    expect(existsSync(artifacts)).toBe(false);
  });

  test("Redis that lost everything in mid-run: the step is started again, from its first node", async () => {
    const wipe = async (): Promise<undefined> => {
      ran.push("wipe");
      await own.redis.flushall();
    };
    await expect(runDurably(stepOf(graphOf({ one: did("one"), wipe, work: succeed })))).rejects.toMatchObject({
      reason: "LeaseLost",
      countsAsAttempt: false,
    });
    expect(await runDurably(stepOf(graphOf({ one: did("one"), wipe: did("two"), work: succeed })))).toEqual(SUCCEEDED);
    expect(ran).toEqual(["one", "wipe", "one", "two", "work"]);
  });

  describe("new code that takes over a running step", () => {
    const work = async (): Promise<StepResult> => {
      ran.push("work");
      return SUCCEEDED;
    };
    const before = { one: did("one"), two: did("two"), work: die };

    test.each([
      ["lacks the next node", { one: did("one"), two: did("two"), last: work }],
      ["has another node before the next one", { one: did("one"), two: did("two"), new: did("new"), work }],
      ["has the nodes in another order", { two: did("two"), one: did("one"), work }],
    ])("%s: the step begins anew, and what the new code has done stays done", async (_name, after) => {
      await expect(runDurably(stepOf(graphOf(before)))).rejects.toMatchObject({ reason: "BrowserUnavailable" });
      ran = [];
      const last = Object.keys(after).at(-1) ?? "";
      await expect(runDurably(stepOf(graphOf({ ...after, [last]: die })))).rejects.toThrow();
      expect(await runDurably(stepOf(graphOf(after)))).toEqual(SUCCEEDED);
      expect(ran).toEqual([...Object.keys(after).slice(0, -1), "work"]);
    });

    test("has the same nodes: the step goes on", async () => {
      await expect(runDurably(stepOf(graphOf(before)))).rejects.toThrow();
      expect(await runDurably(stepOf(graphOf({ ...before, work })))).toEqual(SUCCEEDED);
      expect(ran).toEqual(["one", "two", "work"]);
    });
  });

  test("a writer whose start was followed by another is refused, also when Redis lost who came first", async () => {
    const store = new RedisStepStore(own.redis);
    const begin = async () => {
      const start = await store.start("id", { holder: "test", leaseTtlMs: 20_000, now: new Date() });
      if (!("started" in start)) throw new Error("not started");
      return start.started;
    };
    const first = await begin();
    await own.redis.flushall();
    const second = await begin();
    const config = { configurable: { thread_id: "id", checkpoint_ns: "" } };
    const checkpoint = { v: 4, id: "1", ts: "", channel_values: {}, channel_versions: {}, versions_seen: {} };
    const put = ({ checkpointer }: typeof first) =>
      checkpointer.put(config, checkpoint, { source: "loop", step: 0, parents: {} }, {});
    const end = { outcome: "failed", digest: "d", finishedAt: new Date(0) } as const;
    await expect(put(first)).rejects.toMatchObject({ reason: "LeaseLost" });
    await expect(
      first.checkpointer.putWrites({ configurable: { ...config.configurable, checkpoint_id: "1" } }, [["a", 1]], "t"),
    ).rejects.toMatchObject({ reason: "LeaseLost" });
    await expect(first.countFailure(1)).rejects.toMatchObject({ reason: "LeaseLost" });
    await expect(first.finish(end, 1000)).rejects.toMatchObject({ reason: "LeaseLost" });
    await first.release();
    expect(await stateOf()).toMatchObject({ held: true });
    await put(second);
    expect(await second.finish({ ...end, digest: "e" }, 60_000)).toMatchObject({ digest: "e" });
    expect(await first.finish(end, 60_000)).toMatchObject({ digest: "e" });
  });

  test("a step of five nodes takes eleven commands, a failed attempt of one node seven", async () => {
    const commands = async (step: DurableStep): Promise<number> => {
      await own.redis.config("RESETSTAT");
      await runDurably(step).catch(() => undefined);
      const stats = await own.redis.info("commandstats");
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]);
    };
    await commands(stepOf(succeed, { identity: "warm" }));
    await commands(stepOf(busy, { identity: "warm failure" }));
    const nodes = { one: did("1"), two: did("2"), three: did("3"), four: did("4"), five: succeed };
    expect(await commands(stepOf(graphOf(nodes)))).toBe(11);
    expect(await commands(stepOf(graphOf(nodes)))).toBe(1);
    expect(await commands(stepOf(busy, { identity: "failing" }))).toBe(7);
  });

  test("a Redis that is gone is said within seconds, and is not the step's fault", async () => {
    const lone = await startRedis();
    const client = await connectRedis(lone.url);
    await lone.stop();
    await expect(runnerOn(client)(stepOf(succeed))).rejects.toMatchObject({
      reason: "StoreUnavailable",
      countsAsAttempt: false,
    });
    client.disconnect();
  });
});
