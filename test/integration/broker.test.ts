import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CloudEvent } from "cloudevents";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectBroker } from "../../lib/edges/broker.ts";

// What a publisher sends, and makes of an answer. That the answers are a real Broker's is for the tests on a cluster.

const received: { headers: IncomingHttpHeaders; body: string }[] = [];
let status: number;
let server: Server;
let url: string;
let folder: string;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await text(request) });
    response.writeHead(status).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/agentic-system/default`;
  folder = await mkdtemp(join(tmpdir(), "agentic-broker-"));
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  received.length = 0;
  status = 202;
});

const event = () => new CloudEvent({ id: "1", source: "/test", type: "test", data: { a: 1 } });
const authorizations = () => received.map(({ headers }) => headers.authorization);

describe("the token of a publisher", () => {
  test("is read anew for each event", async () => {
    const file = join(folder, "token");
    const send = connectBroker(url, file);
    await writeFile(file, "first\n");
    await send(event());
    await writeFile(file, "second");
    await send(event());
    expect(authorizations()).toEqual(["Bearer first", "Bearer second"]);
    expect(received[0]?.headers["ce-type"]).toBe("test");
    expect(received[0]?.body).toBe('{"a":1}');
  });

  test("is not sent where there is none", async () => {
    await connectBroker(url)(event());
    expect(authorizations()).toEqual([undefined]);
  });

  test("that cannot be read is said, and nothing is sent", async () => {
    await expect(connectBroker(url, join(folder, "nowhere"))(event())).rejects.toMatchObject({
      name: "RetryableError",
      reason: "BrokerUnavailable",
      message: expect.stringMatching(/ENOENT.*nowhere.*BROKER_TOKEN_FILE/),
    });
    expect(received).toEqual([]);
  });
});

test.each([
  [401, /HTTP 401.*eventpolicies/],
  [403, /HTTP 403.*eventpolicies/],
  [404, /HTTP 404.*kubectl get broker/],
  [503, /HTTP 503.*kubectl get broker/],
])("a Broker that answers %d: to be tried again, and what to look at", async (answer, message) => {
  status = answer;
  await expect(connectBroker(url)(event())).rejects.toMatchObject({
    reason: "BrokerUnavailable",
    message: expect.stringMatching(message),
  });
});

test("no Broker: to be tried again", async () => {
  const gone = createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, "close");
  await expect(connectBroker(`http://127.0.0.1:${port}`)(event())).rejects.toMatchObject({
    reason: "BrokerUnavailable",
    message: expect.stringMatching(/ECONNREFUSED.*kubectl get broker/),
  });
});
