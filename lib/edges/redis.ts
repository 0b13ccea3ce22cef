import { Redis } from "ioredis";
import { RetryableError, TerminalError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { connectionTrouble, redisTls } from "./redis-tls.ts";

/**
 * Connects to redis://, rediss:// or unix://. A command ends within seconds, also while the server is away. `ca`: REDIS_CA, whose
 * signature a server of rediss:// must show.
 * @throws RetryableError StoreUnavailable; TerminalError UnsupportedRedis for a server that is older than 6.2, evicts keys, or is a
 * cluster, InvalidRedisAddress as redisTls
 */
export async function connectRedis(url: string, ca?: string): Promise<Redis> {
  const redis = createClient(url, ca);
  try {
    await connect(redis, url);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return redis;
}

/**
 * As connectRedis, but a server that is away is only logged: commands throw StoreUnavailable until it is back. A function that ended
 * instead could not say in the workload's status what is wrong, and Kubernetes would start it again later each time.
 * @throws TerminalError UnsupportedRedis, where the server answers at once, InvalidRedisAddress
 */
export async function connectRedisWhenever(url: string, log: Logger, ca?: string): Promise<Redis> {
  const redis = createClient(url, ca);
  try {
    await connect(redis, url);
  } catch (error) {
    if (!(error instanceof RetryableError)) {
      redis.disconnect();
      throw error;
    }
    log.warn({ reason: error.reason }, `${error.message}; it is tried again until it answers`);
    redis.once("ready", () => {
      checkServer(redis).then(
        () => log.info("Redis answers"),
        (unsupported: Error) => {
          log.error(unsupported.message);
          if (unsupported instanceof TerminalError) redis.disconnect();
        },
      );
    });
  }
  return redis;
}

/** A command that finds no connection learns why there is none: ioredis only says that there is none. */
class Client extends Redis {
  trouble: string | undefined;

  override sendCommand(...[command, stream]: Parameters<Redis["sendCommand"]>): unknown {
    const { reject } = command;
    command.reject = (error: Error) => {
      const why = this.trouble !== undefined && SILENT.test(error.message) ? new Error(this.trouble) : undefined;
      reject(why ? new Error(error.message, { cause: why }) : error);
    };
    return super.sendCommand(command, stream);
  }
}

function createClient(url: string, ca: string | undefined): Client {
  const tls = redisTls(url, ca);
  const options = {
    lazyConnect: true,
    connectTimeout: 3000,
    commandTimeout: 5000,
    maxRetriesPerRequest: 2,
    retryStrategy: (times: number) => Math.min(100 * times, 2000),
    enableReadyCheck: true,
    // A primary that a failover made a replica keeps its connections; the address leads to the new primary.
    reconnectOnError: (error: Error) => READ_ONLY.test(error.message),
    ...(tls && { tls }),
  };
  const redis = new Client(url.replace(/^unix:\/\//, ""), options);
  // Each command reports its own error; without a listener the connection's would end the process.
  let answered = false;
  redis.on("error", (error: Error) => {
    redis.trouble = connectionTrouble({ url, ca, answered }, error);
  });
  redis.on("close", () => {
    redis.trouble ??= connectionTrouble({ url, ca, answered });
  });
  redis.on("ready", () => {
    answered = true;
    redis.trouble = undefined;
  });
  return redis;
}

async function connect(redis: Client, url: string): Promise<void> {
  try {
    await storeErrors(redis.connect());
    await checkServer(redis);
  } catch (error) {
    if (redis.trouble === undefined) throw error;
    // ioredis only says that the connection is closed, and nobody wants the password in a log.
    const where = url.replace(/\/\/[^@/]*@/, "//");
    throw new RetryableError("StoreUnavailable", `Redis at ${where} cannot be reached: ${redis.trouble}`, {
      cause: error,
      countsAsAttempt: false,
    });
  }
}

const OLDEST = [6, 2] as const;

/** @throws TerminalError UnsupportedRedis; RetryableError StoreUnavailable */
async function checkServer(redis: Redis): Promise<void> {
  const info = await storeErrors(redis.info());
  const version = /redis_version:(\d+)\.(\d+)/.exec(info);
  const [major, minor] = [Number(version?.[1]), Number(version?.[2])];
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    throw unsupported(`Redis ${major}.${minor} is too old: ${OLDEST.join(".")} or later is needed, or Valkey`);
  if (/redis_mode:sentinel/.test(info))
    throw unsupported(
      "REDIS_URL leads to a Sentinel, which holds no keys: give the address of the primary, by a Service or proxy that follows it through failovers",
    );
  const policy = /maxmemory_policy:([\w-]+)/.exec(info)?.[1] ?? "noeviction";
  if (policy !== "noeviction")
    throw unsupported(
      `Redis deletes keys when it is full (its maxmemory-policy is ${policy}), and with them leases, budgets and checkpoints: set its maxmemory-policy to noeviction`,
    );
  if (/cluster_enabled:1/.test(info))
    throw unsupported(
      "Redis runs in cluster mode, whose servers each hold a part of the keys: give the address of a Redis without cluster mode",
    );
}

const unsupported = (message: string): TerminalError => new TerminalError("UnsupportedRedis", message);

// Redis before 7 puts the error of a command in a script into a sentence of its own.
const FENCED = /FENCED/;
const FULL = /OOM command not allowed/;
const READ_ONLY = /READONLY/;
const SILENT = /max retries per request|Command timed out|Connection is closed/;

/** What Redis commands throw, as our own errors. @throws RetryableError LeaseLost, StoreFull, StoreUnavailable */
export async function storeErrors<T>(command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (cause) {
    if (cause instanceof RetryableError) throw cause;
    throw new RetryableError(...describe(cause instanceof Error ? cause : new Error(String(cause))), {
      cause,
      countsAsAttempt: false,
    });
  }
}

function describe({ message, cause }: Error): [reason: string, message: string] {
  if (FENCED.test(message)) return ["LeaseLost", "another instance has taken this step over"];
  if (FULL.test(message))
    return ["StoreFull", "Redis is full: raise its maxmemory, or delete workloads that are no longer needed"];
  if (READ_ONLY.test(message))
    return ["StoreUnavailable", "Redis is a read-only replica: a failover is under way, or REDIS_URL names no primary"];
  if (!SILENT.test(message)) return ["StoreUnavailable", `Redis: ${message}`];
  return ["StoreUnavailable", `Redis does not answer${cause instanceof Error ? `: ${cause.message}` : ""}`];
}

/** Whether this is trouble of Redis, and not of what was asked of it. */
export function isStoreTrouble(error: unknown): boolean {
  return error instanceof RetryableError && (error.reason === "StoreUnavailable" || error.reason === "StoreFull");
}
