import { mkdir } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { startEgressProxy } from "../../egress/proxy.ts";
import { ledgerName } from "../../engine/identity.ts";
import type { ModelCalls, WorkloadRef } from "../../engine/result.ts";
import { modelEndpoint, readSettings, type Settings } from "../../lib/config.ts";
import type { AgentEdges } from "../../lib/connect.ts";
import { chooseStepStore } from "../../lib/durable/choose-step-store.ts";
import { createHostTurns } from "../../lib/durable/host-turns.ts";
import type { StepStore } from "../../lib/durable/step-store.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { connectBrowser } from "../../lib/edges/browser.ts";
import { type Chromium, sandboxIsOff, startChromium } from "../../lib/edges/chromium.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import type { Logger } from "../../lib/log.ts";
import { readModelCalls } from "../../lib/model/ledger.ts";
import { createModel } from "../../lib/model/model.ts";
import type { ResolvedHost } from "../../lib/resolved-host.ts";
import { accessKey, createProxyOpener } from "../../lib/sealed-access.ts";
import { createEgressTokenVerifier } from "../../lib/token.ts";
import type { RunFolder } from "../run-folder.ts";
import { type AgentEnv, earlierPorts } from "./agent-env.ts";
import { startForward } from "./forward.ts";
import { startRedisServer } from "./redis-server.ts";
import type { SigningKey } from "./signing-key.ts";

/** Names the key of this machine's egress proxy. */
export const LOCAL_EGRESS = "local/egress";

/** Everything a run needs on one machine, started and connected. */
export interface Stack {
  readonly settings: Settings;
  /** What our own agents' graphs use, in this process. */
  readonly edges: AgentEdges;
  readonly store: StepStore;
  /** The calls to models that a step paid for so far. */
  modelCalls(workload: WorkloadRef, identity: string): Promise<readonly ModelCalls[]>;
  /** What agents in processes of their own are set up with: from then on the browser is reached by a port of this machine. */
  agentEnv(): Promise<Omit<AgentEnv, "HOST_ACCESS_KEY">>;
  /** Aborts when the command must stop: the user's wish, or a part that ended. The reason is an Interrupted. */
  readonly stopping: AbortSignal;
  stop(): Promise<void>;
}

export interface StackOptions {
  /** URL of a Redis to use instead of a private one. */
  readonly redis?: string;
  readonly resolve: ReadonlyMap<string, ResolvedHost>;
  readonly keys: SigningKey;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** @throws Interrupted, RetryableError or TerminalError when a part does not start. The parts that have started are stopped then. */
export async function startStack(folder: RunFolder, options: StackOptions): Promise<Stack> {
  // The last started is the first stopped.
  const started: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    return { ...(await startParts(folder, options, started)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  folder: RunFolder,
  options: StackOptions,
  started: (() => Promise<unknown>)[],
): Promise<Omit<Stack, "stop">> {
  const { log } = options;
  const settings = readSettings();
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
  const redis = await connectRedis(redisUrl, settings.REDIS_CA);
  started.push(async () => redis.disconnect());
  const store = await chooseStepStore(settings.CHECKPOINTS, redis, redisUrl, settings.REDIS_CA);

  const ports = await earlierPorts(folder.agentEnv);
  const chromium = await startChromium({ executable: process.env["CHROME"] });
  started.push(chromium.stop);
  const proxy = await startProxy(ports.egressProxy, options);
  started.push(proxy.close);
  if (sandboxIsOff()) log.warn("Chromium runs without its own sandbox, which it refuses to root");
  const browser = connectBrowser(chromium.open, chromium.directory);
  started.push(browser.close);
  // Where there is no browser, that is said before any step.
  await browser.userAgent();

  const endpoint = modelEndpoint(settings);
  return {
    settings,
    edges: {
      artifacts: createFolderArtifacts(folder.artifacts),
      model:
        endpoint &&
        createModel({
          ...endpoint,
          redis,
          log,
          capturesContent: settings.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT,
        }),
      browser,
      hosts: createHostTurns(redis, redisUrl),
      egressProxy: proxy.url,
      traceUrl: settings.TRACE_URL,
    },
    store,
    modelCalls: (workload, identity) => readModelCalls(redis, ledgerName(workload), identity),
    agentEnv: async () => ({
      REDIS_URL: redisUrl,
      ...(settings.REDIS_CA === undefined ? {} : { REDIS_CA: settings.REDIS_CA }),
      ARTIFACTS_URL: pathToFileURL(folder.artifacts).href,
      STEP_TOKEN_PUBLIC_KEY: options.keys.publicKey.export({ type: "spki", format: "pem" }).toString(),
      EGRESS_PROXY_URL: proxy.url,
      BROWSER_URL: await forwardTo(chromium, ports.browser, started),
    }),
    stopping: AbortSignal.any([options.signal, died.signal]),
  };
}

/** At the port of the command before, where that is free: agents that still run know it. */
async function startProxy(earlierPort: number, { keys, resolve, log }: StackOptions) {
  const verifyToken = createEgressTokenVerifier([keys.publicKey]);
  const openProxies = createProxyOpener(accessKey(keys.privateKey, LOCAL_EGRESS));
  const options = { verifyToken, openProxies, resolve, host: "127.0.0.1", log };
  return startEgressProxy({ ...options, port: earlierPort }).catch(() => startEgressProxy({ ...options, port: 0 }));
}

async function forwardTo(
  chromium: Chromium,
  earlierPort: number,
  started: (() => Promise<unknown>)[],
): Promise<string> {
  const forward = await startForward(earlierPort, chromium.endpoint);
  started.push(forward.close);
  return `http://127.0.0.1:${forward.port}`;
}
