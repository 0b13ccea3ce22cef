import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { PortForward } from "@kubernetes/client-node";
import { config } from "./cluster.ts";

const forwarding = new PortForward(config);

/** A Service by its name: the first of its pods that is ready. */
type Target = { readonly namespace: string } & ({ readonly name: string } | { readonly pod: string });

/**
 * A port of this machine that leads to a pod, as long as this process lives. An address in the cluster's network is routed from few
 * machines. @returns HOST:PORT
 */
export async function forwardPort(target: Target, podPort: number): Promise<string> {
  const server = createServer((socket) => {
    forward(socket, target, podPort).catch((error: Error) => socket.destroy(error));
  });
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Each connection goes by the API server on its own: what breaks one breaks no other. */
async function forward(socket: Socket, target: Target, podPort: number): Promise<void> {
  socket.on("error", () => socket.destroy());
  const { namespace } = target;
  const connection = await ("pod" in target
    ? forwarding.portForward(namespace, target.pod, [podPort], socket, null, socket)
    : forwarding.portForwardService(namespace, target.name, [podPort], socket, null, socket));
  if (!("onclose" in connection)) return;
  connection.onclose = () => socket.end();
  socket.once("close", () => connection.close());
}
