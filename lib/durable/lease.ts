import { setInterval } from "node:timers";
import type { Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";
import { RetryableError } from "../errors.ts";

/** Sole right to a piece of work for as long as it is renewed. */
export interface Lease {
  /** Grows with each holder: a write that carries an older one is refused. */
  readonly fencingToken: number;
  /** Aborts with RetryableError LeaseLost when another holder took over, or the lease could not be renewed in time. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface LeaseRequest {
  readonly lease: string;
  /** Counter of fencing tokens; outlives the lease. */
  readonly fence: string;
  readonly holder: string;
  readonly ttlMs: number;
  /** Whether a holder is known to be dead: its lease is then taken over at once, and not waited for. */
  readonly isDead?: (holder: string) => boolean;
}

// KEYS: lease, fence. ARGV: holder, ttl, the lease to take over or "". Returns the token, or the lease as it stands.
const ACQUIRE = `
local now = redis.call('GET', KEYS[1])
if not now or now == ARGV[3] then
  local token = redis.call('INCR', KEYS[2])
  redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. token, 'PX', ARGV[2])
  return token
end
return now
`;

// KEYS: lease. ARGV: holder and token, ttl. 0 when it is another's.
const RENEW = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`;

const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

/** @returns the lease, or who holds it. @throws RetryableError StoreUnavailable */
export async function acquireLease(redis: Redis, request: LeaseRequest): Promise<Lease | { readonly heldBy: string }> {
  const { lease, fence, holder, ttlMs } = request;
  const ask = (from: string): Promise<unknown> =>
    storeErrors(redis.eval(ACQUIRE, 2, lease, fence, holder, ttlMs, from));
  let answer = await ask("");
  if (typeof answer === "string" && request.isDead?.(holderOf(answer))) answer = await ask(answer);
  if (typeof answer !== "number") return { heldBy: holderOf(String(answer)) };
  const value = `${holder} ${answer}`;
  const lost = new AbortController();
  let renewedAt = Date.now();
  const lose = (why: string): void => {
    clearInterval(timer);
    lost.abort(new RetryableError("LeaseLost", why, { countsAsAttempt: false }));
  };
  const timer = setInterval(async () => {
    try {
      const asked = Date.now();
      const renewed = await redis.eval(RENEW, 1, lease, value, ttlMs);
      if (renewed === 1) renewedAt = asked;
      else lose("the lease went to another instance");
    } catch {
      // Another instance may take over from here on: stop before it does.
      if (Date.now() - renewedAt >= ttlMs) lose("the lease could not be renewed: Redis did not answer in time");
    }
  }, ttlMs / 3);
  timer.unref();
  return {
    fencingToken: answer,
    lost: lost.signal,
    async release() {
      clearInterval(timer);
      await storeErrors(redis.eval(RELEASE, 1, lease, value));
    },
  };
}

/** A lease's value is its holder and its token. */
function holderOf(value: string): string {
  return value.replace(/ \d+$/, "");
}
