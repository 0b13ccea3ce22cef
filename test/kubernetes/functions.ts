import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { PortForward } from "@kubernetes/client-node";
import { afterAll } from "vitest";
import { type Answer, config, get } from "./cluster.ts";

// Functions as whoever knows their name in the cluster reaches them: by Kourier, which a port of this machine leads to until the
// test file has ended. An address in the cluster's network is routed from few machines.

const GATEWAY = { namespace: "kourier-system", name: "kourier-internal" };

const service = await get("services", GATEWAY.namespace, GATEWAY.name);
const podPort: number | undefined = service?.spec.ports.find(({ port }: { port: number }) => port === 80)?.targetPort;
if (podPort === undefined) throw new Error(`no Service ${GATEWAY.namespace}/${GATEWAY.name}: is Kourier installed?`);

const forwarding = new PortForward(config);
const server = createServer((socket) => {
  forward(socket, podPort).catch((error: Error) => socket.destroy(error));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
afterAll(() => {
  server.close();
});

/** HOST:PORT: an HTTP proxy for the names of functions. */
export const gateway = `127.0.0.1:${(server.address() as AddressInfo).port}`;

/** Each connection goes by the API server on its own: what breaks one breaks no other. */
async function forward(socket: Socket, port: number): Promise<void> {
  socket.on("error", () => socket.destroy());
  const { namespace, name } = GATEWAY;
  const connection = await forwarding.portForwardService(namespace, name, [port], socket, null, socket);
  if (!("onclose" in connection)) return;
  connection.onclose = () => socket.end();
  socket.once("close", () => connection.close());
}

/**
 * Asks a function, which is started when it is at zero. One that refuses a body before it has read all of it closes the connection
 * half a second later (@hono/node-server): what has arrived by then is the answer.
 */
export async function askFunction(
  name: string,
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const host = `${name}.agentic-system.svc.cluster.local`;
  const asked = request(`http://${gateway}${path}`, { method, headers: { host, ...headers }, agent: false }).end(body);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const answer = await text(response).catch(() => "");
  return { status: response.statusCode ?? 0, headers: response.headers, body: answer };
}
