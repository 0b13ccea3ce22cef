import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Hono } from "hono";
import type { Redis } from "ioredis";
import { pino } from "pino";
import type { Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { type EgressProxy, startEgressProxy } from "../../egress/proxy.ts";
import { upstream } from "../../engine/outcomes.ts";
import type { Item, StepResult } from "../../engine/result.ts";
import { createGraph as createAnalyze } from "../../functions/analyze/graph.ts";
import { createPagePool, PAGE_LIMITS } from "../../functions/analyze/page-pool.ts";
import { createGraph } from "../../functions/scrape/graph.ts";
import { createAgentApp } from "../../lib/agent-app.ts";
import { createHostTurns } from "../../lib/durable/host-turns.ts";
import { createFolderArtifacts, getJson } from "../../lib/edges/artifacts.ts";
import { type Browser, connectBrowser } from "../../lib/edges/browser.ts";
import { type Chromium, startChromium } from "../../lib/edges/chromium.ts";
import type { Model } from "../../lib/model/model.ts";
import { type Analysis, analysisSchema } from "../../pipelines/market-analysis/analysis.ts";
import { type Capture, captureSchema } from "../../pipelines/market-analysis/capture.ts";
import { type AskedStep, askedWorkload, createAsker, resultOf } from "../ask-agent.ts";
import { type HostileSite, startHostileSite } from "../hostile-site/server.ts";
import { redisForFile } from "./redis.ts";

export interface Captured extends Capture {
  readonly html: string;
  readonly text: string;
}

type Over = Pick<AskedStep, "seconds" | "hostAccess">;

/** Scrape over the step contract, a browser, the proxy, and the hostile site under these names, for a test file. */
export function scrapingForFile(hosts: readonly string[]): {
  readonly site: HostileSite;
  /** @throws Error when the step fails */
  capture(url: string, seconds?: number): Promise<Captured>;
  /** What the step returns, whatever its end. */
  scrape(item: Item, params?: Record<string, unknown>, over?: Over): Promise<StepResult>;
  captureOf(result: StepResult): Promise<Capture>;
  /** What analyze makes of a capture, with a model where there is one. */
  analyze(captured: StepResult, modelFor?: (redis: Redis) => Model): Promise<Analysis>;
  bytesOf(artifact: string): Promise<Uint8Array>;
  /** Milliseconds for which nobody has a turn at the host. */
  pauseOf(host: string): Promise<number>;
  textOf(capture: Capture): Promise<string>;
  /** A page of the site in a browser, without scrape. */
  /** Every byte that was written: artifacts, log, and what Redis was told, while `work` went on. */
  keptOf(work: () => Promise<unknown>): Promise<readonly string[]>;
  onPage<T>(path: string, use: (page: Page) => Promise<T>): Promise<T>;
} {
  const ownRedis = redisForFile();
  let folder: string;
  let site: HostileSite;
  let proxy: EgressProxy;
  let chromium: Chromium;
  let browser: Browser;
  let app: Hono;
  let count = 0;
  const lines: string[] = [];
  const artifacts = () => createFolderArtifacts(join(folder, "artifacts"));
  const asker = createAsker();
  beforeAll(async () => {
    const log = pino({ level: "trace" }, { write: (line) => void lines.push(line) });
    const { verifyEgressToken: verifyToken, openProxies, deps } = await asker;
    folder = await mkdtemp(join(tmpdir(), "agentic-scraping-"));
    site = await startHostileSite();
    proxy = await startEgressProxy({
      verifyToken,
      openProxies,
      log,
      host: "127.0.0.1",
      port: 0,
      resolve: new Map(hosts.map((host) => [host, { address: "127.0.0.1", port: site.httpPort }])),
      lookup: () => Promise.reject(new Error("no other name")),
    });
    chromium = await startChromium();
    browser = connectBrowser(() => chromium.endpoint(), chromium.directory);
    const graph = createGraph(
      { artifacts: artifacts(), browser, egressProxy: proxy.url, hosts: createHostTurns(ownRedis.redis, "") },
      0,
    );
    app = createAgentApp(graph, deps({ redis: ownRedis.redis, artifacts: artifacts(), log }));
  });
  afterAll(async () => {
    await browser?.close();
    await chromium?.stop();
    await proxy?.close();
    await site?.close();
    await rm(folder, { recursive: true, force: true });
  });
  const scrape = async (item: Item, params: Record<string, unknown> = {}, over: Over = {}) => {
    const input = { item, params, from: {} };
    const asked = { step: "scrape", input, allow: hosts, seconds: 60, ...over, revision: `r-${++count}` };
    return resultOf(await (await asker).ask(app, asked));
  };
  const captureOf = (result: StepResult) =>
    getJson(artifacts(), askedWorkload(), result.artifacts["capture"] ?? "", captureSchema);
  const bytesOf = (artifact: string) => artifacts().get(askedWorkload(), artifact);
  return {
    get site() {
      return site;
    },
    scrape,
    captureOf,
    bytesOf,
    async analyze(captured, modelFor) {
      const { ask, deps } = await asker;
      const log = pino({ level: "silent" });
      const edges = { artifacts: artifacts(), model: modelFor?.(ownRedis.redis) };
      // A busy machine is many times slower than an idle one.
      const pages = createPagePool({ ...PAGE_LIMITS, timeoutMs: 100_000 });
      const analyze = createAgentApp(createAnalyze(edges, pages), deps({ ...edges, redis: ownRedis.redis, log }));
      // Of two equal questions a model is asked one.
      const objective = `What does it cost? Attempt ${++count}`;
      const input = { params: { objective }, from: { scrape: [upstream(captured)] } };
      const { artifacts: left } = resultOf(await ask(analyze, { step: "analyze", input, budgetUsd: "1" }));
      return getJson(artifacts(), askedWorkload(), left["analysis"] ?? "", analysisSchema);
    },
    async keptOf(work) {
      const monitor = await ownRedis.redis.monitor();
      const told: string[] = [];
      monitor.on("monitor", (_time, args: string[]) => void told.push(args.join(" ")));
      await work();
      // What it was told last is seen a moment later.
      await ownRedis.redis.set("last", "one");
      while (!told.at(-1)?.includes("last one")) await setTimeout(10);
      monitor.disconnect();
      const files = await readdir(folder, { recursive: true, withFileTypes: true });
      const contents = files
        .filter((one) => one.isFile())
        .map((one) => readFile(join(one.parentPath, one.name), "latin1"));
      return [...told, ...lines, ...(await Promise.all(contents))];
    },
    onPage: (path, use) =>
      browser.withContext({}, new AbortController().signal, async (context) => {
        const page = await context.newPage();
        await page.goto(`http://127.0.0.1:${site.httpPort}${path}`);
        return use(page);
      }),
    pauseOf: (host) => ownRedis.redis.pttl(`agentic:host:{${host}}:turn`),
    textOf: async ({ artifacts: { text } }) => new TextDecoder().decode(await bytesOf(text)),
    async capture(item, seconds = 60) {
      const result = await scrape(item, { pagesPerSite: 1 }, { seconds });
      if (result.outcome !== "succeeded") throw new Error(JSON.stringify(result));
      const seen = await captureOf(result);
      const read = async (part: string) => new TextDecoder().decode(await bytesOf(part));
      return { ...seen, html: await read(seen.artifacts.dom), text: await read(seen.artifacts.text) };
    },
  };
}
