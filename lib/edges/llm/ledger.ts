import type { Redis } from "ioredis";
import { z } from "zod";
import { TerminalError } from "../../errors.ts";
import { storeErrors } from "../redis.ts";

/** A provider's answer as it was paid for. */
const paidSchema = z.strictObject({
  text: z.string(),
  /** Set when the model refused. */
  refusal: z.string().optional(),
  /** The model that answered. */
  model: z.string(),
  inputTokens: z.int().min(0),
  outputTokens: z.int().min(0),
  costUsd: z.number().min(0),
});
export type Paid = z.infer<typeof paidSchema>;

/** What a run spent on models, what it has reserved, and the answers it paid for. */
export interface Ledger {
  /** Keys of the lease on putting this request (lib/durable/lease.ts). */
  asking(request: string): { readonly lease: string; readonly fence: string };
  answer(request: string): Promise<Paid | undefined>;
  /**
   * Sets the worst cost of a request aside. Asked again for the same request it replaces its own reservation.
   * "busy": it would fit once other requests have settled.
   */
  reserve(request: string, worstUsd: number, ceilingUsd: number): Promise<"reserved" | "busy" | "exceeded">;
  /** Stores the answer, adds its cost and drops the reservation, all or nothing. */
  pay(request: string, paid: Paid): Promise<void>;
  release(request: string): Promise<void>;
  /** Drops answers that are of no use; what they cost stays spent. */
  forget(requests: readonly string[]): Promise<void>;
  spentUsd(): Promise<number>;
}

/** Longer than any call with its retries: what a killed process had reserved is free again after it. */
const RESERVATION_MS = 5 * 60_000;
const KEEP_MS = 30 * 24 * 3_600_000;
/** Redis counts whole numbers: billionths of a dollar. */
const NANO = 1_000_000_000;

// KEYS: ledger. ARGV: request, worst, ceiling, reservation's life, ledger's life.
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

/** Keys of one run share a slot of a Redis Cluster. */
export function openLedger(redis: Redis, run: string): Ledger {
  const ledger = `agentic:spent:{${run}}`;
  const answerKey = (request: string): string => `agentic:answer:{${run}}:${request}`;
  const fence = `agentic:asking:{${run}}`;
  return {
    asking: (request) => ({ lease: `${fence}:${request}`, fence }),
    async answer(request) {
      const stored = await storeErrors(redis.get(answerKey(request)));
      return stored === null ? undefined : paidSchema.parse(JSON.parse(stored));
    },
    async reserve(request, worstUsd, ceilingUsd) {
      const [worst, ceiling] = [Math.ceil(worstUsd * NANO), Math.floor(ceilingUsd * NANO)];
      const verdict = await storeErrors(
        redis.eval(RESERVE, 1, ledger, request, worst, ceiling, RESERVATION_MS, KEEP_MS),
      );
      if (verdict === "reserved" || verdict === "busy" || verdict === "exceeded") return verdict;
      throw new TypeError(`the budget's script answered ${String(verdict)}`);
    },
    async pay(request, paid) {
      const written = await storeErrors(
        redis
          .multi()
          .set(answerKey(request), JSON.stringify(paid), "PX", KEEP_MS)
          .hincrby(ledger, "spent", Math.ceil(paid.costUsd * NANO))
          .hdel(ledger, request)
          .pexpire(ledger, KEEP_MS)
          .pexpire(fence, KEEP_MS)
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
    throw new TerminalError("InvalidInput", `the budget ${JSON.stringify(budgetUsd)} is no decimal number of dollars`);
  return Number(budgetUsd);
}
