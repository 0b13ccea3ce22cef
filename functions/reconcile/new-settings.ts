import type { Redis } from "ioredis";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import type { Logger } from "../../lib/log.ts";

/** Hash of the settings that follow from it; those of the last process that did what they ask for. */
const KEY = "agentic:settings";

/**
 * Does `work` in a process that has other settings than the last one which did it; noted when it is done, so that who dies before has the
 * next one do it. Where Redis is away, or forgot, it is done once too often. Never throws: the resync looks again.
 */
export async function onNewSettings(
  redis: Pick<Redis, "get" | "set">,
  settings: unknown,
  work: () => Promise<void>,
  log: Logger,
): Promise<void> {
  const hash = sha256(canonicalJson(settings));
  try {
    if ((await redis.get(KEY).catch(() => undefined)) === hash) return;
    await work();
    await redis.set(KEY, hash);
  } catch (error) {
    log.warn({ err: error }, "new settings have not reached everybody yet: the resync looks again");
  }
}
