import { hostname } from "node:os";
import { ledgerName } from "../engine/identity.ts";
import type { AgentAppDeps } from "./agent-app.ts";
import { modelEndpoint, type Settings } from "./config.ts";
import type { HostTurns } from "./durable/host-turns.ts";
import type { S3Settings } from "./edges/artifacts/s3-client.ts";
import { type ArtifactStoreSettings, type Artifacts, openArtifacts, openObjectStore } from "./edges/artifacts.ts";
import type { Browser } from "./edges/browser.ts";
import { egressAccess } from "./edges/egress-access.ts";
import { createUsageStore, type UsageStore } from "./edges/usage-store.ts";
import { publicKeys } from "./keys.ts";
import type { Logger } from "./log.ts";
import type { Model } from "./model/model.ts";

// Connects what a process needs, as its settings say. Modules are loaded by whoever needs them.

/** How long the record of an ended step is kept: spec.freshness decides on reuse, this only bounds the store. */
export const KEEP_MS = 30 * 24 * 3_600_000;
/** How long the step of a killed instance waits for its successor. */
const LEASE_MS = 5000;

/** What an agent's graph reaches the outside by. */
export interface AgentEdges {
  /** Bytes by content address: what a step leaves for the steps after it. */
  readonly artifacts: Artifacts;
  /** Undefined where no model is configured. */
  readonly model: Model | undefined;
  /** The browser pool. Connected at its first use. */
  readonly browser: Browser;
  /** One visit at a time at a host, over all instances of all agents. */
  readonly hosts: HostTurns;
  /** URL of the egress proxy, the only way to the network. lib/edges/egress-client.ts makes a fetch of it. */
  readonly egressProxy: string;
  /** Where traces are looked at, with `{trace}` in place of a trace's id. */
  readonly traceUrl: string | undefined;
}

export function connectArtifacts(settings: Settings): Promise<Artifacts> {
  return openArtifacts(storeSettings(settings));
}

/** What runs used, for billing. Needs a login that reaches the control plane's own namespace in the store. */
export async function connectUsage(settings: Settings): Promise<UsageStore> {
  return createUsageStore(await openObjectStore(storeSettings(settings)));
}

function storeSettings(settings: Settings): ArtifactStoreSettings {
  const s3 = s3Settings(settings);
  return { url: settings.ARTIFACTS_URL, ...(s3 ? { s3 } : {}) };
}

/** Undefined where one of them is not set. */
export function s3Settings(settings: Settings): S3Settings | undefined {
  const { S3_ENDPOINT: endpoint, S3_REGION: region } = settings;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  return endpoint && accessKeyId && secretAccessKey ? { endpoint, region, accessKeyId, secretAccessKey } : undefined;
}

/** What an agent needs, whatever its steps do. `name`: for its leases. */
export async function connectAgent(
  name: string,
  settings: Settings,
  log: Logger,
  draining: AbortSignal,
): Promise<AgentAppDeps & { readonly edges: AgentEdges }> {
  const [
    { connectRedisWhenever },
    { createRunDurably },
    { chooseStepStore },
    { createStepTokenVerifier },
    { createAccessOpener },
  ] = await Promise.all([
    import("./edges/redis.ts"),
    import("./durable/run.ts"),
    import("./durable/choose-step-store.ts"),
    import("./token.ts"),
    import("./sealed-access.ts"),
  ]);
  const [{ createResultStore }, { createHostTurns }, { connectBrowser }, { poolEndpoint }, artifacts] =
    await Promise.all([
      import("./durable/results.ts"),
      import("./durable/host-turns.ts"),
      import("./edges/browser.ts"),
      import("./edges/browser-pool.ts"),
      connectArtifacts(settings),
    ]);
  const verifyToken = createStepTokenVerifier(publicKeys("STEP_TOKEN_PUBLIC_KEY", settings.STEP_TOKEN_PUBLIC_KEY));
  const { REDIS_URL: url, REDIS_CA: ca } = settings;
  const redis = await connectRedisWhenever(url, log, ca);
  const runDurably = createRunDurably({
    store: await chooseStepStore(settings.CHECKPOINTS, redis, url, ca),
    results: createResultStore(artifacts),
    holder: `${name}, process ${process.pid} on ${hostname()}`,
    leaseTtlMs: LEASE_MS,
    keepMs: KEEP_MS,
    recursionLimit: settings.RECURSION_LIMIT,
    now: () => new Date(),
    modelCalls: async (workload, identity) =>
      (await import("./model/ledger.ts")).readModelCalls(redis, ledgerName(workload), identity),
    egress: async (step) =>
      (await import("./edges/egress-usage.ts")).readEgressUsage(egressAccess(settings.EGRESS_PROXY_URL, step)),
  });
  const endpoint = modelEndpoint(settings);
  const model =
    endpoint &&
    (await import("./model/model.ts")).createModel({
      ...endpoint,
      redis,
      log,
      capturesContent: settings.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT,
      keyIsReplaced: true,
    });
  const edges = {
    artifacts,
    model,
    browser: connectBrowser(() => poolEndpoint(settings.BROWSER_URL, settings.EGRESS_PROXY_URL)),
    hosts: createHostTurns(redis, url),
    egressProxy: settings.EGRESS_PROXY_URL,
    traceUrl: settings.TRACE_URL,
  };
  const openAccess = createAccessOpener(settings.HOST_ACCESS_KEY);
  return { runDurably, verifyToken, openAccess, log, draining, edges };
}
