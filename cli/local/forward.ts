import { connect, createServer, type Socket } from "node:net";

export interface Forward {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on loopback and passes each connection on to where `target` says it goes now. Chromium has another port after each restart;
 * an agent in a process of its own gets one address that stays. `port` is taken if it is free, else any.
 */
export async function startForward(port: number, target: () => Promise<string>): Promise<Forward> {
  const open = new Set<Socket>();
  const server = createServer((inbound) => {
    open.add(inbound);
    inbound.on("close", () => open.delete(inbound)).on("error", () => inbound.destroy());
    target().then(
      (address) => {
        const { hostname, port: targetPort } = new URL(address);
        const outbound = connect(Number(targetPort), hostname);
        open.add(outbound);
        outbound.on("close", () => open.delete(outbound)).on("error", () => inbound.destroy());
        inbound.on("close", () => outbound.destroy()).pipe(outbound);
        outbound.on("close", () => inbound.destroy()).pipe(inbound);
      },
      () => inbound.destroy(),
    );
  });
  const listen = (at: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(at, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  await listen(port).catch(() => listen(0));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the forward has no port");
  return {
    port: address.port,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
