import type { KeyObject } from "node:crypto";
import type { Redis } from "ioredis";
import { keyId } from "./keys.ts";
import type { Logger } from "./log.ts";
import { AUDIT } from "./telemetry/audit.ts";

/** What a process signs with, and whose signatures it takes. */
export interface KeysInUse {
  readonly use: string;
  readonly signing: KeyObject;
  readonly accepted: readonly KeyObject[];
}

/** By use: the ids of the keys that a process last started with, the signing one first. */
const SEEN = "agentic:keys";

/**
 * Says which keys are others than a process of this kind last started with. Said before it is noted: who dies in between has the next one
 * say it again, and where Redis is away, or lost what it knew, it is said too often, never too seldom.
 */
export async function auditKeys(
  redis: Pick<Redis, "hget" | "hset">,
  all: readonly KeysInUse[],
  log: Logger,
): Promise<void> {
  for (const { use, signing, accepted } of all) {
    const id = await keyId(signing);
    const acceptedIds = [...new Set(await Promise.all(accepted.map(keyId)))].toSorted();
    const now = [id, ...acceptedIds].join(" ");
    const before = await redis.hget(SEEN, use).catch(() => undefined);
    if (before === now) continue;
    const previous = before?.split(" ")[0];
    AUDIT.keyChanged.record(log, {
      "agentic.key.use": use,
      "agentic.key.id": id,
      "agentic.key.previous": previous === id ? undefined : previous,
      "agentic.key.accepted": acceptedIds.length > 0 ? acceptedIds : undefined,
    });
    await redis.hset(SEEN, use, now).catch(() => undefined);
  }
}
