import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { kubectl } from "./cluster.ts";
import { forwardPort } from "./port-forward.ts";

// Knative Eventing as a pod reaches it: the API server's proxy would keep a publisher's token for itself.

interface Service {
  readonly name: string;
  readonly host?: string;
  readonly path: string;
}

const BROKER: Service = { name: "broker-ingress", path: "/agentic-system/default" };

/** Whom a token is for that the Broker takes. */
export const AUDIENCE = "eventing.knative.dev/broker/agentic-system/default";

/** A service account's token, as the API server signs it for whoever may ask. */
export async function tokenOf(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  audience?: string,
): Promise<string> {
  const args = audience === undefined ? [] : [`--audience=${audience}`];
  // Verification runs go on for hours.
  return (await kubectl(["-n", namespace, "create", "token", name, "--duration=24h", ...args])).trim();
}

const ports = new Map<string, Promise<string>>();

function portOf({ name }: Service): Promise<string> {
  const port = ports.get(name) ?? forwardPort({ namespace: "knative-eventing", name }, 8080);
  ports.set(name, port);
  return port;
}

/** Hands an event to the product's Broker, or to another part of Knative Eventing. @returns the status of its answer */
export async function publish(event: Record<string, unknown>, token?: string, to = BROKER): Promise<number> {
  const port = await portOf(to);
  const headers = {
    host: to.host ?? port,
    "content-type": "application/cloudevents+json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const body = JSON.stringify({ specversion: "1.0", source: "/test", datacontenttype: "application/json", ...event });
  const asked = request(`http://${port}${to.path}`, { method: "POST", headers, agent: false }).end(body);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

let publisher: Promise<string> | undefined;

/** Hands an event to the Broker, as somebody whom an EventPolicy names (test/cluster/product/support.yaml). */
export async function sendEvent(event: Record<string, unknown>): Promise<void> {
  publisher ??= tokenOf({ namespace: "agentic-system", name: "publisher" }, AUDIENCE);
  const status = await publish(event, await publisher);
  if (status !== 202) throw new Error(`the Broker answers ${status}`);
}
