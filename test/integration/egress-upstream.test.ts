import { generateKeyPairSync } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type EgressProxy, startEgressProxy } from "../../egress/proxy.ts";
import { checkTunnel, egressFetch } from "../../lib/edges/egress-client.ts";
import { accessKey, createProxyOpener } from "../../lib/sealed-access.ts";
import { createEgressTokenVerifier, mintStepTokens } from "../../lib/token.ts";
import { startUpstreamProxy, type UpstreamProxy } from "../upstream-proxy.ts";

const keys = generateKeyPairSync("ed25519");
const KEY = accessKey(keys.privateKey, "egress");
const JOB = "team.1";
const LOGIN = "me:s3cr3t-pass";
const ALLOW = ["shop.test", "cdn.test"];
let server: http.Server;
let upstream: UpstreamProxy;
let egress: EgressProxy;
const asked: string[] = [];
const lines: string[] = [];

beforeAll(async () => {
  server = http.createServer((request, response) => {
    asked.push(`${request.headers.host}${request.url}`);
    response.end("a page");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  upstream = await startUpstreamProxy(LOGIN, port);
  const target = { address: "127.0.0.1", port };
  egress = await startEgressProxy({
    verifyToken: createEgressTokenVerifier([keys.publicKey]),
    openProxies: createProxyOpener(KEY),
    log: pino({ level: "trace" }, { write: (line) => void lines.push(line) }),
    host: "127.0.0.1",
    port: 0,
    // The operator's word: these are reached though they are not public.
    resolve: new Map([
      ["shop.test", target],
      ["cdn.test", target],
      ["upstream.test", { address: "127.0.0.1", port: upstream.port }],
    ]),
    lookup: async (host) => (host === "inner.test" ? ["10.0.0.1"] : []),
  });
});
afterAll(async () => {
  await egress?.close();
  await upstream?.close();
  server?.close();
});
beforeEach(() => {
  asked.splice(0);
  upstream.forwarded.splice(0);
});

async function accessBy(proxies: Readonly<Record<string, string>>, proxyKey = KEY) {
  const claims = { sub: "uid", jti: JOB, run: "r", allow: ALLOW, deadline: new Date().toISOString(), retryLimit: 0 };
  const access = Object.fromEntries(Object.entries(proxies).map(([host, proxy]) => [host, { proxy }]));
  const granted = { access, agentKey: KEY, proxyKey };
  const { egressToken } = await mintStepTokens(claims, keys.privateKey, new Date(Date.now() + 60_000), granted);
  return { proxy: egress.url, username: JOB, password: egressToken };
}
const ask = async (url: string, ...by: Parameters<typeof accessBy>) =>
  egressFetch(await accessBy(...by))(new URL(url), { signal: AbortSignal.timeout(10_000), maxBytes: 1000 });
const UPSTREAM = { "shop.test": `http://${LOGIN}@upstream.test:3128` };

test("a host with a proxy is reached by it, with its login and without ours; another host is not", async () => {
  expect((await ask("http://shop.test/plans?a=b", UPSTREAM)).status).toBe(200);
  expect(asked).toEqual(["shop.test/plans?a=b"]);
  expect(upstream.forwarded).toMatchObject([{ to: "shop.test:80", login: LOGIN }]);
  const { password } = await accessBy(UPSTREAM);
  expect(upstream.forwarded[0]?.headers).not.toContain(
    Buffer.from(`${JOB}:${password}`).toString("base64").slice(0, 60),
  );

  expect((await ask("http://cdn.test/style.css", UPSTREAM)).status).toBe(200);
  expect(asked).toContain("cdn.test/style.css");
  expect(upstream.forwarded).toHaveLength(1);
});

test("a tunnel goes by it, too", async () => {
  await checkTunnel(await accessBy(UPSTREAM), new URL("https://shop.test/"), AbortSignal.timeout(10_000));
  expect(upstream.forwarded).toMatchObject([{ to: "shop.test:443", login: LOGIN }]);
});

test("the list of the job comes first", async () => {
  const by = { "elsewhere.test": UPSTREAM["shop.test"] };
  await expect(ask("http://elsewhere.test/", by)).rejects.toMatchObject({ reason: "EgressRefused" });
  expect(upstream.forwarded).toEqual([]);
});

test.each([
  ["a private address", "http://inner.test:3128"],
  ["loopback", "http://127.0.0.1:3128"],
  ["the metadata of a cloud", "http://169.254.169.254"],
  ["a name of the cluster", "http://egress:3128"],
  ["no address", "http://gone.test:3128"],
])("a proxy at %s is refused, and the host is not reached without", async (_what, proxy) => {
  await expect(ask("http://shop.test/", { "shop.test": proxy })).rejects.toMatchObject({
    name: "TerminalError",
    reason: "EgressRefused",
    message: expect.stringContaining("the proxy that shop.test is to be reached by"),
  });
  expect(asked).toEqual([]);
});

test("one that cannot be decrypted is no reason to go without", async () => {
  const other = accessKey(keys.privateKey, "somebody-else");
  await expect(ask("http://shop.test/", UPSTREAM, other)).rejects.toMatchObject({
    name: "RetryableError",
    reason: "EgressUnavailable",
  });
  expect(asked).toEqual([]);
});

test("its login is in no line of the log, also where that proxy refuses it", async () => {
  const wrong = { "shop.test": "http://me:s3cr3t-wrong@upstream.test:3128" };
  await expect(ask("http://shop.test/", wrong)).rejects.toMatchObject({ name: "RetryableError" });
  await expect(
    checkTunnel(await accessBy(wrong), new URL("https://shop.test/"), AbortSignal.timeout(10_000)),
  ).rejects.toMatchObject({ name: "RetryableError" });
  expect(asked).toEqual([]);
  expect(lines.length).toBeGreaterThan(3);
  expect(lines.filter((line) => /s3cr3t|upstream\.test/.test(line))).toEqual([]);
});
