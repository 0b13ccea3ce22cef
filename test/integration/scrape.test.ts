import { createSocket } from "node:dgram";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hono } from "hono";
import { pino } from "pino";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type EgressProxy, startEgressProxy } from "../../egress/proxy.ts";
import type { Item, StepResult } from "../../engine/result.ts";
import { summarySchema } from "../../engine/summary.ts";
import { createGraph } from "../../functions/scrape/graph.ts";
import { createAgentApp } from "../../lib/agent-app.ts";
import { createHostTurns } from "../../lib/durable/host-turns.ts";
import { type Artifacts, createFolderArtifacts, getJson } from "../../lib/edges/artifacts.ts";
import { type Browser, connectBrowser } from "../../lib/edges/browser.ts";
import { type Chromium, startChromium } from "../../lib/edges/chromium.ts";
import { type Capture, captureSchema, MAX_TEXT_CHARS } from "../../pipelines/market-analysis/capture.ts";
import { askedWorkload, createAsker, resultOf } from "../ask-agent.ts";
import { type HostileSite, startHostileSite } from "../hostile-site/server.ts";
import { redisForFile } from "./redis.ts";

/** Names that the proxy knows; each shows the hostile site. */
const HOSTS = ["shop.test", "closed.test", "no-robots.test", "robots-down.test", "robots-loop.test", "silent.test"];

const asker = await createAsker();
const log = pino({ level: process.env["TEST_LOG"] ?? "silent" });
const ownRedis = redisForFile();
let site: HostileSite;
let chromium: Chromium;
let browser: Browser;
let proxy: EgressProxy;
let artifacts: Artifacts;
let folder: string;
let app: Hono;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-scrape-"));
  artifacts = createFolderArtifacts(join(folder, "artifacts"));
  site = await startHostileSite();
  const plain = { address: "127.0.0.1", port: site.httpPort };
  proxy = await startEgressProxy({
    verifyToken: asker.verifyEgressToken,
    log,
    host: "127.0.0.1",
    port: 0,
    resolve: new Map([
      ...HOSTS.map((host) => [host, plain] as const),
      ["tls.test", { address: "127.0.0.1", port: site.httpsPort }],
      // Nothing listens on port 1.
      ["refused.test", { address: "127.0.0.1", port: 1 }],
    ]),
    lookup: async (host) => {
      if (host === "inner.test") return ["10.0.0.1"];
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" });
    },
  });
  chromium = await startChromium();
  browser = connectBrowser(() => chromium.endpoint(), chromium.directory);
  const graph = createGraph(
    { artifacts, browser, egressProxy: proxy.url, hosts: createHostTurns(ownRedis.redis, "") },
    0,
  );
  app = createAgentApp(graph, asker.deps({ redis: ownRedis.redis, artifacts, log }));
});
afterAll(async () => {
  await browser?.close();
  await chromium?.stop();
  await proxy?.close();
  await site?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  site.seen.length = 0;
});

interface Options {
  readonly allow?: readonly string[];
  readonly seconds?: number;
}

async function scrapeItem(item: Item, { allow = [], seconds = 120 }: Options = {}): Promise<StepResult> {
  const input = { item, params: {}, from: {} };
  // Each question is a step of its own: nothing is answered from a record.
  return resultOf(await asker.ask(app, { step: "scrape", input, allow, seconds, revision: `r-${++count}` }));
}

function scrape(url: string, options: Options = {}): Promise<StepResult> {
  return scrapeItem(url, { allow: [new URL(url).hostname], ...options });
}

async function capture(url: string, options: Options = {}): Promise<Capture> {
  const result = await scrape(url, options);
  expect(result, JSON.stringify(result)).toMatchObject({ outcome: "succeeded" });
  return getJson(artifacts, askedWorkload(), result.artifacts["capture"] ?? "", captureSchema);
}

const textOf = async (key: string) => new TextDecoder().decode(await artifacts.get(askedWorkload(), key));

describe("a plain page", () => {
  test("is captured whole", async () => {
    const seen = await capture("http://shop.test/");
    expect(seen).toMatchObject({
      url: "http://shop.test/",
      finalUrl: "http://shop.test/",
      redirects: [],
      status: 200,
      title: "Plain page",
      lang: "en",
      description: "What it is about",
      robots: "allowed",
      truncated: [],
      console: [
        { level: "error", text: "a complaint" },
        { level: "warning", text: "a hint" },
      ],
    });
    expect(seen.egress.refused).toEqual([]);
    expect(seen.egress.requests).toBeGreaterThanOrEqual(2);
    expect(seen.egress.bytes).toBeGreaterThan(300);
    expect(await textOf(seen.artifacts.text)).toContain("From $19 per month.");
    expect(await textOf(seen.artifacts.dom)).toMatch(/^<!DOCTYPE html><html lang="en">.*<h1[^<>]*>Welcome<\/h1>/s);
    expect(await sharp(await artifacts.get(askedWorkload(), seen.artifacts.screenshot)).metadata()).toMatchObject({
      format: "png",
      width: 1280,
      height: 800,
    });
    expect(await sharp(await artifacts.get(askedWorkload(), seen.artifacts.fullPage)).metadata()).toMatchObject({
      format: "jpeg",
      width: 1280,
    });
  });

  test("is visited under a name of our own", async () => {
    expect(await browser.userAgent()).toMatch(/Chrome\//);
    const seen = await capture("http://shop.test/agent");
    expect(await textOf(seen.artifacts.text)).toMatch(/^Mozilla\/5\.0 .*Chrome\/\d+.* agentic\/0\.1$/);
  });
});

describe("a reviewer's summary", () => {
  test("shows the page, and what was cut or refused", async () => {
    const { artifacts: keys } = await scrape("http://shop.test/foreign-parts?inner=1&udp=1");
    const seen = await getJson(artifacts, askedWorkload(), keys["capture"] ?? "", captureSchema);
    expect(await getJson(artifacts, askedWorkload(), keys["summary"] ?? "", summarySchema)).toMatchObject({
      title: seen.title,
      subtitle: seen.url,
      facts: expect.arrayContaining([
        { label: "Status", value: "200" },
        { label: "robots.txt", value: "allowed" },
        { label: "Consent banner", value: "none seen" },
        { label: "Refused requests", value: "foreign.test ×2 (HostNotAllowed)" },
      ]),
      pictures: [
        { image: seen.artifacts.screenshot, full: seen.artifacts.fullPage, ...seen.viewport, alt: expect.anything() },
      ],
      caveats: seen.truncated,
    });
  });

  test("of a title that is half a character", async () => {
    const { artifacts: keys, output } = await scrape("http://shop.test/half-character");
    expect(await getJson(artifacts, askedWorkload(), keys["summary"] ?? "", summarySchema)).toMatchObject({
      title: "half \ufffd",
    });
    expect(output).toBe("200 half \ufffd");
  });
});

describe("an item that is no site", () => {
  test.each<[item: Item, message: RegExp]>([
    [{ url: "http://shop.test/" }, /needs a site's URL/],
    ["shop.test", /needs a site's URL/],
    ["ftp://shop.test/", /neither http nor https/],
    ["http://user:password@shop.test/", /has a login/],
  ])("%j", async (item, message) => {
    const result = await scrapeItem(item, { allow: ["shop.test"] });
    expect(result).toMatchObject({ outcome: "failed", reason: "InvalidInput" });
    expect(result.message).toMatch(message);
    expect(result.message).not.toContain("password");
    expect(site.seen).toEqual([]);
  });
});

describe("what cannot be captured ends with its reason", () => {
  test.each<[path: string, reason: string, message: RegExp, options?: { allow?: string[]; seconds?: number }]>([
    ["http://shop.test/private", "RobotsDisallowed", /robots\.txt/],
    ["http://closed.test/", "RobotsDisallowed", /robots\.txt/],
    ["http://robots-down.test/", "RobotsUnreachable", /500/],
    ["http://shop.test/missing", "HttpError", /404/],
    ["http://shop.test/gone", "HttpError", /410/],
    ["http://shop.test/login", "HttpError", /401/],
    ["http://shop.test/broken", "HttpError", /500/],
    ["http://shop.test/busy", "HttpError", /503/],
    ["http://shop.test/too-many", "TooManyRequests", /429/],
    ["http://shop.test/forbidden", "Blocked", /403 Forbidden/],
    ["http://shop.test/cloudflare", "Blocked", /Cloudflare challenge/],
    ["http://shop.test/captcha", "Blocked", /captcha/],
    ["http://shop.test/human", "Blocked", /human/],
    ["http://shop.test/redirect-loop", "RedirectLoop", /shop\.test/],
    ["http://shop.test/script-loop", "RedirectLoop", /shop\.test/],
    ["http://shop.test/redirect-foreign", "EgressRefused", /foreign\.test/],
    ["http://shop.test/redirect-foreign-tls", "EgressRefused", /foreign\.test/],
    ["http://shop.test/redirect-metadata", "EgressRefused", /169\.254\.169\.254/],
    ["http://shop.test/script-foreign", "EgressRefused", /foreign\.test/],
    [
      "http://shop.test/redirect-refused",
      "ConnectionRefused",
      /refused\.test/,
      { allow: ["shop.test", "refused.test"] },
    ],
    ["http://inner.test/", "EgressRefused", /not public/],
    ["https://inner.test/", "EgressRefused", /not public/],
    ["http://127.0.0.1:1/", "EgressRefused", /./, { allow: [] }],
    ["http://nowhere.test/", "HostNotFound", /nowhere\.test/],
    ["https://nowhere.test/", "HostNotFound", /nowhere\.test/],
    ["http://refused.test/", "ConnectionRefused", /refused\.test/],
    ["https://refused.test/", "ConnectionRefused", /refused\.test/],
    ["https://tls.test/", "InvalidCertificate", /CERT/],
    ["http://shop.test/download", "NotAPage", /octet-stream/],
    ["http://shop.test/pdf", "NotAPage", /pdf/],
    ["http://shop.test/image", "NotAPage", /image\/png/],
    ["http://shop.test/json", "NotAPage", /json/],
    ["http://shop.test/text", "NotAPage", /text\/plain/],
    ["http://shop.test/empty", "EmptyPage", /nothing/],
    ["http://shop.test/no-content", "NotAPage", /./],
    ["http://shop.test/cut", "ConnectionRefused", /./],
    ["http://shop.test/hang", "NavigationTimeout", /in time/, { seconds: 12 }],
    ["http://silent.test/", "DeadlineExceeded", /./, { seconds: 1 }],
    ["http://shop.test/busy-loop", "PageUnresponsive", /busy/, { seconds: 16 }],
  ])("%s: %s", async (url, reason, message, options) => {
    const result = await scrape(url, options);
    expect(result).toMatchObject({ outcome: "failed", reason });
    expect(result.message).toMatch(message);
  });
});

describe("difficult pages are captured all the same", () => {
  test.each<[path: string, expected: Partial<Capture>, text: RegExp]>([
    [
      "/redirect",
      { finalUrl: "http://shop.test/", redirects: ["http://shop.test/redirect", "http://shop.test/redirect-2"] },
      /Welcome/,
    ],
    ["/script-redirect", { finalUrl: "http://shop.test/" }, /Welcome/],
    ["/lazy", {}, /was scrolled to/],
    ["/dialogs", {}, /Dialogs/],
    ["/popups", {}, /Popups/],
    ["/frames", {}, /Frames/],
    ["/media", {}, /Media/],
    ["/contact", {}, /We answer/],
  ])("%s", async (path, expected, text) => {
    const seen = await capture(`http://shop.test${path}`);
    expect(seen).toMatchObject(expected);
    expect(await textOf(seen.artifacts.text)).toMatch(text);
  });

  test("endless scroll is followed to the cap and drawn to it", async () => {
    const seen = await capture("http://shop.test/endless");
    expect(seen.pageHeight).toBeGreaterThanOrEqual(12_000);
    expect(seen.truncated).toEqual([expect.stringMatching(/^full page drawn to 12000 of /)]);
    expect(await sharp(await artifacts.get(askedWorkload(), seen.artifacts.fullPage)).metadata()).toMatchObject({
      height: 12_000,
    });
  });

  test("ten megabytes of DOM are cut, and the capture says so", async () => {
    const seen = await capture("http://shop.test/big");
    expect(seen.truncated).toEqual(
      expect.arrayContaining([expect.stringMatching(/^DOM cut at 2\.0 million characters/)]),
    );
    expect((await artifacts.get(askedWorkload(), seen.artifacts.dom)).length).toBeLessThan(2_100_000);
  });

  test("a hundred megabytes are cut, too", async () => {
    const seen = await capture("http://shop.test/huge");
    expect(seen.truncated).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^DOM cut at 2\.0/),
        expect.stringMatching(/^text cut at 200000 of /),
      ]),
    );
    expect((await artifacts.get(askedWorkload(), seen.artifacts.dom)).length).toBeLessThan(2_100_000);
    expect((await textOf(seen.artifacts.text)).length).toBeLessThanOrEqual(MAX_TEXT_CHARS);
  });

  test("of a page that changes while it is read, markup and text are of one moment", async () => {
    const { artifacts: parts, truncated } = await capture("http://shop.test/flips");
    const [text, html] = await Promise.all([textOf(parts.text), textOf(parts.dom)]);
    const priceIn = (words: string) => /\$\d+ per month/.exec(words)?.[0] ?? "none";
    expect(["$9 per month", "$19 per month"]).toContain(priceIn(text));
    expect(priceIn(html)).toBe(priceIn(text));
    expect(truncated).toEqual([expect.stringContaining("still changing")]);
  });

  test.each(["/never-loads", "/stream"])("%s: what is there after a while counts", async (path) => {
    const seen = await capture(`http://shop.test${path}`, { seconds: 24 });
    expect(seen.timings.loadMs).toBeNull();
    expect(seen.truncated).toEqual([expect.stringMatching(/^taken (before|while)/)]);
    expect(await textOf(seen.artifacts.text)).toMatch(/Never loads|Begins/);
  });

  test("media are not asked for", async () => {
    await capture("http://shop.test/media");
    expect(site.seen).not.toContain("shop.test /film.mp4");
  });
});

describe("robots.txt", () => {
  test.each<[host: string, verdict: Capture["robots"]]>([
    ["shop.test", "allowed"],
    ["no-robots.test", "absent"],
    ["robots-loop.test", "unreachable"],
  ])("%s: %s", async (host, verdict) => {
    expect((await capture(`http://${host}/`)).robots).toBe(verdict);
  });

  test("what it forbids is not asked for", async () => {
    await scrape("http://closed.test/");
    expect(site.seen).toEqual(["closed.test /robots.txt"]);
  });
});

describe("consent banners", () => {
  test.each<[path: string, pressed: string, title: string]>([
    ["/consent-onetrust", "Allow", "closed by onetrust"],
    ["/consent-german", "Nur notwendige Cookies", "closed by refuse"],
    ["/consent-french", "Tout accepter", "closed by french"],
    ["/consent-shadow", "Reject all", "closed by shadow"],
    ["/consent-frame", "Accept all", "closed by frame"],
  ])("%s is closed", async (path, pressed, title) => {
    expect(await capture(`http://shop.test${path}`)).toMatchObject({ consentClosed: pressed, title });
  });

  test("a button of the page itself is left alone", async () => {
    const seen = await capture("http://shop.test/no-consent");
    expect(seen.title).toBe("A page");
    expect(seen).not.toHaveProperty("consentClosed");
  });
});

test("nothing of a page passes by the proxy, and nothing foreign through it", async () => {
  const udp = createSocket("udp4");
  let packets = 0;
  udp.on("message", () => packets++);
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  try {
    const query = `inner=${site.httpPort}&udp=${(udp.address() as AddressInfo).port}`;
    const seen = await capture(`http://shop.test/foreign-parts?${query}`);
    expect(seen.egress.refused.toSorted((a, b) => a.host.localeCompare(b.host))).toEqual([
      { host: "127.0.0.1", reason: "HostNotAllowed", count: 1 },
      { host: "169.254.169.254", reason: "HostNotAllowed", count: 1 },
      { host: "foreign-tls.test", reason: "HostNotAllowed", count: 1 },
      { host: "foreign.test", reason: "HostNotAllowed", count: 2 },
      { host: "localhost", reason: "HostNotAllowed", count: 1 },
    ]);
    expect(site.seen).toContain("shop.test /pixel.png");
    expect(site.seen.filter((line) => line.includes("inner.png"))).toEqual([]);
    expect(packets).toBe(0);
  } finally {
    udp.close();
  }
});

test("a page whose proxy went away while it loaded is no capture of it", async () => {
  const other = await startEgressProxy({
    verifyToken: asker.verifyEgressToken,
    log,
    host: "127.0.0.1",
    port: 0,
    resolve: new Map([["shop.test", { address: "127.0.0.1", port: site.httpPort }]]),
    lookup: () => Promise.reject(new Error("no other name")),
  });
  const graph = createGraph(
    { artifacts, browser, egressProxy: other.url, hosts: createHostTurns(ownRedis.redis, "") },
    0,
  );
  const without = createAgentApp(graph, asker.deps({ redis: ownRedis.redis, artifacts, log }));
  const input = { item: "http://shop.test/waits", params: {}, from: {} };
  const asked = asker.ask(without, {
    step: "scrape",
    input,
    allow: ["shop.test"],
    seconds: 60,
    revision: `r-${++count}`,
  });
  await expect.poll(() => site.seen, { timeout: 30_000 }).toContain("shop.test /hang");
  await other.close();
  expect(await asked).toMatchObject({ status: 503, reason: "EgressUnavailable" });
});

test("a part of a page that its server broke off is the page's own affair", async () => {
  expect((await capture("http://shop.test/part-cut")).egress.refused).toEqual([]);
});

test("a browser that died is started again, and the next capture works", async () => {
  const { pid } = chromium;
  if (pid === undefined) throw new Error("Chromium has no pid");
  process.kill(pid, "SIGKILL");
  const seen = await capture("http://shop.test/");
  expect(seen.status).toBe(200);
  expect(chromium.pid).not.toBe(pid);
});
