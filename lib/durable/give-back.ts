import type { Redis } from "ioredis";
import pRetry from "p-retry";
import { threadKeys } from "./keys.ts";
import { runScript } from "./run-script.ts";
import { GIVE_BACK } from "./step-scripts.ts";

/** One start of a step, as its writes name it. */
export interface RedisStart {
  readonly redis: Redis;
  readonly identity: string;
  /** Names this start: every write of it carries the token, and is refused when another start has followed. */
  readonly token: string;
  /** The lease's value. */
  readonly value: string;
}

export function giveBack({ redis, identity, token, value }: RedisStart): Promise<unknown> {
  const { record, lease } = threadKeys(identity);
  return runScript(redis, GIVE_BACK, [record, lease], [token, value]);
}

/** Gives a start back once Redis answers again: until then it looks like one whose process died. */
export function giveBackEventually(start: RedisStart): void {
  // About ten minutes; the step has been started elsewhere long before.
  const options = { retries: 25, minTimeout: 1000, maxTimeout: 30_000, unref: true };
  pRetry(() => giveBack(start), options).catch(() => undefined);
}
