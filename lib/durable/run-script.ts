import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";

const digests = new Map<string, string>();

/**
 * Runs a Lua script by its digest, and sends the whole script only where the server does not know it yet.
 * @returns numbers, and Buffers for strings. @throws RetryableError LeaseLost when the script answers FENCED; StoreUnavailable
 */
export function runScript(
  redis: Redis,
  script: string,
  keys: readonly string[],
  args: readonly (string | Buffer)[],
): Promise<unknown> {
  const digest = digests.get(script) ?? createHash("sha1").update(script).digest("hex");
  digests.set(script, digest);
  const rest = [keys.length, ...keys, ...args];
  return storeErrors(
    redis.callBuffer("EVALSHA", digest, ...rest).catch((error: unknown) => {
      if (error instanceof Error && error.message.startsWith("NOSCRIPT"))
        return redis.callBuffer("EVAL", script, ...rest);
      throw error;
    }),
  );
}
