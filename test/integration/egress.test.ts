import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type EgressProxy, startEgressProxy } from "../../egress/proxy.ts";
import { readEgressUsage } from "../../lib/edges/egress-usage.ts";
import { createEgressTokenVerifier, mintStepTokens, type StepClaims } from "../../lib/token.ts";
import { attacked } from "../attempts.ts";

const keys = generateKeyPairSync("ed25519");
const log = pino({ level: "silent" });
let server: http.Server;
let proxy: EgressProxy;
let token: string;
const hosts: (string | undefined)[] = [];
const lookups: string[] = [];
const refusals: string[] = [];

const ALLOW = [
  "shop.test",
  "*.wild.test",
  "inner.test",
  "mixed.test",
  "mapped.test",
  "lost.test",
  "slow.test",
  "far.test",
  "127.0.0.1",
];
const ADDRESSES: Record<string, string[]> = {
  "inner.test": ["192.168.0.1"],
  "mixed.test": ["93.184.216.34", "127.0.0.1"],
  "mapped.test": ["::ffff:169.254.169.254"],
  "127.0.0.1": ["127.0.0.1"],
};

beforeAll(async () => {
  server = http.createServer((request, response) => {
    hosts.push(request.headers.host);
    response.end(`${request.method} ${request.url}`);
  });
  // Tunnels end by the proxy alone.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const target = { address: "127.0.0.1", port: (server.address() as AddressInfo).port };
  proxy = await startEgressProxy({
    verifyToken: createEgressTokenVerifier([keys.publicKey]),
    log,
    host: "127.0.0.1",
    port: 0,
    resolve: new Map([
      ["shop.test", target],
      ["a.wild.test", target],
      ["unlisted.test", target],
    ]),
    lookup: async (host) => {
      lookups.push(host);
      const found = ADDRESSES[host];
      if (found) return found;
      throw Object.assign(new Error("no address"), { code: host === "slow.test" ? "EAI_AGAIN" : "ENOTFOUND" });
    },
    onRefused: ({ job, host, reason }) => refusals.push(`${job} ${host} ${reason}`),
  });
  token = await tokenFor("job-1");
});
afterAll(async () => {
  await proxy.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  hosts.length = lookups.length = refusals.length = 0;
});

async function tokenFor(job: string, expires = Date.now() + 60_000): Promise<string> {
  const { egressToken } = await mintStepTokens(claimsOf(job), keys.privateKey, new Date(expires));
  return egressToken;
}

function claimsOf(job: string): StepClaims {
  const deadline = new Date(Date.now() + 60_000).toISOString();
  return { sub: "uid", jti: job, run: "run", allow: ALLOW, deadline, retryLimit: 0 };
}

interface Answer {
  readonly status: number;
  readonly reason: unknown;
  readonly body: string;
}

/** What a browser sends: an absolute URL for http, CONNECT and then the request for https. */
function ask(url: string, way: "plain" | "tunnel", user = "job-1", password = token): Promise<Answer> {
  const { host, hostname, port, pathname, search } = new URL(url);
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const to = { host: "127.0.0.1", port: proxy.port, agent: false as const };
  const headers = user === "" ? {} : { "proxy-authorization": authorization };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const answer = (response: http.IncomingMessage) => {
    let body = "";
    response.on("data", (chunk) => (body += chunk));
    response.on("end", () =>
      resolve({ status: response.statusCode ?? 0, reason: response.headers["agentic-egress"], body }),
    );
  };
  if (way === "plain") {
    http.get({ ...to, path: url, headers: { ...headers, host } }, answer).on("error", reject);
    return promise;
  }
  const connect = http.request({ ...to, method: "CONNECT", path: `${hostname}:${port || 443}`, headers });
  connect.on("error", reject).on("connect", (response, socket) => {
    if (response.statusCode !== 200) {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, reason: response.headers["agentic-egress"], body: "" });
      return;
    }
    const inner = { createConnection: () => socket, path: pathname + search, headers: { host, connection: "close" } };
    http.get(inner, answer).on("error", reject);
  });
  connect.end();
  return promise;
}

describe.each(["plain", "tunnel"] as const)("by %s request", (way) => {
  test.each<[host: string, status: number, reason: string | undefined]>([
    ["shop.test", 200, undefined],
    ["SHOP.test", 200, undefined],
    ["shop.test:8443", 200, undefined],
    ["far.test:6379", 403, "PortNotAllowed"],
    ["a.wild.test", 200, undefined],
    ["wild.test", 403, "HostNotAllowed"],
    ["unlisted.test", 403, "HostNotAllowed"],
    ["shop.test.evil.test", 403, "HostNotAllowed"],
    ["localhost", 403, "HostNotAllowed"],
    ["169.254.169.254", 403, "HostNotAllowed"],
    ["[::1]", 403, "HostNotAllowed"],
    ["127.0.0.1", 403, "AddressNotPublic"],
    ["inner.test", 403, "AddressNotPublic"],
    ["mixed.test", 403, "AddressNotPublic"],
    ["mapped.test", 403, "AddressNotPublic"],
    ["lost.test", 593, "HostNotFound"],
    ["slow.test", 593, "NameServerUnavailable"],
  ])("%s: %d %s", async (host, status, reason) => {
    if (status !== 200) attacked();
    expect(await ask(`http://${host}/x?y=1`, way)).toMatchObject({ status, reason });
    if (status === 200) expect(hosts).toEqual([new URL(`http://${host}/`).host]);
    else expect(hosts).toEqual([]);
  });

  test("path and query arrive as they were sent, and a name with a fixed address is not looked up", async () => {
    expect(await ask("http://shop.test/a/b?c=d%20e", way)).toMatchObject({ body: "GET /a/b?c=d%20e" });
    expect(lookups).toEqual([]);
  });

  test("a name is looked up once: the proxy connects to the address that it checked", async () => {
    await ask("http://inner.test/", way);
    expect(lookups).toEqual(["inner.test"]);
  });

  test("a request without a login is asked for one", async () => {
    attacked();
    expect(await ask("http://shop.test/", way, "")).toMatchObject({ status: 407 });
  });

  test.each<[what: string, user: string, password: () => Promise<string>]>([
    ["no token", "job-1", async () => "password"],
    ["another job's token", "job-2", async () => token],
    ["an expired token", "job-1", () => tokenFor("job-1", Date.now() - 1000)],
    [
      "a token signed by another",
      "job-1",
      async () => {
        const other = generateKeyPairSync("ed25519");
        const tokens = await mintStepTokens(claimsOf("job-1"), other.privateKey, new Date(Date.now() + 60_000));
        return tokens.egressToken;
      },
    ],
    [
      "the token of the step itself",
      "job-1",
      async () => {
        const tokens = await mintStepTokens(claimsOf("job-1"), keys.privateKey, new Date(Date.now() + 60_000));
        return tokens.token;
      },
    ],
  ])("%s is refused", async (_, user, password) => {
    attacked();
    expect(await ask("http://shop.test/", way, user, await password())).toMatchObject({
      status: 403,
      reason: "InvalidToken",
    });
    expect(hosts).toEqual([]);
  });
});

test("requests, bytes and refusals are counted by job", async () => {
  const job = "job-counted";
  const own = await tokenFor(job);
  await ask("http://shop.test/", "plain", job, own);
  await ask("http://shop.test/", "tunnel", job, own);
  await ask("http://foreign.test/", "plain", job, own);
  await ask("http://foreign.test/", "tunnel", job, own);
  const bytes = expect.any(Number);
  expect(proxy.usage(job)).toEqual({
    requests: 2,
    bytes,
    hosts: [{ host: "shop.test", requests: 2, bytes }],
    refused: [{ host: "foreign.test", reason: "HostNotAllowed", count: 2 }],
  });
  expect(proxy.usage(job).bytes).toBeGreaterThan(400);
  expect(refusals).toEqual(Array(2).fill(`${job} foreign.test HostNotAllowed`));
  expect(proxy.usage("unknown")).toEqual({ requests: 0, bytes: 0, hosts: [], refused: [] });
});

test("a job learns what was counted for it, and no other job's", async () => {
  const [mine, other] = ["job-mine", "job-other"];
  const [password, others] = await Promise.all([tokenFor(mine), tokenFor(other)]);
  await ask("http://shop.test/", "plain", mine, password);
  const access = { proxy: proxy.url, username: mine, password };
  expect(await readEgressUsage(access)).toEqual(proxy.usage(mine));
  expect(proxy.usage(mine)).toMatchObject({ requests: 1, hosts: [{ host: "shop.test" }] });
  expect(await readEgressUsage({ ...access, password: others })).toBeUndefined();
  expect(await readEgressUsage({ ...access, proxy: "http://127.0.0.1:1" })).toBeUndefined();
});

test("a proxy that says nothing of it is waited for a few seconds", async () => {
  const silent = http.createServer(() => undefined);
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const began = Date.now();
  expect(await readEgressUsage({ proxy: url, username: "job", password: "x" })).toBeUndefined();
  expect(Date.now() - began).toBeLessThan(10_000);
});

/** A tunnel that stays open. @returns what it is, and when it has ended */
async function openTunnel(
  job: string,
  password: string,
  { port } = proxy,
): Promise<{ socket: Socket; ended: Promise<unknown> }> {
  const authorization = `Basic ${Buffer.from(`${job}:${password}`).toString("base64")}`;
  const headers = { "proxy-authorization": authorization };
  const connect = http.request({
    host: "127.0.0.1",
    port,
    agent: false,
    method: "CONNECT",
    path: "shop.test:443",
    headers,
  });
  const opened = once(connect.end(), "connect") as Promise<[http.IncomingMessage, Socket]>;
  const [response, socket] = await opened;
  expect(response.statusCode).toBe(200);
  socket.on("error", () => undefined).resume();
  return { socket, ended: once(socket, "close") };
}

test("a tunnel ends with its token, and a token that has expired is refused at once", async () => {
  const job = "job-short";
  const expires = Math.ceil(Date.now() / 1000) * 1000 + 1000;
  const own = await tokenFor(job, expires);
  const { ended } = await openTunnel(job, own);
  await ended;
  expect(Date.now()).toBeGreaterThanOrEqual(expires - 50);
  expect(await ask("http://shop.test/", "plain", job, own)).toMatchObject({ status: 403, reason: "InvalidToken" });
});

test("a job has so many bytes, and no more: its tunnels are closed", async () => {
  const target = { address: "127.0.0.1", port: (server.address() as AddressInfo).port };
  const own = await startEgressProxy({
    verifyToken: createEgressTokenVerifier([keys.publicKey]),
    log,
    host: "127.0.0.1",
    port: 0,
    resolve: new Map([["shop.test", target]]),
    maxJobBytes: 10_000,
  });
  onTestFinished(() => own.close());
  const job = "job-greedy";
  const { socket, ended } = await openTunnel(job, await tokenFor(job), own);
  for (let request = 0; request < 12; request++)
    socket.write(`GET /${"x".repeat(1000)} HTTP/1.1\r\nhost: shop.test\r\n\r\n`);
  await ended;
  expect(own.usage(job).bytes).toBeGreaterThan(10_000);
  expect((await openTunnel("job-other", await tokenFor("job-other"), own)).socket.destroyed).toBe(false);
  await expect(openTunnel(job, await tokenFor(job), own)).rejects.toThrow("403");
});

test("a token is verified once for all that a page asks for, and again a minute later", async () => {
  const verify = createEgressTokenVerifier([keys.publicKey]);
  let verified = 0;
  const target = { address: "127.0.0.1", port: (server.address() as AddressInfo).port };
  const own = await startEgressProxy({
    verifyToken: (text) => {
      verified++;
      return verify(text);
    },
    log,
    host: "127.0.0.1",
    port: 0,
    resolve: new Map([["shop.test", target]]),
  });
  const authorization = `Basic ${Buffer.from(`job-1:${token}`).toString("base64")}`;
  const page = (): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const headers = { host: "shop.test", "proxy-authorization": authorization };
      const to = { host: "127.0.0.1", port: own.port, agent: false as const, path: "http://shop.test/", headers };
      http.get(to, (response) => resolve(response.resume().statusCode)).on("error", reject);
    });
  try {
    expect([await page(), await page(), verified]).toEqual([200, 200, 1]);
    const since = performance.now();
    vi.spyOn(performance, "now").mockImplementation(() => since + 61_000);
    expect([await page(), verified]).toEqual([200, 2]);
  } finally {
    vi.restoreAllMocks();
    await own.close();
  }
});
