import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { startRedisServer } from "../../cli/local/redis-server.ts";
import { startEgressProxy } from "../../egress/proxy.ts";
import { upstream } from "../../engine/outcomes.ts";
import type { Item, StepResult } from "../../engine/result.ts";
import { startSampleSites } from "../../examples/serve.ts";
import { createGraph as createAnalyze } from "../../functions/analyze/graph.ts";
import { createGraph as createScrape } from "../../functions/scrape/graph.ts";
import { createAgentApp } from "../../lib/agent-app.ts";
import { allowListFor } from "../../lib/allow-list.ts";
import { createHostTurns } from "../../lib/durable/host-turns.ts";
import { type Artifacts, createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { connectBrowser } from "../../lib/edges/browser.ts";
import { startChromium } from "../../lib/edges/chromium.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import type { Model } from "../../lib/model/model.ts";
import { type AskedStep, askedWorkload, createAsker, resultOf, type StepAnswer } from "../../test/ask-agent.ts";

export interface Steps {
  /** The JSON of an artifact. */
  read(key: string): Promise<unknown>;
  /** @throws Error when the step fails */
  scrape(page: Item): Promise<StepResult>;
  analyze(page: Item, scraped: StepResult): Promise<StepResult>;
}

type Redis = Awaited<ReturnType<typeof connectRedis>>;

interface Sites {
  readonly hosts: readonly string[];
  readonly port: number;
  close(): Promise<void>;
}

interface Options {
  readonly modelFor?: (redis: Redis) => Model | undefined;
  /** Absent: the sample sites. */
  readonly startSites?: () => Promise<Sites>;
  /** Where captured artifacts are found, too, and what scrape stores is put; absent: nothing outlives `use`. */
  readonly captured?: string;
}

/** Scrape and analyze as they run everywhere, over the step contract; ended when `use` is. */
export async function withSteps<T>(
  use: (steps: Steps) => Promise<T>,
  { modelFor = () => undefined, startSites = startSampleSites, captured }: Options = {},
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "agentic-bench-"));
  const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const sites = await startSites();
    ends.push(sites.close);
    const server = await startRedisServer(join(folder, "redis"));
    ends.push(server.stop);
    const redis = await connectRedis(server.url);
    ends.push(() => redis.disconnect());
    const asker = await createAsker();
    const log = pino({ level: "silent" });
    const resolve = new Map(sites.hosts.map((host) => [host, { address: "127.0.0.1", port: sites.port }]));
    const verifyToken = asker.verifyEgressToken;
    const proxy = await startEgressProxy({ verifyToken, resolve, host: "127.0.0.1", port: 0, log });
    ends.push(proxy.close);
    const chromium = await startChromium();
    ends.push(chromium.stop);
    const browser = connectBrowser(chromium.endpoint, chromium.directory);
    ends.push(browser.close);
    const own = createFolderArtifacts(join(folder, "artifacts"));
    const scraped = captured === undefined ? own : createFolderArtifacts(captured);
    const artifacts: Artifacts = {
      ...own,
      get: (workload, key) => scraped.get(workload, key).catch(() => own.get(workload, key)),
    };
    const deps = asker.deps({ redis, artifacts, log });
    const edges = { browser, egressProxy: proxy.url, model: modelFor(redis) };
    const hosts = createHostTurns(redis, "");
    const scrapeApp = createAgentApp(createScrape({ ...edges, artifacts: scraped, hosts }, 0), deps);
    const analyzeApp = createAgentApp(createAnalyze({ ...edges, artifacts }), deps);
    const params = {
      objective: "How do they price?",
      model: { name: "gpt-4o-mini", fallbacks: [], maxOutputTokens: 1024 },
    };
    const run = async (app: typeof scrapeApp, asked: AskedStep): Promise<StepResult> =>
      succeeded(asked, await asker.ask(app, asked));
    return await use({
      read: async (key) => JSON.parse(new TextDecoder().decode(await artifacts.get(askedWorkload(), key))),
      scrape(item) {
        const allow = allowListFor({ egress: { item: true } }, item, []);
        return run(scrapeApp, { step: "scrape", input: { item, params: { pagesPerSite: 1 }, from: {} }, allow });
      },
      analyze: (item, scraped) =>
        run(analyzeApp, { step: "analyze", input: { item, params, from: { scrape: [upstream(scraped)] } } }),
    });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

function succeeded({ step, input }: AskedStep, answer: StepAnswer): StepResult {
  const result = resultOf(answer);
  if (result.outcome === "failed") throw new Error(`${step} ${input.item}: ${result.reason}: ${result.message}`);
  return result;
}
