import type { Redis } from "ioredis";
import pRetry from "p-retry";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import type { Logger } from "../../lib/log.ts";

/** Hash of the settings that follow from it; those of the last process that did what they ask for. */
const KEY = "agentic:settings";

/** Redis may still have to learn the password that this process was started with. */
const RETRY = { retries: 20, minTimeout: 3000, factor: 1, unref: true };

/**
 * Does `work` in a process that has other settings than the last one which did it; noted when it is done, so that who dies before has the
 * next one do it. Where Redis is away, or forgot, it is done more often. Never throws: it is tried for a minute, and then the resync looks again.
 */
export async function onNewSettings(
  redis: Pick<Redis, "get" | "set">,
  settings: unknown,
  work: () => Promise<void>,
  log: Logger,
  retry: typeof RETRY = RETRY,
): Promise<void> {
  const hash = sha256(canonicalJson(settings));
  const handOn = async (): Promise<void> => {
    if ((await redis.get(KEY).catch(() => undefined)) === hash) return;
    await work();
    await redis.set(KEY, hash);
  };
  await pRetry(handOn, retry).catch((error: unknown) =>
    log.warn({ err: error }, "new settings have not reached everybody yet: the resync looks again"),
  );
}
