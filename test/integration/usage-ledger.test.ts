import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ledgerName } from "../../engine/identity.ts";
import { readSpent, readUse } from "../../lib/model/ledger.ts";
import type { Spender } from "../../lib/model/model.ts";
import { countTokens } from "../../lib/model/tokens.ts";
import { type UsageRecord, usageRecord } from "../../lib/usage/record.ts";
import { totalOf } from "../../lib/usage/total.ts";
import { type FakeOpenAi, startFakeOpenAi } from "../fakes/openai.ts";
import { modelBehind, QUESTION } from "./model-fixture.ts";
import { redisForFile } from "./redis.ts";

// What the records of a workload say, what its ledger in Redis says, and what the provider's own log says.

const own = redisForFile();
const WORKLOAD = { namespace: "team-a", name: "demo", uid: "uid-usage" };
let provider: FakeOpenAi;
beforeAll(async () => {
  provider = await startFakeOpenAi();
  await countTokens("");
});
afterAll(async () => {
  await provider?.close();
});

/** The provider's log of the calls that it answered, in billionths of a dollar. */
let log: { input: number; cached: number; output: number; nanoUsd: number }[] = [];
beforeEach(() => {
  log = [];
  provider.reset();
  provider.answer((_request, before) => {
    const [input, cached, output] = [100 + 7 * before, 3 * before, 10 + before];
    // gpt-6-luna: $0.10 in, $0.01 cached, $0.50 out a million.
    log.push({ input, cached, output, nanoUsd: (input - cached) * 100 + cached * 10 + output * 500 });
    return { content: { claim: "x" }, usage: { input, cached, output } };
  });
});

const spender = (over: Partial<Spender> = {}): Spender => ({
  workload: WORKLOAD,
  spentUsd: 0,
  budgetUsd: "1",
  deadline: new Date(Date.now() + 60_000),
  signal: AbortSignal.timeout(60_000),
  ...over,
});
const ask = (data: string, over: Partial<Spender> = {}) =>
  modelBehind(provider, own.redis).ask({ ...QUESTION, data }, spender({ step: `step-${data}`, ...over }));

async function recorded(part: string, earlier: readonly UsageRecord[]): Promise<UsageRecord> {
  const facts = {
    namespace: WORKLOAD.namespace,
    workload: WORKLOAD.name,
    uid: WORKLOAD.uid,
    part,
    run: "r1",
    pipeline: "",
    ended: "ended" as const,
    month: "2026-11",
    recordedAt: "2026-11-30T23:00:00.000Z",
    items: 1,
  };
  return usageRecord(facts, { ledger: await readUse(own.redis, ledgerName(WORKLOAD)), results: [] }, earlier);
}

test("differ by nothing: two runs, answers that were paid before, a process killed in mid-call, records made again", async () => {
  await Promise.all(["a", "b", "c"].map((data) => ask(data)));
  const first = await recorded("run-r1-1", []);
  // Asked again, an answer that is paid costs nothing.
  await ask("a");
  await ask("d");
  // The process dies with its call on the wire: the provider never answers it.
  const killed = new AbortController();
  const answered = log.length;
  provider.answer("never");
  const dying = ask("e", { signal: killed.signal }).catch(() => undefined);
  for (let tries = 0; tries < 100 && provider.requests.length === answered; tries++) await sleep(20);
  killed.abort();
  await dying;
  const second = await recorded("run-r2-1", [first]);
  const again = await recorded("run-r3-1", [first, second]);
  const total = totalOf([first, second, again]);
  const sum = (of: (one: (typeof log)[number]) => number): number => log.reduce((all, one) => all + of(one), 0);
  expect(log).toHaveLength(4);
  expect(total).toMatchObject({
    calls: 4,
    inputTokens: sum(({ input }) => input),
    cachedInputTokens: sum(({ cached }) => cached),
    outputTokens: sum(({ output }) => output),
  });
  expect(Math.round(total.usd * 1e9) - sum(({ nanoUsd }) => nanoUsd)).toBe(0);
  const { spentUsd, inFlightUsd } = await readSpent(own.redis, ledgerName(WORKLOAD), new Date());
  expect(Math.round((total.usd + total.unsettledUsd - spentUsd - inFlightUsd) * 1e9)).toBe(0);
  expect([total.unsettledUsd > 0, again.models]).toEqual([true, []]);
});

test("what somebody else wrote into the ledger is left out", async () => {
  const name = "team-a.uid-hostile";
  await own.redis.hset(`agentic:paid:{${name}}`, "a", "many", "b", "1 2 3 4", "c", "1 2 3 4 -5", "d", "1 2 3 4 5");
  await own.redis.hset(`agentic:spent:{${name}}`, "spent", "9", "x", "much", "y", "7 1");
  expect(await readUse(own.redis, name)).toEqual({
    models: [{ model: "d", calls: 1, nanoUsd: 2, inputTokens: 3, cachedInputTokens: 4, outputTokens: 5 }],
    unsettledNanoUsd: 7,
  });
});
