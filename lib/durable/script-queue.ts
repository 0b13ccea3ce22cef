import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";

type Argument = string | Buffer;

interface Call {
  readonly script: string;
  readonly args: readonly (Argument | number)[];
  readonly settle: PromiseWithResolvers<unknown>;
}

/**
 * Runs Lua scripts in the order in which they are asked for. One that can wait goes out with the next that cannot, or at the end
 * of this turn of the event loop: a node's writes and the checkpoint that follows them are one write to Redis, and one fsync.
 */
export class ScriptQueue {
  readonly #redis: Redis;
  #waiting: Call[] = [];

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** @throws RetryableError LeaseLost, StoreUnavailable */
  run(script: string, keys: readonly string[], args: readonly Argument[], canWait = false): Promise<unknown> {
    const settle = Promise.withResolvers<unknown>();
    this.#waiting.push({ script, args: [keys.length, ...keys, ...args], settle });
    if (canWait) setImmediate(() => this.#send());
    else this.#send();
    return storeErrors(settle.promise);
  }

  #send(): void {
    const calls = this.#waiting;
    this.#waiting = [];
    if (calls.length === 0) return;
    const pipeline = this.#redis.pipeline();
    for (const { script, args } of calls) pipeline.callBuffer("EVALSHA", digestOf(script), ...args);
    pipeline.exec().then(
      (replies) => {
        for (const [i, call] of calls.entries()) this.#settle(call, replies?.[i] ?? [new Error("no reply"), null]);
      },
      (error: unknown) => {
        for (const { settle } of calls) settle.reject(error);
      },
    );
  }

  #settle({ script, args, settle }: Call, [error, reply]: [Error | null, unknown]): void {
    // A server that has not seen the script yet, or was started again.
    if (error?.message.startsWith("NOSCRIPT")) settle.resolve(this.#redis.callBuffer("EVAL", script, ...args));
    else if (error) settle.reject(error);
    else settle.resolve(reply);
  }
}

const digests = new Map<string, string>();

function digestOf(script: string): string {
  const digest = digests.get(script) ?? createHash("sha1").update(script).digest("hex");
  digests.set(script, digest);
  return digest;
}
