import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudEvent, HTTP } from "cloudevents";
import type { Hono } from "hono";
import { generateKeyPair } from "jose";
import { pino } from "pino";
import { startRedisServer } from "../../cli/local/redis-server.ts";
import { startEgressProxy } from "../../egress/proxy.ts";
import { startSampleSites } from "../../examples/serve.ts";
import { createApp as createAnalyze } from "../../functions/analyze/index.ts";
import { createHostQueue } from "../../functions/scrape/host-queue.ts";
import { createApp as createScrape } from "../../functions/scrape/index.ts";
import { allowListFor } from "../../lib/allow-list.ts";
import { sha256 } from "../../lib/canonical.ts";
import { createRunDurably } from "../../lib/durable/run.ts";
import { RedisSaver } from "../../lib/durable/saver.ts";
import { type Artifacts, createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { connectBrowser } from "../../lib/edges/browser.ts";
import { startChromium } from "../../lib/edges/chromium.ts";
import type { Model } from "../../lib/edges/llm.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { STEP_REQUESTED, type StepInput, type StepResult, stepResultSchema } from "../../lib/step.ts";
import { createStepTokenVerifier, mintStepToken } from "../../lib/token.ts";

export interface Steps {
  readonly artifacts: Artifacts;
  /** @throws Error when the step fails */
  scrape(site: string): Promise<StepResult>;
  analyze(site: string, scraped: StepResult): Promise<StepResult>;
}

type Redis = Awaited<ReturnType<typeof connectRedis>>;

/** Scrape and analyze as they run everywhere, over the step contract, on the sample sites; ended when `use` is. */
export async function withSteps<T>(
  use: (steps: Steps) => Promise<T>,
  modelFor: (redis: Redis) => Model | undefined = () => undefined,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "agentic-bench-"));
  const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const sites = await startSampleSites();
    ends.push(sites.close);
    const server = await startRedisServer(join(folder, "redis"));
    ends.push(server.stop);
    const redis = await connectRedis(server.url);
    ends.push(() => redis.disconnect());
    const keys = await generateKeyPair("EdDSA");
    const verifyToken = createStepTokenVerifier(keys.publicKey);
    const log = pino({ level: "silent" });
    const resolve = new Map(sites.hosts.map((host) => [host, { address: "127.0.0.1", port: sites.port }]));
    const proxy = await startEgressProxy({ verifyToken, resolve, host: "127.0.0.1", port: 0, log });
    ends.push(proxy.close);
    const chromium = await startChromium();
    ends.push(chromium.stop);
    const browser = connectBrowser(chromium.endpoint, chromium.directory);
    ends.push(browser.close);
    const artifacts = createFolderArtifacts(join(folder, "artifacts"));
    const shared = {
      runDurably: createRunDurably({
        redis,
        saver: (token) => new RedisSaver(redis, token),
        holder: "bench",
        leaseTtlMs: 10_000,
        keepMs: 3_600_000,
        now: () => new Date(),
      }),
      verifyToken,
      log,
      draining: new AbortController().signal,
      artifacts,
    };
    const scrapeApp = createScrape({ ...shared, browser, egressProxy: proxy.url, politeness: createHostQueue(0) });
    const analyzeApp = createAnalyze({ ...shared, model: modelFor(redis) });
    const run = (app: Hono, step: string, input: StepInput) => request(app, step, input, keys.privateKey);
    const params = {
      objective: "How do they price?",
      model: { name: "gpt-4o-mini", fallbacks: [], maxOutputTokens: 1024 },
    };
    return await use({
      artifacts,
      scrape: (site) => run(scrapeApp, "scrape", { item: site, params: {}, from: {} }),
      analyze: (site, scraped) => run(analyzeApp, "analyze", { item: site, params, from: { scrape: [scraped] } }),
    });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function request(
  app: Hono,
  step: string,
  input: StepInput,
  privateKey: Parameters<typeof mintStepToken>[1],
): Promise<StepResult> {
  const id = sha256(`${step} ${input.item}`).slice(0, 32);
  const allow = allowListFor(input.item, []);
  const expiry = new Date(Date.now() + 180_000);
  const message = HTTP.structured(
    new CloudEvent({
      id,
      type: STEP_REQUESTED,
      source: "/bench",
      data: {
        workload: { namespace: "bench", name: "bench", uid: "bench" },
        run: "bench",
        step,
        input,
        deadline: expiry.toISOString(),
        retryLimit: 0,
        token: await mintStepToken({ sub: "bench", jti: id, run: "bench", allow }, privateKey, expiry),
      },
    }),
  );
  const headers = message.headers as Record<string, string>;
  const response = await app.request("/", { method: "POST", headers, body: message.body as string });
  if (response.status !== 200)
    throw new Error(
      `${step} ${input.item}: ${response.status} ${decodeURIComponent(response.headers.get("agentic-message") ?? "")}`,
    );
  const { request: _, ...result } = (await response.json()).data;
  const parsed = stepResultSchema.parse(result);
  if (parsed.outcome === "failed") throw new Error(`${step} ${input.item}: ${parsed.reason}: ${parsed.message}`);
  return parsed;
}
