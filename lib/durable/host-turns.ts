import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { tenantUser } from "../edges/tenant-login.ts";
import { pause } from "../pause.ts";
import { RENEW_LEASE, renewLease } from "./lease.ts";
import { runScript } from "./run-script.ts";

/** Lets one visit at a time reach a host, whichever process makes it. */
export interface HostTurns {
  /**
   * Waits for a turn at the host, first come, first served. `host` as in URL.host, port included.
   * @throws RetryableError StoreUnavailable; the signal's reason
   */
  acquire(host: string, signal: AbortSignal): Promise<HostTurn>;
}

export interface HostTurn {
  /** Aborts when another may visit the host now: it was not renewed in time. */
  readonly lost: AbortSignal;
  /** Ends the turn, and leaves the host alone for so long. Trouble of Redis is none: the turn then ends by itself. */
  release(pauseMs: number): Promise<void>;
}

/** In milliseconds. */
const TIMES = {
  /** So long a host waits for an instance that was killed while it visited. */
  turn: 5_000,
  /** Whoever waits asks so often. */
  poll: 200,
  /** Whoever has not asked for so long is gone, and waits no longer. */
  patience: 3_000,
};

// By the server's clock alone. Scores: by when they came, and by when they last asked.
// KEYS: turn, waiting, seen. ARGV: token, milliseconds of a turn, of patience. @returns 1 when the turn is the token's.
const TAKE = `
local at = redis.call('TIME')
local now = at[1] * 1000 + math.floor(at[2] / 1000)
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] then return 1 end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - ARGV[3])) do
  redis.call('ZREM', KEYS[2], gone)
  redis.call('ZREM', KEYS[3], gone)
end
redis.call('ZADD', KEYS[2], 'NX', at[1] * 1000000 + at[2], ARGV[1])
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('PEXPIRE', KEYS[2], 10 * ARGV[3])
redis.call('PEXPIRE', KEYS[3], 10 * ARGV[3])
if held or redis.call('ZRANGE', KEYS[2], 0, 0)[1] ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1`;
// KEYS: waiting, seen. ARGV: token.
const LEAVE = `redis.call('ZREM', KEYS[1], ARGV[1]) redis.call('ZREM', KEYS[2], ARGV[1])`;
// KEYS: turn. ARGV: token, milliseconds in which nobody has a turn.
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return end
if tonumber(ARGV[2]) > 0 then redis.call('SET', KEYS[1], 'nobody', 'PX', ARGV[2]) else redis.call('DEL', KEYS[1]) end`;

/** `redisUrl`: by its login. A namespace's own agents take turns among themselves: they reach the keys of their namespace only (ADR 25). */
export function createHostTurns(redis: Redis, redisUrl: string, times = TIMES): HostTurns {
  const user = URL.parse(redisUrl)?.username ?? "";
  const namespace = user.startsWith(tenantUser("")) ? user.slice(tenantUser("").length) : undefined;
  return {
    async acquire(host, signal) {
      const base = namespace === undefined ? `agentic:host:{${host}}` : `agentic:{${namespace}.host.${host}}`;
      const [turn, waiting, seen] = [`${base}:turn`, `${base}:waiting`, `${base}:seen`];
      const token = randomUUID();
      let askedAt = Date.now();
      try {
        const args = [token, String(times.turn), String(times.patience)];
        while ((await runScript(redis, TAKE, [turn, waiting, seen], args)) !== 1) {
          await pause(times.poll, signal);
          askedAt = Date.now();
        }
        signal.throwIfAborted();
      } catch (error) {
        // The next one must not wait for a visit that never happens.
        await quietly(runScript(redis, LEAVE, [waiting, seen], [token]));
        await quietly(runScript(redis, RELEASE, [turn], [token, "0"]));
        throw error;
      }
      const renew = () => runScript(redis, RENEW_LEASE, [turn], [token, String(times.turn)]);
      const { lost, stop } = renewLease(renew, { ttlMs: times.turn, askedAt });
      return {
        lost,
        async release(pauseMs) {
          stop();
          await quietly(runScript(redis, RELEASE, [turn], [token, String(Math.ceil(pauseMs))]));
        },
      };
    },
  };
}

/** What is left behind ends by itself. */
async function quietly(work: Promise<unknown>): Promise<void> {
  await work.catch(() => undefined);
}
