import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { RetryableError } from "../errors.ts";
import { acquireLease, type LeaseRequest } from "./lease.ts";

const POLL_MS = 50;

/**
 * Runs work while no other process runs work of the same name, and waits for its turn.
 * @throws RetryableError Busy when the turn does not come within `patienceMs`, StoreUnavailable
 */
export async function exclusively<T>(
  redis: Redis,
  name: string,
  { holder, ttlMs, patienceMs }: Pick<LeaseRequest, "holder" | "ttlMs"> & { readonly patienceMs: number },
  work: () => Promise<T>,
): Promise<T> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const lease = await acquireLease(redis, { lease: `agentic:exclusive:{${name}}`, holder, ttlMs });
    if ("heldBy" in lease) {
      if (Date.now() >= until)
        throw new RetryableError("Busy", `${lease.heldBy} works on ${name}`, { countsAsAttempt: false });
      await sleep(POLL_MS);
      continue;
    }
    try {
      return await work();
    } finally {
      // Redis may be away: the lease then ends by itself.
      await lease.release().catch(() => undefined);
    }
  }
}
