import { createHmac } from "node:crypto";
import type { Redis } from "ioredis";
import { RetryableError } from "../errors.ts";
import { storeErrors } from "./redis.ts";

/**
 * Logins to Redis of tenants: a namespace's own agents reach the steps and budgets of their namespace, and nothing else. A password
 * follows from the key and the namespace, so that none has to be kept.
 */
export interface TenantLogins {
  /** The Redis URL of a namespace's agents. `url`: that of the login which it takes the place of. */
  urlFor(namespace: string, url: string): string;
  /**
   * Makes the login, or puts it right: a Redis that was restarted has forgotten it.
   * @throws RetryableError StoreUnavailable; LoginRefused where whoever asks may make none
   */
  ensure(namespace: string): Promise<void>;
  /** Removes it, and closes its connections. @throws RetryableError StoreUnavailable */
  remove(namespace: string): Promise<void>;
}

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

/** `key`: secret, of which every password is made. */
export function createTenantLogins(redis: Redis, key: string): TenantLogins {
  const passwordOf = (namespace: string): string =>
    createHmac("sha256", key).update(`redis/${namespace}`).digest("hex");
  const setUser = (namespace: string, commands: readonly string[]): Promise<unknown> => {
    const rules = ["reset", "on", `>${passwordOf(namespace)}`, ...keysOf(namespace), ...commands];
    return redis.call("ACL", "SETUSER", userOf(namespace), ...rules);
  };
  return {
    urlFor(namespace, url) {
      const own = new URL(url);
      own.username = userOf(namespace);
      own.password = passwordOf(namespace);
      return own.href;
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
    async remove(namespace) {
      await storeErrors(redis.call("ACL", "DELUSER", userOf(namespace)));
    },
  };
}

function userOf(namespace: string): string {
  return `agentic-tenant-${namespace}`;
}

/** lib/durable/keys.ts of its steps, lib/model/ledger.ts of its budgets. A namespace holds no character that a pattern reads otherwise. */
function keysOf(namespace: string): string[] {
  const ledgers = ["spent", "settled", "answer", "asking"].map((what) => `~agentic:${what}:{${namespace}.*`);
  return [`~agentic:{${namespace}.*`, ...ledgers];
}

const refused = (namespace: string, cause: Error): RetryableError =>
  new RetryableError(
    "LoginRefused",
    `Redis makes no login for namespace ${namespace} (${cause.message}): allow ACL SETUSER and ACL DELUSER to reconcile's user, or leave TENANTS_KEY out, and the agents of all namespaces share one login`,
    { cause, countsAsAttempt: false },
  );
