import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../engine/canonical.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { RetryableError } from "../../lib/errors.ts";
import { openLedger, readModelCalls, readSpent } from "../../lib/model/ledger.ts";
import type { Model, ModelOptions, Spender } from "../../lib/model/model.ts";
import { countTokens } from "../../lib/model/tokens.ts";
import { type FakeAnswer, type FakeOpenAi, startFakeOpenAi } from "../fakes/openai.ts";
import { freePort } from "../free-port.ts";
import { startRedis } from "../redis-server.ts";
import { modelBehind, QUESTION as question } from "./model-fixture.ts";
import { redisForFile } from "./redis.ts";
import { startRedisRelay } from "./redis-relay.ts";

const own = redisForFile();
let provider: FakeOpenAi;
let ledgers = 0;

beforeAll(async () => {
  provider = await startFakeOpenAi();
  // The table of tokens takes seconds to load on a busy machine, longer than an asking lease lives.
  await countTokens("");
});
afterAll(async () => {
  await provider?.close();
});
beforeEach(() => {
  provider.reset();
  ledgers++;
});

const GOOD: FakeAnswer = { content: { claim: "the best" }, usage: { input: 100, output: 100 } };
/** Billionths of a dollar, by the price table. */
const GOOD_NANO = 60_000;

const model = (options: Partial<ModelOptions> = {}): Model => modelBehind(provider, own.redis, options);
function spender(more: Partial<Spender> = {}): Spender {
  return {
    workload: { namespace: "default", uid: `uid-${ledgers}` },
    spentUsd: 0,
    budgetUsd: "1",
    deadline: new Date(Date.now() + 60_000),
    signal: AbortSignal.timeout(60_000),
    ...more,
  };
}

interface Books {
  /** Billionths of a dollar. */
  readonly spent: number;
  readonly reserved: readonly number[];
}
async function books(redis: Redis = own.redis): Promise<Books> {
  const { spent = "0", ...reserved } = await redis.hgetall(`agentic:spent:{default.uid-${ledgers}}`);
  return { spent: Number(spent), reserved: Object.values(reserved).map((one) => Number(one.split(" ")[0])) };
}
const reasonOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => "answered",
    ({ reason, message }) => reason ?? message,
  );
/** As if the process that asks had been stopped for longer than its lease. */
async function loseAskingLease(): Promise<void> {
  for (const key of await own.redis.keys(`agentic:asking:{default.uid-${ledgers}}:*`)) await own.redis.del(key);
}

test("a reservation that is sent again counts once", async () => {
  const ledger = openLedger(own.redis, { name: `default.uid-${ledgers}`, spentUsd: 0 });
  const reservation = { id: "call-1", worstUsd: 0.6, callMs: 60_000 };
  for (const _ of ["first", "again"])
    expect(await ledger.reserve(reservation, 1)).toEqual({ verdict: "reserved", spentUsd: 0 });
  expect(await books()).toEqual({ spent: 0, reserved: [600_000_000] });
});

describe("the calls that a step paid for", () => {
  const name = () => `default.uid-${ledgers}`;
  const key = (step: string): string => `agentic:paid:{${name()}}:${step}`;
  const account = { step: "step-1", purpose: "test", prompt: "0".repeat(64) };

  test("are told apart by model, purpose and prompt, whoever asked, and are no other step's", async () => {
    provider.answer(GOOD);
    await model().ask({ ...question, data: "one" }, spender({ step: "step-1" }));
    await model().ask({ ...question, data: "two" }, spender({ step: "step-1" }));
    await model().ask({ ...question, data: "two" }, spender({ step: "step-1" }));
    await model().ask({ ...question, instructions: "Be brief." }, spender({ step: "step-1" }));
    await model().ask({ ...question, data: "three" }, spender({ step: "step-2" }));
    await model().ask({ ...question, data: "four" }, spender());
    const one = { model: "gpt-6-luna", purpose: question.purpose };
    expect(await readModelCalls(own.redis, name(), "step-1")).toEqual([
      {
        ...one,
        prompt: sha256(question.instructions),
        calls: 2,
        inputTokens: 200,
        outputTokens: 200,
        costUsd: 0.00012,
      },
      { ...one, prompt: sha256("Be brief."), calls: 1, inputTokens: 100, outputTokens: 100, costUsd: GOOD_NANO / 1e9 },
    ]);
    expect(await readModelCalls(own.redis, name(), "step-3")).toEqual([]);
  });

  test("count a booking that is sent again once", async () => {
    const ledger = openLedger(own.redis, { name: name(), spentUsd: 0 });
    const usage = { inputTokens: 7, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 5, reasoningTokens: 0 };
    for (const _ of ["first", "again"])
      await ledger.pay("call-1", "request", { text: "", model: "m", usage, costUsd: 0.25 }, account);
    expect(await readModelCalls(own.redis, name(), "step-1")).toMatchObject([
      { calls: 1, inputTokens: 7, outputTokens: 5, costUsd: 0.25 },
    ]);
  });

  test("are not what somebody else wrote there", async () => {
    await own.redis.hset(key("step-1"), "no JSON", "1 1 1 1", '["m","p"]', "1 1 1 1", '["m","p","q"]', "much");
    expect(await readModelCalls(own.redis, name(), "step-1")).toEqual([]);
  });

  test("are at most 50 kinds, the dearest first, the others as one", async () => {
    const kinds = Array.from({ length: 60 }, (_, i) => [`["m","p","${i}"]`, `1 ${i} 2 3`]);
    await own.redis.hset(key("step-1"), ...kinds.flat());
    const calls = await readModelCalls(own.redis, name(), "step-1");
    expect([calls.length, calls[0]?.prompt, calls.at(-2)?.prompt]).toEqual([50, "59", "11"]);
    const costUsd = expect.closeTo(((10 * 11) / 2) * 1e-9, 12);
    expect(calls.at(-1)).toMatchObject({ model: "(others)", calls: 11, inputTokens: 22, outputTokens: 33, costUsd });
  });
});

describe("a call that may have been billed stays reserved", () => {
  test.each<[string, FakeAnswer]>([
    ["no answer in time", "never"],
    ["half an answer", "stall"],
    ["a connection that breaks", "hang-up"],
    ["what is no completion", { body: "{}" }],
    ["408, a gateway that waited in vain", { status: 408, headers: { "retry-after": "0" } }],
    ["502, a gateway that lost the provider", { status: 502, headers: { "retry-after": "0" } }],
    ["504, a gateway that waited in vain", { status: 504, headers: { "retry-after": "0" } }],
  ])("%s", async (_what, bad) => {
    provider.answer((_request, before) => (before === 0 ? bad : GOOD));
    await model({ timeoutMs: 1000 }).ask(question, spender());
    expect(provider.requests).toHaveLength(2);
    expect(await books()).toEqual({ spent: GOOD_NANO, reserved: [expect.any(Number)] });
  });

  test("a step that is stopped in the middle of it", async () => {
    provider.answer("never");
    const stop = new AbortController();
    const end = reasonOf(model().ask(question, spender({ signal: stop.signal })));
    await expect.poll(() => provider.requests.length).toBe(1);
    stop.abort(new RetryableError("Draining", "going away"));
    expect(await end).toBe("Draining");
    expect((await books()).reserved).toHaveLength(1);
  });

  test("until it leaves no room for another", async () => {
    provider.answer("never");
    const asked = model({ timeoutMs: 100 }).ask(question, spender({ budgetUsd: "0.00016" }));
    // Two worst cases fit into the budget. The third attempt waits for them, and gives up.
    expect(await reasonOf(asked)).toMatch(/BudgetReserved|BudgetExceeded/);
    expect(provider.requests).toHaveLength(2);
  });

  test.each<[string, FakeAnswer]>([
    ["400", { status: 400 }],
    ["429", { status: 429, headers: { "retry-after": "0" } }],
    ["500", { status: 500, headers: { "retry-after": "0" } }],
    ["503", { status: 503, headers: { "retry-after": "0" } }],
  ])("not one that was answered with %s", async (_what, bad) => {
    provider.answer(bad);
    await reasonOf(model().ask(question, spender()));
    expect(await books()).toEqual({ spent: 0, reserved: [] });
  });

  test("not one that nobody took", async () => {
    const nobody = model({ baseUrl: `http://127.0.0.1:${await freePort()}/v1` });
    expect(await reasonOf(nobody.ask(question, spender()))).toBe("ModelUnavailable");
    expect(await books()).toEqual({ spent: 0, reserved: [] });
  });
});

describe("a process that dies", () => {
  test("between the answer and its booking leaves its reservation, and who asks again has one of its own", async () => {
    const dying = await connectRedis(own.server.url);
    provider.answer(async (_request, before) => {
      if (before === 0) dying.disconnect();
      return GOOD;
    });
    void reasonOf(model({ redis: dying }).ask(question, spender({ deadline: new Date() })));
    await expect.poll(() => provider.requests.length).toBe(1);
    await model().ask(question, spender());
    expect(provider.requests).toHaveLength(2);
    expect(await books()).toEqual({ spent: GOOD_NANO, reserved: [expect.any(Number)] });
  });

  test("leaves no room that a reservation took, however long ago", async () => {
    await own.redis.hset(`agentic:spent:{default.uid-${ledgers}}`, "dead", "999999000 1000");
    expect(await reasonOf(model().ask(question, spender()))).toBe("BudgetExceeded");
    expect(provider.requests).toHaveLength(0);
  });
});

test("two that ask the same at once, after an asking lease was lost, are both reserved and both booked", async () => {
  let letGo = (): void => undefined;
  const held = new Promise<void>((done) => {
    letGo = done;
  });
  provider.answer(async () => {
    await held;
    return GOOD;
  });
  const one = model().ask(question, spender());
  await expect.poll(() => provider.requests.length).toBe(1);
  await loseAskingLease();
  const two = model().ask(question, spender());
  await expect.poll(() => provider.requests.length).toBe(2);
  expect((await books()).reserved).toHaveLength(2);
  letGo();
  await Promise.all([one, two]);
  expect(await books()).toEqual({ spent: 2 * GOOD_NANO, reserved: [] });
});

test("who lost the asking lease makes no further call: the answer of another process is taken", async () => {
  provider.answer(async (_request, before) => {
    if (before > 0) return GOOD;
    await loseAskingLease();
    await model().ask(question, spender());
    // The lease is renewed every other second.
    await new Promise((done) => setTimeout(done, 2500));
    return { status: 500, headers: { "retry-after": "0" } };
  });
  expect((await model().ask(question, spender())).answer).toEqual({ claim: "the best" });
  expect(provider.requests).toHaveLength(2);
  expect(await books()).toEqual({ spent: GOOD_NANO, reserved: [] });
});

test("a reservation is in flight for as long as its call may take", async () => {
  provider.answer("never");
  const stop = new AbortController();
  const end = reasonOf(model({ timeoutMs: 1_000_000 }).ask(question, spender({ signal: stop.signal })));
  await expect.poll(() => provider.requests.length).toBe(1);
  const { spent: _, ...reserved } = await own.redis.hgetall(`agentic:spent:{default.uid-${ledgers}}`);
  const until = Number(Object.values(reserved)[0]?.split(" ")[1]);
  expect(until).toBeGreaterThan(Date.now() + 900_000);
  stop.abort(new RetryableError("Draining", "going away"));
  await end;
});

describe("a booking", () => {
  test("that Redis does not take is tried again until it does", async () => {
    const lone = await startRedis();
    const redis = await connectRedis(lone.url);
    provider.answer(async () => {
      await lone.kill();
      setTimeout(() => void lone.restart(), 3000);
      return GOOD;
    });
    expect((await model({ redis }).ask(question, spender())).answer).toEqual({ claim: "the best" });
    expect(provider.requests).toHaveLength(1);
    expect(await books(redis)).toEqual({ spent: GOOD_NANO, reserved: [] });
    redis.disconnect();
    await lone.stop();
  });

  test("goes on after its step was stopped, until the deadline", async () => {
    const lone = await startRedis();
    const redis = await connectRedis(lone.url);
    const stop = new AbortController();
    provider.answer(async () => {
      await lone.kill();
      setTimeout(() => stop.abort(new RetryableError("LeaseLost", "Redis was away for too long")), 500);
      return GOOD;
    });
    expect(await reasonOf(model({ redis }).ask(question, spender({ signal: stop.signal })))).toBe("LeaseLost");
    await lone.restart();
    await expect.poll(() => books(redis), { timeout: 20_000 }).toEqual({ spent: GOOD_NANO, reserved: [] });
    redis.disconnect();
    await lone.stop();
  });

  test("leaves the reservation where the deadline passes first", async () => {
    const lone = await startRedis();
    const redis = await connectRedis(lone.url);
    provider.answer(async () => {
      await lone.kill();
      return GOOD;
    });
    const asked = model({ redis }).ask(question, spender({ deadline: new Date(Date.now() + 1500) }));
    expect(await reasonOf(asked)).toBe("StoreUnavailable");
    await lone.restart();
    expect(await books(redis)).toEqual({ spent: 0, reserved: [expect.any(Number)] });
    redis.disconnect();
    await lone.stop();
  });

  test.each(["reservation", "booking"])("and a %s count once when Redis's answer is lost", async (what) => {
    const relay = await startRedisRelay(own.server.socket);
    const redis = await connectRedis(relay.url);
    let looks = 0;
    // The answer is looked for once more under the asking lease; the next command reserves.
    const watched = new Proxy(redis, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (name !== "get") return typeof value === "function" ? value.bind(target) : value;
        return async (key: string) => {
          const found = await redis.get(key);
          if (++looks === 2 && what === "reservation") relay.loseNextAnswer();
          return found;
        };
      },
    });
    provider.answer(async () => {
      if (what === "booking") relay.loseNextAnswer();
      return GOOD;
    });
    await model({ redis: watched }).ask(question, spender());
    expect(looks).toBe(2);
    expect(await books()).toEqual({ spent: GOOD_NANO, reserved: [] });
    redis.disconnect();
    await relay.close();
  });
});

describe("what reconcile reads of a ledger", () => {
  const name = () => `default.uid-${ledgers}`;
  const read = (now = new Date()) => readSpent(own.redis, name(), now);

  test("is what is booked and what may have been billed, and apart from it what is in flight", async () => {
    const ledger = openLedger(own.redis, { name: name(), spentUsd: 0.5 });
    expect(await read()).toEqual({ spentUsd: 0, inFlightUsd: 0 });
    await ledger.reserve({ id: "a", worstUsd: 0.2, callMs: 60_000 }, 1);
    await ledger.reserve({ id: "b", worstUsd: 0.1, callMs: 60_000 }, 1);
    expect(await read()).toEqual({ spentUsd: 0.5, inFlightUsd: 0.3 });
    await ledger.release("a");
    expect(await read()).toEqual({ spentUsd: 0.5, inFlightUsd: 0.1 });
    expect(await read(new Date(Date.now() + 80_000))).toEqual({ spentUsd: 0.6, inFlightUsd: 0 });
  });

  test.each([
    ["spent", "-5"],
    ["spent", "many"],
    ["a", "5"],
    ["a", "1 2 3"],
    ["a", "-5 1"],
  ])("is refused where an agent has written %s: %s", async (field, value) => {
    await own.redis.hset(`agentic:spent:{${name()}}`, field, value);
    await expect(read()).rejects.toMatchObject({ reason: "LedgerInvalid" });
  });
});

describe("a ledger that Redis lost", () => {
  test("starts from what the workload's status says was spent", async () => {
    provider.answer(GOOD);
    await model().ask(question, spender({ spentUsd: 0.5 }));
    expect((await books()).spent).toBe(500_000_000 + GOOD_NANO);
    await own.redis.flushall();
    expect(await reasonOf(model().ask(question, spender({ spentUsd: 0.99999 })))).toBe("BudgetExceeded");
  });

  test("in the middle of a call has its answer and what was spent before", async () => {
    provider.answer(async () => {
      await own.redis.flushall();
      return GOOD;
    });
    await model().ask(question, spender({ spentUsd: 0.5 }));
    expect(await books()).toEqual({ spent: 500_000_000 + GOOD_NANO, reserved: [] });
  });

  test("a status that lags behind changes nothing of a ledger that is there", async () => {
    provider.answer(GOOD);
    await model().ask(question, spender());
    await model().ask({ ...question, data: "2" }, spender({ spentUsd: 0.9 }));
    expect((await books()).spent).toBe(2 * GOOD_NANO);
  });
});

test("a larger budget goes on where the smaller one stopped", async () => {
  provider.answer(GOOD);
  const small = spender({ budgetUsd: "0.00012" });
  await model().ask(question, small);
  expect(await reasonOf(model().ask({ ...question, data: "2" }, small))).toBe("BudgetExceeded");
  await model().ask({ ...question, data: "2" }, spender({ budgetUsd: "0.0003" }));
  expect((await books()).spent).toBe(2 * GOOD_NANO);
});
