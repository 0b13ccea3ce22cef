import type { Redis } from "ioredis";
import { RetryableError } from "../../errors.ts";
import { storeErrors } from "../redis.ts";
import { type TenantLogins, tenantPassword, tenantUser } from "../tenant-login.ts";

/** By category, then what these let in that reaches beyond a tenant's keys: names of others' keys, scripts and functions of all. */
const COMMANDS = [
  "-@all",
  ...["+@keyspace", "+@string", "+@hash", "+@set", "+@sortedset", "+@scripting", "+@connection", "+@transaction"],
  ...["-@admin", "-@dangerous", "-scan", "-randomkey", "-dbsize", "-script", "-client"],
  // What a client library asks when it connects; the clock of a lease.
  ...["+info", "+time"],
];

/** Redis 7's, which has no category of its own that 6.2 knows. */
const SHARED_CODE = ["-function", "-fcall", "-fcall_ro"];

/** For the keys of a namespace's steps and budgets. A Redis that was restarted has forgotten them. `key`: every password is made of it. */
export function createRedisLogins(redis: Redis, key: string): TenantLogins {
  const setUser = (namespace: string, commands: readonly string[]): Promise<unknown> => {
    const rules = ["reset", "on", `>${tenantPassword(key, "redis", namespace)}`, ...keysOf(namespace), ...commands];
    return redis.call("ACL", "SETUSER", tenantUser(namespace), ...rules);
  };
  return {
    settingsFor(namespace, shared) {
      if (shared["REDIS_URL"] === undefined) return shared;
      const own = new URL(shared["REDIS_URL"]);
      own.username = tenantUser(namespace);
      own.password = tenantPassword(key, "redis", namespace);
      return { ...shared, REDIS_URL: own.href };
    },
    async ensure(namespace) {
      await storeErrors(
        setUser(namespace, [...COMMANDS, ...SHARED_CODE]).catch((error: Error) => {
          if (/Unknown command or category/.test(error.message)) return setUser(namespace, COMMANDS);
          if (/NOPERM|unknown command/.test(error.message)) throw refused(namespace, error);
          throw error;
        }),
      );
    },
    /** Its connections are closed. */
    async remove(namespace) {
      await storeErrors(redis.call("ACL", "DELUSER", tenantUser(namespace)));
    },
  };
}

/** lib/durable/keys.ts of its steps, lib/model/ledger.ts of its budgets. A namespace holds no character that a pattern reads otherwise. */
function keysOf(namespace: string): string[] {
  const ledgers = ["spent", "settled", "paid", "answer", "asking"].map((what) => `~agentic:${what}:{${namespace}.*`);
  return [`~agentic:{${namespace}.*`, ...ledgers];
}

const refused = (namespace: string, cause: Error): RetryableError =>
  new RetryableError(
    "LoginRefused",
    `Redis makes no login for namespace ${namespace} (${cause.message}): allow ACL SETUSER and ACL DELUSER to reconcile's user, or leave TENANTS_KEY out, and the agents of all namespaces share one login`,
    { cause, countsAsAttempt: false },
  );
