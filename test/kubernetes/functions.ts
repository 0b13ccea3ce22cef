import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { type Answer, get } from "./cluster.ts";
import { forwardPort } from "./port-forward.ts";

// Functions as whoever knows their name in the cluster reaches them: by Kourier.

const GATEWAY = { namespace: "kourier-system", name: "kourier-internal" };

const service = await get("services", GATEWAY.namespace, GATEWAY.name);
const podPort: number | undefined = service?.spec.ports.find(({ port }: { port: number }) => port === 80)?.targetPort;
if (podPort === undefined) throw new Error(`no Service ${GATEWAY.namespace}/${GATEWAY.name}: is Kourier installed?`);

/** HOST:PORT: an HTTP proxy for the names of functions. */
export const gateway = await forwardPort(GATEWAY, podPort);

/**
 * Asks a function, which is started when it is at zero. One that refuses a body before it has read all of it closes the connection
 * half a second later (@hono/node-server): what has arrived by then is the answer.
 */
export async function askFunction(
  name: string,
  path: string,
  {
    namespace = "agentic-system",
    method = "GET",
    headers = {},
    body,
  }: { namespace?: string; method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const host = `${name}.${namespace}.svc.cluster.local`;
  const asked = request(`http://${gateway}${path}`, { method, headers: { host, ...headers }, agent: false }).end(body);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const answer = await text(response).catch(() => "");
  return { status: response.statusCode ?? 0, headers: response.headers, body: answer };
}
