import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "node:test";
import type { AgentEdges, StepContext } from "agentic-kubernetes/agent";
import { createVisitors, type Visitor } from "../src/visitor.js";

const SITE = "http://www.shop.example/";

const proxies: Server[] = [];
afterEach(() => {
  for (const proxy of proxies.splice(0)) proxy.close();
});

/** A visitor whose egress proxy answers like this. Requests to it are as `METHOD URL`. */
async function visitor(answer: (request: IncomingMessage, response: ServerResponse, nth: number) => void) {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response, asked.length);
  }).listen(0, "127.0.0.1");
  proxies.push(proxy);
  await new Promise((resolve) => proxy.once("listening", resolve));
  const egressProxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const context = { identity: "id", egressToken: "token", signal: AbortSignal.timeout(30_000) };
  const made: Visitor = createVisitors({ egressProxy } as AgentEdges)(context as StepContext);
  return { ...made, asked };
}

test("silence is asked again once", async () => {
  const { head, asked } = await visitor((request, response, nth) =>
    nth === 1 ? request.socket.destroy() : response.writeHead(404).end(),
  );
  assert.equal((await head(SITE)).status, 404);
  assert.deepEqual(asked, [`HEAD ${SITE}`, `HEAD ${SITE}`]);
});

test("GET takes the place of a HEAD that a server does not know", async () => {
  const { head, asked } = await visitor(({ method }, response) =>
    response.writeHead(method === "HEAD" ? 405 : 200).end(),
  );
  assert.equal((await head(SITE)).status, 200);
  assert.deepEqual(asked, [`HEAD ${SITE}`, `GET ${SITE}`]);
});

test("robots.txt: its rules, none after 404, RobotsUnreachable after 500", async () => {
  const rules = await (await visitor((_request, response) => response.end("User-agent: *\nDisallow: /private"))).robots(
    SITE,
  );
  assert.deepEqual([rules.isAllowed(`${SITE}private/x`), rules.isAllowed(`${SITE}public`)], [false, true]);
  const none = await (await visitor((_request, response) => response.writeHead(404).end("Disallow: /"))).robots(SITE);
  assert.ok(none.isAllowed(SITE));
  const away = await visitor((_request, response) => response.writeHead(500).end());
  await assert.rejects(away.robots(SITE), { reason: "RobotsUnreachable" });
});

test("requests to one host are a pause apart, to different hosts they are not", async () => {
  const times = new Map<string, number[]>();
  const { head } = await visitor(({ url = "" }, response) => {
    times.set(new URL(url).host, [...(times.get(new URL(url).host) ?? []), performance.now()]);
    response.end();
  });
  await Promise.all([head(SITE), head("http://other.example/"), head(`${SITE}b`), head(`${SITE}c`)]);
  const [first = 0, , third = 0] = times.get("www.shop.example") ?? [];
  assert.ok(third - first >= 150, `${third - first} ms for three`);
  assert.ok(Math.abs((times.get("other.example")?.[0] ?? 0) - first) < third - first);
});
