import { randomUUID } from "node:crypto";
import { setInterval } from "node:timers";
import type { Redis } from "ioredis";
import { RetryableError } from "../errors.ts";
import { runScript } from "./run-script.ts";

/** The sole right to a piece of work while it is renewed. */
export interface Lease {
  /** Aborts with RetryableError LeaseLost when another holder took over, or the lease was not renewed in time. */
  readonly lost: AbortSignal;
  /** @throws RetryableError StoreUnavailable: the lease then ends by itself */
  release(): Promise<void>;
}

export interface LeaseRequest {
  /** The lease's key. */
  readonly lease: string;
  readonly holder: string;
  readonly ttlMs: number;
}

/**
 * A lease's value: a token of the request that acquired it, and the holder. ioredis sends a command again when the connection broke
 * before its answer; by the token the second sending finds its own lease, and not that of somebody else.
 */
export function leaseValue(token: string, holder: string): string {
  return `${token} ${holder}`;
}

/** The holder in a lease's value. */
export function holderOf(value: string): string {
  return value.slice(value.indexOf(" ") + 1);
}

/** Lua: acquires the lease if it is free, is this request's own, or has the value `from`. @returns the value of who holds it, or nil */
export const ACQUIRE = `
local function acquire(lease, value, ttl, from)
  local held = redis.call('GET', lease)
  if held and held ~= value and held ~= from then return held end
  redis.call('SET', lease, value, 'PX', ttl)
  return nil
end
`;

/** Lua: deletes the lease if it still has this value. */
export const RELEASE = `
local function release(lease, value)
  if redis.call('GET', lease) == value then redis.call('DEL', lease) end
end
`;

// KEYS: lease. ARGV: value, milliseconds to live.
const ACQUIRE_LEASE = `${ACQUIRE} return acquire(KEYS[1], ARGV[1], ARGV[2], '')`;
export const RENEW_LEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`;
const RELEASE_LEASE = `${RELEASE} release(KEYS[1], ARGV[1])`;

/** @returns the lease, or who holds it. @throws RetryableError StoreUnavailable */
export async function acquireLease(
  redis: Redis,
  { lease, holder, ttlMs }: LeaseRequest,
): Promise<Lease | { readonly heldBy: string }> {
  const value = leaseValue(randomUUID(), holder);
  const askedAt = Date.now();
  const held = await runScript(redis, ACQUIRE_LEASE, [lease], [value, String(ttlMs)]);
  if (held !== null) return { heldBy: holderOf(String(held)) };
  const { lost, stop } = renewLease(() => runScript(redis, RENEW_LEASE, [lease], [value, String(ttlMs)]), {
    ttlMs,
    askedAt,
  });
  return {
    lost,
    async release() {
      stop();
      await runScript(redis, RELEASE_LEASE, [lease], [value]);
    },
  };
}

/**
 * Renews an acquired lease until it is stopped or lost. `askRenewal` answers 1, or 0 when the lease is another's. `askedAt`: the time in
 * milliseconds before the lease was asked for, from which on it lives.
 */
export function renewLease(
  askRenewal: () => Promise<unknown>,
  { ttlMs, askedAt }: { readonly ttlMs: number; readonly askedAt: number },
): { readonly lost: AbortSignal; stop(): void } {
  const lost = new AbortController();
  let renewedAt = askedAt;
  const stop = (): void => clearInterval(timer);
  const lose = (why: string): void => {
    stop();
    lost.abort(new RetryableError("LeaseLost", why, { countsAsAttempt: false }));
  };
  const loseIfOverdue = (): void => {
    // Another instance may take over from here on: stop before it does.
    if (Date.now() - renewedAt >= ttlMs) lose("Redis did not answer before the lease ended");
  };
  const renew = async (): Promise<void> => {
    const renewingAt = Date.now();
    try {
      if ((await askRenewal()) === 1) renewedAt = renewingAt;
      else lose("the lease ended, and another instance may work on this now");
    } catch {
      loseIfOverdue();
    }
  };
  const timer = setInterval(() => void renew(), ttlMs / 3);
  timer.unref();
  loseIfOverdue();
  return { lost: lost.signal, stop };
}
