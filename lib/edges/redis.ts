import { Redis } from "ioredis";
import { RetryableError, TerminalError } from "../errors.ts";
import type { Logger } from "../log.ts";

/**
 * Connects to redis://, rediss:// or unix://. A command ends within seconds, also while the server is away.
 * @throws RetryableError StoreUnavailable; TerminalError UnsupportedRedis for a server older than 6.2
 */
export async function connectRedis(url: string): Promise<Redis> {
  const redis = createClient(url);
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
 * @throws TerminalError UnsupportedRedis, where the server answers at once
 */
export async function connectRedisWhenever(url: string, log: Logger): Promise<Redis> {
  const redis = createClient(url);
  try {
    await connect(redis, url);
  } catch (error) {
    if (!(error instanceof RetryableError)) {
      redis.disconnect();
      throw error;
    }
    log.warn({ reason: error.reason }, `${error.message}; it is tried again until it answers`);
    redis.once("ready", () => {
      checkVersion(redis).then(
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

function createClient(url: string): Redis {
  const options = {
    lazyConnect: true,
    connectTimeout: 3000,
    commandTimeout: 5000,
    maxRetriesPerRequest: 2,
    retryStrategy: (times: number) => Math.min(100 * times, 2000),
    enableReadyCheck: true,
  };
  return url.startsWith("unix://") ? new Redis(url.slice("unix://".length), options) : new Redis(url, options);
}

async function connect(redis: Redis, url: string): Promise<void> {
  // Each command reports its own error; without a listener the connection's would end the process.
  let trouble = "";
  redis.on("error", (error: Error) => {
    trouble = error.message;
  });
  try {
    await storeErrors(redis.connect());
    await checkVersion(redis);
  } catch (error) {
    if (!trouble) throw error;
    // ioredis only says that the connection is closed, and nobody wants the password in a log.
    const where = url.replace(/\/\/[^@/]*@/, "//");
    throw new RetryableError("StoreUnavailable", `Redis at ${where} cannot be reached: ${trouble}`, {
      cause: error,
      countsAsAttempt: false,
    });
  }
}

const OLDEST = [6, 2] as const;

async function checkVersion(redis: Redis): Promise<void> {
  const info = await storeErrors(redis.info("server"));
  const version = /redis_version:(\d+)\.(\d+)/.exec(info);
  const [major, minor] = [Number(version?.[1]), Number(version?.[2])];
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new TerminalError(
    "UnsupportedRedis",
    `Redis ${major}.${minor} is too old: ${OLDEST.join(".")} or later is needed, or Valkey`,
  );
}

/** What Redis commands throw, as our own errors. */
export async function storeErrors<T>(command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (message.includes("FENCED"))
      throw new RetryableError("LeaseLost", "another instance has taken this step over", {
        cause,
        countsAsAttempt: false,
      });
    const silent = /max retries per request|Command timed out|Connection is closed/.test(message);
    throw new RetryableError("StoreUnavailable", silent ? "Redis does not answer" : `Redis: ${message}`, {
      cause,
      countsAsAttempt: false,
    });
  }
}
