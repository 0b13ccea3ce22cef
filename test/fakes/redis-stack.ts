import { createServer, type Socket } from "node:net";
import { Redis, ReplyError } from "ioredis";
import RedisParser from "redis-parser";

export interface RedisStackDouble {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * The JSON commands of Redis 8 over RESP 2, in front of a real Redis that has none: JSON.SET and JSON.GET of whole documents are
 * kept as strings, FT.CREATE is accepted, all else (KEYS, ZADD, EXPIRE, scripts) is the real server's. There is no FT.SEARCH:
 * only a saver's list() asks for it, and no step lists.
 */
export async function startRedisStackDouble(socketPath: string): Promise<RedisStackDouble> {
  const open = new Set<{ socket: Socket; redis: Redis }>();
  const server = createServer((socket) => {
    socket.setNoDelay();
    const redis = new Redis(socketPath);
    const connection = { socket, redis };
    open.add(connection);
    let queue = Promise.resolve();
    const parser = new RedisParser({
      returnBuffers: true,
      returnReply(command) {
        // In order, as Redis answers.
        queue = queue.then(() => answer(redis, command as Buffer[])).then((reply) => void socket.write(reply));
      },
      returnError: () => socket.destroy(),
      returnFatalError: () => socket.destroy(),
    });
    socket.on("data", (data: Buffer) => parser.execute(data));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      redis.disconnect();
      open.delete(connection);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `redis://127.0.0.1:${address.port}`,
    async close() {
      for (const { socket } of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(redis: Redis, command: Buffer[]): Promise<Buffer> {
  const [name = "", ...args] = translate(command);
  if (name === "OK") return Buffer.from("+OK\r\n");
  if (name === "KNOWN") return encode(args);
  return redis.callBuffer(String(name), ...args).then(encode, (error: unknown) => {
    if (error instanceof ReplyError) return Buffer.from(`-${(error as Error).message}\r\n`);
    throw error;
  });
}

/** What the real server is asked instead; "OK" and "KNOWN" are answered here. */
function translate(command: Buffer[]): (Buffer | string)[] {
  const [name, key = "", ...rest] = command;
  switch (name?.toString().toUpperCase()) {
    case "JSON.SET": {
      const [, value = "", ...condition] = rest;
      return ["SET", key, value, ...condition];
    }
    case "JSON.GET":
      return ["GET", key];
    case "FT.CREATE":
      return ["OK"];
    case "COMMAND":
      return ["KNOWN", ...rest];
    default:
      return command;
  }
}

function encode(reply: unknown): Buffer {
  if (reply === null || reply === undefined) return Buffer.from("$-1\r\n");
  if (typeof reply === "number") return Buffer.from(`:${reply}\r\n`);
  if (Array.isArray(reply)) return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map(encode)]);
  const bytes = Buffer.isBuffer(reply) ? reply : Buffer.from(String(reply));
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
}
