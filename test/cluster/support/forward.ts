import { once } from "node:events";
import { connect, createServer } from "node:net";

/** What listens on loopback, as our examples and fakes do, for the whole pod network: bytes both ways, Host header and all. */
export async function forward(port: number, loopbackPort: number): Promise<void> {
  const server = createServer((client) => {
    const target = connect(loopbackPort, "127.0.0.1");
    client.pipe(target).pipe(client);
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.once("close", () => other.destroy());
    }
  });
  server.listen(port, "0.0.0.0");
  await once(server, "listening");
}
