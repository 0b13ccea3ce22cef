import type { KeyObject } from "node:crypto";
import { mkdir } from "node:fs/promises";
import type { AgentWorkload } from "../../crd/agentworkload.ts";
import { parseDuration } from "../../crd/duration.ts";
import { startEgressProxy } from "../../egress/proxy.ts";
import { createApp as createAnalyze } from "../../functions/analyze/index.ts";
import { createApp as createReport } from "../../functions/report/index.ts";
import { createHostQueue } from "../../functions/scrape/host-queue.ts";
import { createApp as createScrape } from "../../functions/scrape/index.ts";
import { modelEndpoint, readConfig } from "../../lib/config.ts";
import { chooseSaver } from "../../lib/durable/choose-saver.ts";
import { forgetFailed, forgetStep, readRecord } from "../../lib/durable/record.ts";
import { createRunDurably } from "../../lib/durable/run.ts";
import { type Artifacts, createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { connectBrowser } from "../../lib/edges/browser.ts";
import { startChromium } from "../../lib/edges/chromium.ts";
import { createModel } from "../../lib/edges/llm.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { createFolderReviews, type FolderReviews } from "../../lib/edges/reviews.ts";
import { TerminalError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { ResolvedHost } from "../../lib/resolved-host.ts";
import type { StepResult } from "../../lib/step.ts";
import { createStepTokenVerifier } from "../../lib/token.ts";
import { REPORT_USD } from "../../pipeline/market-analysis.ts";
import type { RunFolder } from "../run-folder.ts";
import type { StepFunction } from "./broker.ts";
import { holderName, isDeadHolder } from "./holder.ts";
import { startRedisServer } from "./redis-server.ts";

/** Everything a run needs on one machine, started and connected. */
export interface Stack {
  readonly functions: Readonly<Record<string, StepFunction>>;
  readonly artifacts: Artifacts;
  readonly reviews: FolderReviews;
  /** What the report may cost, in US dollars: nothing without a model. */
  readonly costOfReport: number;
  readonly log: Logger;
  /** Aborts when the run must stop: the user's wish, or a part that ended. The reason is an Interrupted. */
  readonly stopping: AbortSignal;
  /** The result of a step that is done; one that failed, or whose bytes are gone, is forgotten, so that it is done again. */
  recorded(id: string): Promise<StepResult | undefined>;
  stop(): Promise<void>;
}

export interface StackOptions {
  readonly redis?: string;
  readonly resolve: ReadonlyMap<string, ResolvedHost>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Polite between two visits of one host; the sample sites and most markets have one page a host. */
const HOST_DELAY_MS = 1000;
/** A step's lease: how long a killed command's step waits for its successor. */
const LEASE_MS = 5000;

/** @throws Interrupted, RetryableError or TerminalError when a part does not start; what had started is ended. */
export async function startStack(
  workload: AgentWorkload,
  folder: RunFolder,
  keys: { readonly publicKey: KeyObject },
  options: StackOptions,
): Promise<Stack> {
  // The last started is the first ended.
  const started: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    return await start(workload, folder, keys, options, started, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  workload: AgentWorkload,
  folder: RunFolder,
  keys: { readonly publicKey: KeyObject },
  options: StackOptions,
  started: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Stack> {
  const { log } = options;
  const config = readConfig({ ...process.env, FUNCTION: "scrape" });
  await mkdir(folder.artifacts, { recursive: true });
  const died = new AbortController();
  started.push(async () => died.abort());

  let redisUrl = options.redis;
  if (redisUrl === undefined) {
    const server = await startRedisServer(folder.redis);
    started.push(server.stop);
    redisUrl = server.url;
    void server.died.then((how) => died.abort(how));
  }
  const redis = await connectRedis(redisUrl);
  started.push(async () => redis.disconnect());

  const verifyToken = createStepTokenVerifier(keys.publicKey);
  const [chromium, proxy] = await Promise.all([
    startChromium({ executable: process.env["CHROME"] }),
    startEgressProxy({ verifyToken, resolve: options.resolve, host: "127.0.0.1", port: 0, log }),
  ]);
  started.push(chromium.stop, proxy.close);
  const browser = connectBrowser(chromium.endpoint, chromium.directory);
  started.push(browser.close);

  const stopping = AbortSignal.any([options.signal, died.signal]);
  const artifacts = createFolderArtifacts(folder.artifacts);
  const shared = {
    runDurably: createRunDurably({
      redis,
      saver: await chooseSaver(config.CHECKPOINTS, redis, redisUrl),
      holder: holderName(process.pid),
      isDead: isDeadHolder,
      leaseTtlMs: LEASE_MS,
      keepMs: parseDuration(workload.spec.freshness),
      now: () => new Date(),
    }),
    verifyToken,
    log,
    draining: stopping,
    artifacts,
  };
  const endpoint = modelEndpoint(config);
  const { name, fallbacks } = workload.spec.model;
  const model = endpoint && createModel({ ...endpoint, name, fallbacks, redis, log });
  const functions = {
    scrape: createScrape({
      ...shared,
      browser,
      egressProxy: proxy.url,
      politeness: createHostQueue(HOST_DELAY_MS),
    }),
    analyze: createAnalyze({ ...shared, model }),
    report: createReport({ ...shared, browser, model }),
  };
  return {
    functions: Object.fromEntries(
      Object.entries(functions).map(([name, app]) => [name, (request: Request) => app.fetch(request)]),
    ),
    artifacts,
    reviews: createFolderReviews(folder.reviews),
    costOfReport: model ? REPORT_USD : 0,
    log,
    stopping,
    async recorded(id) {
      await forgetFailed(redis, id);
      const result = (await readRecord(redis, id))?.result;
      if (result === undefined || (await isThere(result, artifacts))) return result;
      await forgetStep(redis, id);
      return undefined;
    },
    stop,
  };
}

/** A Redis of the user's own outlives the folder with the bytes, and serves other folders, too. */
async function isThere(result: StepResult, artifacts: Artifacts): Promise<boolean> {
  try {
    await Promise.all(Object.values(result.artifacts).map((key) => artifacts.get(key)));
    return true;
  } catch (error) {
    if (error instanceof TerminalError) return false;
    throw error;
  }
}
