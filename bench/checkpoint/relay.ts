import { connect, createServer } from "node:net";
import RedisParser from "redis-parser";

export interface Relay {
  readonly port: number;
  /** Since the last reset. A round trip begins when a client speaks after it was answered. */
  readonly counts: { commands: number; roundTrips: number };
  reset(): void;
}

/** Between a client and a server that speaks RESP: passes all bytes, and counts. */
export async function startRelay(target: { path: string } | { host: string; port: number }): Promise<Relay> {
  const counts = { commands: 0, roundTrips: 0 };
  const server = createServer((client) => {
    const upstream = connect({ ...target, noDelay: true } as Parameters<typeof connect>[0] & object);
    client.setNoDelay();
    let waiting = false;
    const parser = new RedisParser({
      returnReply: () => void counts.commands++,
      returnError: () => client.destroy(),
      returnFatalError: () => client.destroy(),
    });
    client.on("data", (data: Buffer) => {
      if (!waiting) counts.roundTrips++;
      waiting = true;
      parser.execute(data);
      upstream.write(data);
    });
    upstream.on("data", (data: Buffer) => {
      waiting = false;
      client.write(data);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => undefined);
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    counts,
    reset() {
      counts.commands = 0;
      counts.roundTrips = 0;
    },
  };
}
