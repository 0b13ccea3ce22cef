import type { Redis } from "ioredis";
import { z } from "zod";
import { MAX_MODEL_CALLS, type ModelCalls } from "../../engine/result.ts";
import { runScript } from "../durable/run-script.ts";
import { storeErrors } from "../edges/redis.ts";
import { TerminalError } from "../errors.ts";
import { parseJson } from "../parse-json.ts";

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

/** What a call is booked under beside the workload: the step (its identity) that asks, for what, by which instructions (their sha256). */
export interface Account {
  readonly step: string;
  readonly purpose: string;
  readonly prompt: string;
}

/** One call to a provider, under its own id: what it may cost, and later what it did cost. */
export interface Reservation {
  /** A random id of this one call. A script that ioredis sends again under it counts once. */
  readonly id: string;
  readonly worstUsd: number;
  /** How long the call may take, in milliseconds. After it the reservation counts as spent. */
  readonly callMs: number;
}

export interface Verdict {
  /** "busy": the call would fit once others have settled. */
  readonly verdict: "reserved" | "busy" | "exceeded";
  /** US dollars that are spent, or may be: reservations whose call must have ended count whole. */
  readonly spentUsd: number;
}

/**
 * What a workload spent on models, what it has reserved, and the answers it paid for. A reservation ends when its call is settled, and
 * never by itself: whoever died before that may have been billed.
 */
export interface Ledger {
  /** Key of the lease on putting this request to the provider. */
  askingKey(request: string): string;
  answer(request: string): Promise<PaidAnswer | undefined>;
  /** Without a ceiling it always fits. */
  reserve(reservation: Reservation, ceilingUsd: number | undefined): Promise<Verdict>;
  /** Stores the answer, adds its cost, to the step's account, too, and drops the reservation, all or nothing. */
  pay(id: string, request: string, paid: PaidAnswer, account?: Account): Promise<void>;
  /** Drops the reservation of a call that cost nothing. */
  release(id: string): Promise<void>;
  /** Deletes answers. Their cost stays spent. */
  forget(requests: readonly string[]): Promise<void>;
}

export interface LedgerOptions {
  /** engine/identity.ts ledgerName of the workload. */
  readonly name: string;
  /** US dollars that are known to be spent from elsewhere: what a ledger that Redis lost starts from. */
  readonly spentUsd: number;
}

/** The clocks of Redis and of who calls drift, and a booking takes its time. */
const SETTLING_MS = 10_000;
const KEEP_MS = 30 * 24 * 3_600_000;
/** Redis counts integers: billionths of a dollar. */
const NANO = 1_000_000_000;

// KEYS: ledger, ids of settled calls. ARGV: id, spent elsewhere, worst cost, ceiling or '', milliseconds of the call, of the ledger.
const RESERVE = `
redis.call('HSETNX', KEYS[1], 'spent', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local spent, reserved = 0, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if fields[i] == 'spent' then
    spent = spent + tonumber(fields[i + 1])
  elseif fields[i] ~= ARGV[1] then
    local amount, ends = string.match(fields[i + 1], '^(%d+) (%d+)$')
    if tonumber(ends) <= now then spent = spent + tonumber(amount) else reserved = reserved + tonumber(amount) end
  end
end
local function verdict(word) return { word, string.format('%.0f', spent) } end
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return verdict('reserved') end
local worst, ceiling = tonumber(ARGV[3]), tonumber(ARGV[4])
if ceiling and spent + worst > ceiling then return verdict('exceeded') end
if ceiling and spent + reserved + worst > ceiling then return verdict('busy') end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3] .. ' ' .. string.format('%.0f', now + ARGV[5]))
return verdict('reserved')
`;

/**
 * KEYS: ledger, ids of settled calls, answer, what the step paid, what models were paid. ARGV: id, spent elsewhere, cost, answer or '',
 * milliseconds to keep all five, which calls of the step or '', input and output tokens, model or '', cached input tokens.
 */
const SETTLE = `
if redis.call('SADD', KEYS[2], ARGV[1]) == 0 then return end
redis.call('HSETNX', KEYS[1], 'spent', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'spent', ARGV[3])
redis.call('HDEL', KEYS[1], ARGV[1])
if ARGV[4] ~= '' then redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5]) end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if ARGV[6] ~= '' then
  local paid = redis.call('HGET', KEYS[4], ARGV[6]) or '0 0 0 0'
  local calls, cost, input, output = string.match(paid, '^(%d+) (%d+) (%d+) (%d+)$')
  local sum = { calls + 1, cost + ARGV[3], input + ARGV[7], output + ARGV[8] }
  redis.call('HSET', KEYS[4], ARGV[6], string.format('%.0f %.0f %.0f %.0f', unpack(sum)))
  redis.call('PEXPIRE', KEYS[4], ARGV[5])
end
if ARGV[9] ~= '' then
  local paid = redis.call('HGET', KEYS[5], ARGV[9]) or '0 0 0 0 0'
  local calls, cost, input, cached, output = string.match(paid, '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
  local sum = { calls + 1, cost + ARGV[3], input + ARGV[7], cached + ARGV[10], output + ARGV[8] }
  redis.call('HSET', KEYS[5], ARGV[9], string.format('%.0f %.0f %.0f %.0f %.0f', unpack(sum)))
  redis.call('PEXPIRE', KEYS[5], ARGV[5])
end
`;

const verdictSchema = z.tuple([z.coerce.string().pipe(z.enum(["reserved", "busy", "exceeded"])), z.coerce.number()]);

const ledgerKey = (name: string): string => `agentic:spent:{${name}}`;
const paidKey = (name: string, step: string): string => `agentic:paid:{${name}}:${step}`;
/** No step's: tenants' logins reach what begins so (lib/edges/tenant-login/redis.ts). */
const modelsKey = (name: string): string => `agentic:paid:{${name}}`;

/** All keys of one ledger share a slot of a Redis Cluster. */
export function openLedger(redis: Redis, { name, spentUsd }: LedgerOptions): Ledger {
  const ledger = ledgerKey(name);
  const settled = `agentic:settled:{${name}}`;
  const answerKey = (request: string): string => `agentic:answer:{${name}}:${request}`;
  const spentElsewhere = nano(spentUsd);
  const settle = async (id: string, request: string, paid?: PaidAnswer, account?: Account): Promise<void> => {
    const { inputTokens = 0, cachedInputTokens = 0, outputTokens = 0 } = paid?.usage ?? {};
    const kind = paid && account ? JSON.stringify([paid.model, account.purpose, account.prompt]) : "";
    const args = [id, spentElsewhere, nano(paid?.costUsd ?? 0), paid ? JSON.stringify(paid) : "", String(KEEP_MS)];
    const keys = [ledger, settled, answerKey(request), paidKey(name, account?.step ?? ""), modelsKey(name)];
    const tokens = [String(inputTokens), String(outputTokens), paid?.model ?? "", String(cachedInputTokens)];
    await runScript(redis, SETTLE, keys, [...args, kind, ...tokens]);
  };
  return {
    askingKey: (request) => `agentic:asking:{${name}}:${request}`,
    async answer(request) {
      const stored = await storeErrors(redis.get(answerKey(request)));
      return stored === null ? undefined : paidAnswerSchema.parse(JSON.parse(stored));
    },
    async reserve({ id, worstUsd, callMs }, ceilingUsd) {
      const ceiling = ceilingUsd === undefined ? "" : String(Math.floor(ceilingUsd * NANO));
      const args = [id, spentElsewhere, nano(worstUsd), ceiling, String(callMs + SETTLING_MS), String(KEEP_MS)];
      const [verdict, spent] = verdictSchema.parse(await runScript(redis, RESERVE, [ledger, settled], args));
      return { verdict, spentUsd: spent / NANO };
    },
    pay: settle,
    release: (id) => settle(id, ""),
    async forget(requests) {
      await storeErrors(redis.unlink(requests.map(answerKey)));
    },
  };
}

export interface Spent {
  /** Booked, and reservations whose call must have ended. */
  readonly spentUsd: number;
  /** Reservations whose call may still be answered. */
  readonly inFlightUsd: number;
}

const amount = z.string().regex(/^\d+$/).transform(Number);
const reservationSchema = z
  .string()
  .transform((text) => text.split(" "))
  .pipe(z.tuple([amount, amount]));

/**
 * What a workload's ledger says; nothing where Redis has none. A tenant's own agents can write it.
 * @throws RetryableError StoreUnavailable; TerminalError LedgerInvalid
 */
export async function readSpent(redis: Redis, name: string, now: Date): Promise<Spent> {
  const { spent = "0", ...reservations } = await storeErrors(redis.hgetall(ledgerKey(name)));
  const parsed = z.tuple([amount, z.array(reservationSchema)]).safeParse([spent, Object.values(reservations)]);
  if (!parsed.success)
    throw new TerminalError("LedgerInvalid", `the hash ${ledgerKey(name)} in Redis is no budget ledger: delete it`);
  const [booked, reserved] = parsed.data;
  const sumOf = (isOver: boolean): number =>
    reserved.reduce((sum, [worst, ends]) => sum + (ends <= now.getTime() === isOver ? worst : 0), 0);
  return { spentUsd: (booked + sumOf(true)) / NANO, inFlightUsd: sumOf(false) / NANO };
}

/** What a workload was billed for calls to one model. */
export interface ModelUse {
  readonly model: string;
  readonly calls: number;
  /** Cached ones included. */
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** Billionths of a US dollar. */
  readonly nanoUsd: number;
}

export interface LedgerUse {
  /** In the order of their names. Their dollars are all that the ledger booked since Redis last lost it. */
  readonly models: readonly ModelUse[];
  /** The worst case of calls whose answer nobody has booked. */
  readonly unsettledNanoUsd: number;
}

const modelUseSchema = z
  .string()
  .transform((text) => text.split(" "))
  .pipe(z.tuple([amount, amount, amount, amount, amount]));

/**
 * What a workload's ledger booked, by model; nothing where Redis has none. What else somebody wrote there is left out.
 * @throws RetryableError StoreUnavailable
 */
export async function readUse(redis: Redis, name: string): Promise<LedgerUse> {
  const [booked, { spent: _spent, ...reservations }] = await Promise.all([
    storeErrors(redis.hgetall(modelsKey(name))),
    storeErrors(redis.hgetall(ledgerKey(name))) as Promise<Record<string, string>>,
  ]);
  const models = Object.entries(booked).flatMap(([model, text]): ModelUse[] => {
    const { data } = modelUseSchema.safeParse(text);
    if (!data) return [];
    const [calls, nanoUsd, inputTokens, cachedInputTokens, outputTokens] = data;
    return [{ model, calls, inputTokens, cachedInputTokens, outputTokens, nanoUsd }];
  });
  const unsettledNanoUsd = Object.values(reservations).reduce(
    (sum, text) => sum + (reservationSchema.safeParse(text).data?.[0] ?? 0),
    0,
  );
  return { models: models.toSorted((a, b) => (a.model < b.model ? -1 : 1)), unsettledNanoUsd };
}

/** Model, purpose, prompt as JSON. */
const kindSchema = z
  .string()
  .transform(parseJson)
  .pipe(z.tuple([z.string(), z.string(), z.string()]));
/** Calls, billionths of a dollar, input and output tokens. */
const paidSchema = z
  .string()
  .transform((text) => text.split(" "))
  .pipe(z.tuple([amount, amount, amount, amount]));

/**
 * The calls that a step paid for so far, in all its starts, the dearest first, at most MAX_MODEL_CALLS kinds, of which the last is all
 * others; none where Redis has lost them. What else somebody wrote there is left out.
 * @throws RetryableError StoreUnavailable
 */
export async function readModelCalls(redis: Redis, name: string, step: string): Promise<ModelCalls[]> {
  const booked = Object.entries(await storeErrors(redis.hgetall(paidKey(name, step))));
  const kinds = booked.flatMap((entry): ModelCalls[] => {
    const { data } = z.tuple([kindSchema, paidSchema]).safeParse(entry);
    if (!data) return [];
    const [[model, purpose, prompt], [calls, nanoUsd, inputTokens, outputTokens]] = data;
    return [{ model, purpose, prompt, calls, inputTokens, outputTokens, costUsd: nanoUsd / NANO }];
  });
  return bounded(kinds.toSorted((a, b) => b.costUsd - a.costUsd));
}

/** An agent that puts data into its instructions makes each of its calls another kind. */
function bounded(kinds: readonly ModelCalls[]): ModelCalls[] {
  if (kinds.length <= MAX_MODEL_CALLS) return [...kinds];
  const others = kinds.slice(MAX_MODEL_CALLS - 1).reduce((sum, kind) => ({
    ...{ model: "(others)", purpose: "(others)", prompt: "" },
    calls: sum.calls + kind.calls,
    inputTokens: sum.inputTokens + kind.inputTokens,
    outputTokens: sum.outputTokens + kind.outputTokens,
    costUsd: sum.costUsd + kind.costUsd,
  }));
  return [...kinds.slice(0, MAX_MODEL_CALLS - 1), others];
}

/** Never less than the dollars: a fraction of a billionth counts as one. */
function nano(usd: number): string {
  return String(Math.ceil(usd * NANO));
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
