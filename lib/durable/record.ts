import type { Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";
import { type StepResult, stepResultSchema } from "../step.ts";
import { threadKeys } from "./keys.ts";
import { runScript } from "./script.ts";

/** What is known of a step: a Redis hash under its identity. */
export interface StepRecord {
  readonly state: "accepted" | "final";
  /** Attempts that ended in trouble of the step's own. */
  readonly attempts: number;
  /** Present when final. */
  readonly result?: StepResult;
}

/** @returns undefined for a step that nobody asked for, or whose record has expired. @throws RetryableError StoreUnavailable */
export async function readRecord(redis: Redis, identity: string): Promise<StepRecord | undefined> {
  const [attempts, result, acceptedAt] = await storeErrors(
    redis.hmget(threadKeys(identity).record, "attempts", "result", "acceptedAt"),
  );
  if (!acceptedAt) return undefined;
  return {
    state: result ? "final" : "accepted",
    attempts: Number(attempts ?? 0),
    ...(result ? { result: stepResultSchema.parse(JSON.parse(result)) } : {}),
  };
}

/** From here on the step exists: it is found again whatever dies. Accepting again changes nothing. */
export async function acceptStep(redis: Redis, identity: string, now: Date): Promise<void> {
  await storeErrors(redis.hsetnx(threadKeys(identity).record, "acceptedAt", now.toISOString()));
}

/** @returns the attempts so far, this one included */
export async function countAttempt(redis: Redis, identity: string): Promise<number> {
  return storeErrors(redis.hincrby(threadKeys(identity).record, "attempts", 1));
}

// KEYS: record, fence, index, values. ARGV: result, time, token, ms to keep, prefix of checkpoint keys. The first result stands.
// All that is kept of a step expires from its end on, and not before: one that waits for its next attempt loses nothing.
const FINISH = `
if tonumber(redis.call('GET', KEYS[2]) or 0) > tonumber(ARGV[3]) then return redis.error_reply('FENCED') end
if redis.call('HSETNX', KEYS[1], 'result', ARGV[1]) == 1 then redis.call('HSET', KEYS[1], 'finishedAt', ARGV[2]) end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[4]) end
for _, member in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do redis.call('PEXPIRE', ARGV[5] .. member, ARGV[4]) end
return redis.call('HGET', KEYS[1], 'result')
`;

/** Stores the result, or finds the one that stands. @throws RetryableError LeaseLost when another instance has taken over */
export async function finishStep(
  redis: Redis,
  identity: string,
  { result, now, token, keepMs }: { result: StepResult; now: Date; token: number; keepMs: number },
): Promise<StepResult> {
  const keys = threadKeys(identity);
  const named = [keys.record, keys.fence, keys.index, keys.values];
  const args = [JSON.stringify(result), now.toISOString(), token, keepMs, keys.checkpoint("")];
  const stored = await storeErrors(redis.eval(FINISH, named.length, ...named, ...args));
  return stepResultSchema.parse(JSON.parse(String(stored)));
}

/** Forgets a failed step, its checkpoints with it, so that a later run tries it from the start. A succeeded one stays. */
export async function forgetFailed(redis: Redis, identity: string): Promise<void> {
  const record = await readRecord(redis, identity);
  if (record?.result?.outcome === "failed") await forgetStep(redis, identity);
}

/** Lua: all that is known of a step, gone at once. */
export const FORGET = `
local function forget(record, index, values, checkpoint)
  for _, member in ipairs(redis.call('ZRANGE', index, 0, -1)) do redis.call('UNLINK', checkpoint .. member) end
  redis.call('UNLINK', record, index, values)
end
`;

// KEYS: record, index, values. ARGV: prefix of checkpoint keys.
const FORGET_STEP = `${FORGET}
forget(KEYS[1], KEYS[2], KEYS[3], ARGV[1])
return 1
`;

/** Forgets what is known of a step: whoever asks next starts it anew. A writer that is still at work is fenced all the same. */
export async function forgetStep(redis: Redis, identity: string): Promise<void> {
  const { record, index, values, checkpoint } = threadKeys(identity);
  await runScript(redis, FORGET_STEP, [record, index, values], [checkpoint("")]);
}
