import type { Redis } from "ioredis";
import { z } from "zod";
import { storeErrors } from "../edges/redis.ts";
import { TerminalError } from "../errors.ts";

/** A provider's answer as it was paid for. */
const paidAnswerSchema = z.strictObject({
  text: z.string(),
  /** Set when the model refused. */
  refusal: z.string().optional(),
  /** The model that answered. */
  model: z.string(),
  usage: z.strictObject({
    inputTokens: z.int().min(0),
    cachedInputTokens: z.int().min(0),
    cacheWriteTokens: z.int().min(0),
    outputTokens: z.int().min(0),
    reasoningTokens: z.int().min(0),
  }),
  costUsd: z.number().min(0),
});
export type PaidAnswer = z.infer<typeof paidAnswerSchema>;

/** What a workload spent on models, what it has reserved, and the answers it paid for. */
export interface Ledger {
  /** Key of the lease on putting this request to the provider. */
  askingKey(request: string): string;
  answer(request: string): Promise<PaidAnswer | undefined>;
  /**
   * Reserves the worst cost of a request. A second reservation for the same request replaces the first.
   * "busy": the request would fit once other requests have settled.
   */
  reserve(request: string, worstUsd: number, ceilingUsd: number): Promise<"reserved" | "busy" | "exceeded">;
  /** Stores the answer, adds its cost and drops the reservation, all or nothing. */
  pay(request: string, paid: PaidAnswer): Promise<void>;
  release(request: string): Promise<void>;
  /** Deletes answers. Their cost stays spent. */
  forget(requests: readonly string[]): Promise<void>;
  spentUsd(): Promise<number>;
}

/** Longer than any call with its retries. After it, the reservation of a killed process is free again. */
const RESERVATION_MS = 5 * 60_000;
const KEEP_MS = 30 * 24 * 3_600_000;
/** Redis counts integers: billionths of a dollar. */
const NANO = 1_000_000_000;

// KEYS: ledger. ARGV: request, worst cost, ceiling, lifetime of the reservation, lifetime of the ledger.
const RESERVE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local spent, reserved = 0, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if fields[i] == 'spent' then
    spent = tonumber(fields[i + 1])
  elseif fields[i] ~= ARGV[1] then
    local amount, expires = string.match(fields[i + 1], '^(%d+) (%d+)$')
    if tonumber(expires) <= now then redis.call('HDEL', KEYS[1], fields[i])
    else reserved = reserved + tonumber(amount) end
  end
end
local worst, ceiling = tonumber(ARGV[2]), tonumber(ARGV[3])
if spent + worst > ceiling then return 'exceeded' end
if spent + reserved + worst > ceiling then return 'busy' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. string.format('%.0f', now + ARGV[4]))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'reserved'
`;

/** `name`: the workload's uid. All keys of one ledger share a slot of a Redis Cluster. */
export function openLedger(redis: Redis, name: string): Ledger {
  const ledger = `agentic:spent:{${name}}`;
  const answerKey = (request: string): string => `agentic:answer:{${name}}:${request}`;
  return {
    askingKey: (request) => `agentic:asking:{${name}}:${request}`,
    async answer(request) {
      const stored = await storeErrors(redis.get(answerKey(request)));
      return stored === null ? undefined : paidAnswerSchema.parse(JSON.parse(stored));
    },
    async reserve(request, worstUsd, ceilingUsd) {
      const [worst, ceiling] = [Math.ceil(worstUsd * NANO), Math.floor(ceilingUsd * NANO)];
      const verdict = await storeErrors(
        redis.eval(RESERVE, 1, ledger, request, worst, ceiling, RESERVATION_MS, KEEP_MS),
      );
      if (verdict === "reserved" || verdict === "busy" || verdict === "exceeded") return verdict;
      throw new TypeError(`the reservation script returned ${String(verdict)}`);
    },
    async pay(request, paid) {
      const written = await storeErrors(
        redis
          .multi()
          .set(answerKey(request), JSON.stringify(paid), "PX", KEEP_MS)
          .hincrby(ledger, "spent", Math.ceil(paid.costUsd * NANO))
          .hdel(ledger, request)
          .pexpire(ledger, KEEP_MS)
          .exec(),
      );
      const failed = written?.find(([error]) => error)?.[0];
      if (failed || !written) await storeErrors(Promise.reject(failed ?? new Error("the transaction was dropped")));
    },
    async release(request) {
      await storeErrors(redis.hdel(ledger, request));
    },
    async forget(requests) {
      await storeErrors(redis.unlink(requests.map(answerKey)));
    },
    async spentUsd() {
      return Number((await storeErrors(redis.hget(ledger, "spent"))) ?? 0) / NANO;
    },
  };
}

/** @throws TerminalError InvalidInput */
export function parseUsd(budgetUsd: string): number {
  if (!/^\d+(\.\d+)?$/.test(budgetUsd))
    throw new TerminalError(
      "InvalidInput",
      `the budget ${JSON.stringify(budgetUsd)} is not a decimal number of dollars such as "0.50"`,
    );
  return Number(budgetUsd);
}
