import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeAnswer, type FakeOpenAi, startFakeOpenAi } from "../fakes/openai.ts";
import { modelBehind, QUESTION } from "./model-fixture.ts";
import { redisForFile } from "./redis.ts";

const own = redisForFile();
let provider: FakeOpenAi;
let runs = 0;

beforeAll(async () => {
  provider = await startFakeOpenAi();
});
afterAll(async () => {
  await provider?.close();
});

/** Billionths of a dollar: the most that one call here can cost, by the price table. */
const WORST_NANO = 68_250;

/** What a call costs, and what of it is heard. */
interface Call {
  readonly input: number;
  readonly output: number;
  readonly end: "answer" | "garbage" | "500, not billed" | "504, billed" | "hang-up, billed" | "never, billed";
}
/** A process that asks one question, and where it dies: at one of its commands to Redis, which is done or not. */
interface Asker {
  readonly question: number;
  readonly startsAfterMs: number;
  /** Milliseconds before its commands, in turn. */
  readonly delays: readonly number[];
  readonly death: { readonly command: number; readonly isDone: boolean } | undefined;
}
interface Chaos {
  /** Worst cases that fit into the budget. */
  readonly budget: number;
  readonly askers: readonly Asker[];
  /** The provider's calls, in turn. */
  readonly calls: readonly Call[];
}

const callOf = (ends: readonly Call["end"][]): fc.Arbitrary<Call> =>
  fc.record({
    input: fc.integer({ min: 1, max: 140 }),
    output: fc.integer({ min: 1, max: 100 }),
    end: fc.constantFrom(...ends),
  });
const chaosOf = (ends: readonly Call["end"][], death: fc.Arbitrary<Asker["death"]>): fc.Arbitrary<Chaos> =>
  fc.record({
    budget: fc.double({ min: 0.5, max: 8, noNaN: true }),
    askers: fc.array(
      fc.record({
        question: fc.integer({ min: 0, max: 3 }),
        startsAfterMs: fc.integer({ min: 0, max: 300 }),
        delays: fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 6 }),
        death,
      }),
      { minLength: 2, maxLength: 8 },
    ),
    calls: fc.array(callOf(ends), { minLength: 1, maxLength: 8 }),
  });

/** The connection of a process that may die. `dead` is called once, and no command returns from then on. */
function connectionOf({ delays, death }: Asker, dead: () => void): Redis {
  const never = new Promise<never>(() => undefined);
  let commands = 0;
  return new Proxy(own.redis, {
    get(redis, name) {
      const value = Reflect.get(redis, name, redis);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        const command = commands++;
        if (death && command > death.command) return never;
        await sleep(delays[command % delays.length]);
        if (command !== death?.command) return value.apply(redis, args);
        // A script that Redis does not know yet is refused: the process dies all the same.
        if (death.isDone) await value.apply(redis, args).catch(() => undefined);
        dead();
        return never;
      };
    },
  });
}

/** Billionths of a dollar, and the reasons for which askers got no answer. */
interface After {
  readonly ceiling: number;
  readonly paid: number;
  readonly spent: number;
  readonly reserved: number;
  readonly answers: number;
  readonly ends: readonly string[];
}

async function live({ budget, askers, calls }: Chaos, { patienceMs }: { readonly patienceMs: number }): Promise<After> {
  const ledger = `chaos-${++runs}`;
  const ceiling = Math.floor(budget * WORST_NANO);
  let [paid, answers] = [0, 0];
  provider.reset();
  provider.answer((_request, before): FakeAnswer => {
    const { input, output, end } = calls[before % calls.length] as Call;
    if (end === "500, not billed") return { status: 500, headers: { "retry-after": "0" } };
    paid += input * 100 + output * 500;
    if (end === "504, billed") return { status: 504, headers: { "retry-after": "0" } };
    if (end === "hang-up, billed") return "hang-up";
    if (end === "never, billed") return "never";
    if (end === "answer") answers++;
    return { content: end === "answer" ? { claim: "x" } : "garbage", usage: { input, output } };
  });
  const ends = await Promise.all(
    askers.map(async (asker) => {
      await sleep(asker.startsAfterMs);
      const died = Promise.withResolvers<string>();
      const redis = connectionOf(asker, () => {
        // Its asking lease, if it has it, ends at once instead of in some seconds.
        void own.redis.keys(`agentic:asking:{default.${ledger}}:*`).then((keys) => own.redis.del("none", ...keys));
        died.resolve("died");
      });
      const asked = modelBehind(provider, redis, { timeoutMs: patienceMs / 5 }).ask(
        { ...QUESTION, data: `${QUESTION.data} ${asker.question}` },
        {
          workload: { namespace: "default", uid: ledger },
          spentUsd: 0,
          budgetUsd: (ceiling / 1e9).toFixed(9),
          deadline: new Date(Date.now() + patienceMs),
          signal: AbortSignal.timeout(patienceMs),
        },
      );
      const end = asked.then(
        () => "answered",
        (error: { reason?: string; name: string }) => error.reason ?? error.name,
      );
      return Promise.race([end, died.promise]);
    }),
  );
  const { spent = "0", ...reservations } = await own.redis.hgetall(`agentic:spent:{default.${ledger}}`);
  const reserved = Object.values(reservations).reduce((sum, one) => sum + Number(one.split(" ")[0]), 0);
  return { ceiling, paid, spent: Number(spent), reserved, answers, ends };
}

/** What CI runs is what a developer sees; SEED draws others. */
const SEEDED = { seed: Number(process.env["SEED"] ?? 1) };
const MICRO_DOLLAR_NANO = 1_000;

test("whoever dies wherever: no more is paid than the ceiling, and than what the ledger counts", async () => {
  const somewhere = fc.option(fc.record({ command: fc.integer({ min: 0, max: 8 }), isDone: fc.boolean() }), {
    nil: undefined,
  });
  const ends = [
    "answer",
    "answer",
    "garbage",
    "500, not billed",
    "504, billed",
    "hang-up, billed",
    "never, billed",
  ] as const;
  await fc.assert(
    fc.asyncProperty(chaosOf(ends, somewhere), async (chaos) => {
      const { ceiling, paid, spent, reserved } = await live(chaos, { patienceMs: 1500 });
      expect(paid).toBeLessThanOrEqual(ceiling);
      expect(paid).toBeLessThanOrEqual(spent + reserved);
      if (reserved === 0) expect(Math.abs(spent - paid)).toBeLessThan(MICRO_DOLLAR_NANO);
    }),
    { ...SEEDED, numRuns: 15, interruptAfterTimeLimit: 60_000, endOnFailure: true },
  );
});

test("where nobody dies, what is booked is what was paid, and a question is paid for once", async () => {
  const nowhere = fc.constant(undefined);
  await fc.assert(
    fc.asyncProperty(chaosOf(["answer"], nowhere), async (chaos) => {
      const { ceiling, paid, spent, reserved, answers, ends } = await live(chaos, { patienceMs: 60_000 });
      expect(ends.filter((end) => end !== "answered" && end !== "BudgetExceeded")).toEqual([]);
      expect(paid).toBeLessThanOrEqual(ceiling);
      expect(reserved).toBe(0);
      expect(Math.abs(spent - paid)).toBeLessThan(MICRO_DOLLAR_NANO);
      expect(answers).toBeLessThanOrEqual(new Set(chaos.askers.map(({ question }) => question)).size);
    }),
    { ...SEEDED, numRuns: 20, interruptAfterTimeLimit: 60_000, endOnFailure: true },
  );
});
