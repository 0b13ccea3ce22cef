import { generateKeyPairSync } from "node:crypto";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type EgressProxy, startEgressProxy } from "../../egress/proxy.ts";
import type { EgressAccess, EgressRequest } from "../../lib/edges/egress-access.ts";
import { checkTunnel, egressFetch } from "../../lib/edges/egress-client.ts";
import { createEgressTokenVerifier, mintStepTokens } from "../../lib/token.ts";
import { type HostileSite, startHostileSite } from "../hostile-site/server.ts";

const JOB = "job-1";
const keys = generateKeyPairSync("ed25519");
const never = new AbortController().signal;
let site: HostileSite;
let server: http.Server;
let proxy: EgressProxy;
let access: EgressAccess;
const asked: string[] = [];

beforeAll(async () => {
  site = await startHostileSite();
  server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.host} ${request.url} ${request.headers["x-own"] ?? ""}`.trim());
    const hops = Number(/^\/hop-(\d)$/.exec(request.url ?? "")?.[1] ?? "0");
    if (request.url === "/away") response.writeHead(302, { location: "http://foreign.test/" }).end();
    else if (request.url === "/ftp") response.writeHead(302, { location: "ftp://shop.test/" }).end();
    else if (hops > 0) response.writeHead(302, { location: `/hop-${hops - 1}` }).end();
    else if (request.url === "/large") response.end("x".repeat(100_000));
    else if (request.url === "/endless") response.write("x".repeat(1000));
    else if (request.url === "/silent") return;
    else if (request.url === "/cut") request.socket.destroy();
    else if (request.url === "/login") response.writeHead(407).end();
    else request.pipe(response.writeHead(request.url === "/missing" ? 404 : 200, { "set-cookie": ["a=1", "b=2"] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const plain = { address: "127.0.0.1", port: (server.address() as AddressInfo).port };
  proxy = await startEgressProxy({
    verifyToken: createEgressTokenVerifier([keys.publicKey]),
    log: pino({ level: "silent" }),
    host: "127.0.0.1",
    port: 0,
    resolve: new Map([
      ["shop.test", plain],
      ["tls.test", { address: "127.0.0.1", port: site.httpsPort }],
      // Nothing listens on port 1.
      ["refused.test", { address: "127.0.0.1", port: 1 }],
    ]),
    lookup: async (host) => {
      if (host === "inner.test") return ["10.0.0.1"];
      throw Object.assign(new Error("no address"), { code: host === "slow.test" ? "EAI_AGAIN" : "ENOTFOUND" });
    },
  });
  const allow = ["shop.test", "tls.test", "refused.test", "inner.test", "lost.test", "slow.test"];
  const expires = new Date(Date.now() + 240_000);
  const claims = { sub: "uid", jti: JOB, run: "run", allow, deadline: expires.toISOString(), retryLimit: 0 };
  const { egressToken } = await mintStepTokens(claims, keys.privateKey, expires);
  access = { proxy: proxy.url, username: JOB, password: egressToken };
});
afterAll(async () => {
  await proxy?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await site?.close();
});
beforeEach(() => {
  asked.length = 0;
});

function get(url: string, more: Partial<EgressRequest> = {}, as = access) {
  return egressFetch(as)(new URL(url), { signal: never, maxBytes: 10_000, ...more });
}
const text = ({ body }: { body: Uint8Array }) => new TextDecoder().decode(body);

describe("an answer", () => {
  test("has its status, headers and body, whatever the status", async () => {
    const answer = await get("http://shop.test/missing?x=%20", {
      method: "POST",
      body: "hello",
      headers: { "x-own": "1" },
    });
    expect(answer).toMatchObject({ status: 200, url: "http://shop.test/missing?x=%20", truncated: false });
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(text(answer)).toBe("hello");
    expect(asked).toEqual(["POST shop.test /missing?x=%20 1"]);
    expect((await get("http://shop.test/missing")).status).toBe(404);
  });

  test("is read as far as was asked for", async () => {
    const answer = await get("http://shop.test/large", { maxBytes: 100 });
    expect([answer.body.length, answer.truncated]).toEqual([100, true]);
    expect(await get("http://shop.test/large", { maxBytes: 100_000 })).toMatchObject({ truncated: false });
    expect(await get("http://shop.test/endless", { maxBytes: 100 })).toMatchObject({ truncated: true });
  });

  test("of a server with a certificate that nobody trusts is read only where that is asked for", async () => {
    const request = { signal: never, maxBytes: 10_000 };
    await expect(get("https://tls.test/")).rejects.toMatchObject({
      name: "TerminalError",
      reason: "InvalidCertificate",
    });
    const trusting = egressFetch(access, { checkCertificates: false });
    expect((await trusting(new URL("https://tls.test/"), request)).status).toBe(200);
  });
});

describe("a redirect", () => {
  test("is an answer unless it is to be followed", async () => {
    const answer = await get("http://shop.test/hop-2");
    expect([answer.status, answer.headers["location"]]).toEqual([302, "/hop-1"]);
  });

  test("is followed as far as was asked for", async () => {
    expect(await get("http://shop.test/hop-2", { maxRedirects: 2 })).toMatchObject({
      status: 200,
      url: "http://shop.test/hop-0",
    });
    expect(await get("http://shop.test/hop-3", { maxRedirects: 2 })).toMatchObject({
      status: 302,
      url: "http://shop.test/hop-1",
    });
  });

  test.each<[string, string, RegExp]>([
    ["/away", "EgressRefused", /foreign\.test/],
    ["/ftp", "InvalidRequest", /protocol|ftp/i],
  ])("to %s ends there", async (path, reason, message) => {
    const failed = await get(`http://shop.test${path}`, { maxRedirects: 5 }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: "TerminalError", reason });
    expect((failed as Error).message).toMatch(message);
  });
});

describe("trouble has its reason", () => {
  test.each<[url: string, name: string, reason: string, message: RegExp, more?: Partial<EgressRequest>]>([
    ["http://foreign.test/", "TerminalError", "EgressRefused", /foreign\.test is not on the step's list/],
    ["https://foreign.test/", "TerminalError", "EgressRefused", /foreign\.test is not on the step's list/],
    ["http://inner.test/", "TerminalError", "EgressRefused", /inner\.test .* not public/],
    ["https://inner.test/", "TerminalError", "EgressRefused", /inner\.test .* not public/],
    ["http://lost.test/", "TerminalError", "HostNotFound", /lost\.test/],
    ["https://lost.test/", "TerminalError", "HostNotFound", /lost\.test/],
    ["http://slow.test/", "RetryableError", "HostNotFound", /slow\.test/],
    ["https://slow.test/", "RetryableError", "HostNotFound", /slow\.test/],
    ["http://refused.test/", "RetryableError", "ConnectionRefused", /refused\.test/],
    ["https://refused.test/", "RetryableError", "ConnectionRefused", /refused\.test/],
    ["http://shop.test/cut", "RetryableError", "ConnectionRefused", /shop\.test .* ended/],
    ["http://shop.test/silent", "RetryableError", "Timeout", /shop\.test .* 0\.3 s/, { timeoutMs: 300 }],
    ["http://shop.test/endless", "RetryableError", "Timeout", /shop\.test/, { timeoutMs: 300 }],
    ["ftp://shop.test/", "TerminalError", "InvalidRequest", /neither http nor https/],
  ])("%s: %s %s", async (url, name, reason, message, more) => {
    const failed = await get(url, more).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name, reason });
    expect((failed as Error).message).toMatch(message);
  });

  test.each(["http://shop.test/", "https://tls.test/"])("%s without a login, or with another's", async (url) => {
    await expect(get(url, {}, { ...access, username: "" })).rejects.toMatchObject({
      reason: "EgressRefused",
      message: expect.stringMatching(/asks for a login/),
    });
    await expect(get(url, {}, { ...access, username: "job-2" })).rejects.toMatchObject({
      reason: "EgressRefused",
      message: expect.stringMatching(/expired, or belongs to another step/),
    });
    expect(asked).toEqual([]);
  });

  test("a proxy that is not there is no attempt of the step", async () => {
    const away = { ...access, proxy: "http://127.0.0.1:1" };
    for (const url of ["http://shop.test/", "https://tls.test/"])
      await expect(get(url, {}, away)).rejects.toMatchObject({ reason: "EgressUnavailable", countsAsAttempt: false });
  });

  test.each(["http://shop.test/", "https://shop.test/"])(
    "a proxy that takes the connection of %s and says nothing holds up nobody for longer than was asked",
    async (url) => {
      const silent = net.createServer();
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const held: net.Socket[] = [];
      silent.on("connection", (socket) => held.push(socket));
      const hung = { ...access, proxy: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` };
      const stop = new AbortController();
      const reason = new Error("lease lost");
      const began = Date.now();
      const stopped = get(url, { signal: stop.signal }, hung);
      stopped.catch(() => undefined);
      await expect(get(url, { timeoutMs: 200 }, hung)).rejects.toMatchObject({ reason: "Timeout" });
      stop.abort(reason);
      await expect(stopped).rejects.toBe(reason);
      // Of the thirty seconds that a tunnel may take to open.
      expect(Date.now() - began).toBeLessThan(10_000);
      for (const socket of held) socket.destroy();
      silent.close();
    },
  );

  test("the caller's abort is the caller's reason", async () => {
    const reason = new Error("draining");
    for (const url of ["http://shop.test/silent", "http://shop.test/endless"]) {
      const stop = new AbortController();
      const answer = get(url, { signal: stop.signal });
      setTimeout(() => stop.abort(reason), 50);
      await expect(answer).rejects.toBe(reason);
    }
  });
});

test("a tunnel is tried without a request to its target", async () => {
  await checkTunnel(access, new URL("https://shop.test/"), never);
  await expect(checkTunnel(access, new URL("https://foreign.test/"), never)).rejects.toMatchObject({
    reason: "EgressRefused",
  });
  await expect(checkTunnel(access, new URL("https://refused.test/"), never)).rejects.toMatchObject({
    reason: "ConnectionRefused",
  });
  expect(asked).toEqual([]);
});
