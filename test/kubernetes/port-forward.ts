import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { PortForward } from "@kubernetes/client-node";
import { config } from "./cluster.ts";

const forwarding = new PortForward(config);

/**
 * A port of this machine that leads to one of a Service's pods, as long as this process lives. An address in the cluster's network is
 * routed from few machines. @returns HOST:PORT
 */
export async function forwardPort(service: { namespace: string; name: string }, podPort: number): Promise<string> {
  const server = createServer((socket) => {
    forward(socket, service, podPort).catch((error: Error) => socket.destroy(error));
  });
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Each connection goes by the API server on its own: what breaks one breaks no other. */
async function forward(socket: Socket, service: { namespace: string; name: string }, podPort: number): Promise<void> {
  socket.on("error", () => socket.destroy());
  const { namespace, name } = service;
  const connection = await forwarding.portForwardService(namespace, name, [podPort], socket, null, socket);
  if (!("onclose" in connection)) return;
  connection.onclose = () => socket.end();
  socket.once("close", () => connection.close());
}
