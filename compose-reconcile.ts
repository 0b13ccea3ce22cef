import { hostname } from "node:os";
import type { Hono } from "hono";
import type { Redis } from "ioredis";
import { SHARED_NAMESPACE } from "./engine/freeze.ts";
import { sealedArgoEngine } from "./functions/reconcile/argo/seal.ts";
import { createApp } from "./functions/reconcile/index.ts";
import { onNewSettings } from "./functions/reconcile/new-settings.ts";
import { restartServers } from "./functions/reconcile/restart-servers.ts";
import { evidenceOfRun } from "./functions/reconcile/workload/ended-run.ts";
import { type Config, modelEndpoint, readAgentSettings } from "./lib/config.ts";
import { connectArtifacts, connectUsage, KEEP_MS, s3Settings } from "./lib/connect.ts";
import { createCarryCorrections } from "./lib/durable/carried-corrections.ts";
import { chooseStepStore } from "./lib/durable/choose-step-store.ts";
import { exclusively } from "./lib/durable/exclusively.ts";
import { createFindPrevious } from "./lib/durable/previous-results.ts";
import {
  claimRequests,
  dropSteps,
  isWorkedOn,
  markUndeliverable,
  readStates,
  recordResult,
  withdrawRequest,
} from "./lib/durable/requests.ts";
import { createResultStore } from "./lib/durable/results.ts";
import { readBuckets } from "./lib/edges/artifacts/bucket.ts";
import { connectBroker } from "./lib/edges/broker.ts";
import { connectKube } from "./lib/edges/kube.ts";
import { licenceFile } from "./lib/edges/licence-file.ts";
import { connectRedisWhenever } from "./lib/edges/redis.ts";
import { createRedisLogins } from "./lib/edges/tenant-login/redis.ts";
import type { TenantLogins } from "./lib/edges/tenant-login.ts";
import { signEvidence } from "./lib/evidence.ts";
import { auditKeys } from "./lib/key-changes.ts";
import { privateKey, verifyingKeys } from "./lib/keys.ts";
import type { Logger } from "./lib/log.ts";
import { costOfApproving } from "./lib/model/approving.ts";
import { readSpent, readUse } from "./lib/model/ledger.ts";
import { createQuotas } from "./lib/quota/quotas.ts";
import { mintReviewLink } from "./lib/review-link.ts";
import { accessKey } from "./lib/sealed-access.ts";
import { agentAttribute } from "./lib/step-events.ts";
import { recordRun } from "./lib/telemetry/run-spans.ts";
import { createStepTokenVerifier, mintStepTokens, TOKEN_LIFE_MS } from "./lib/token.ts";
import { usageFile } from "./lib/usage/file.ts";

/** A look takes a second or two; a killed instance's workload waits this long for its next. */
const LEASE_MS = 5000;
const LEASE_PATIENCE_MS = 15_000;
/** A request that nobody took up for so long is sent again. */
const REQUEST_PATIENCE_MS = 30_000;
/** A step whose request came back is not asked for again before. */
const UNDELIVERABLE_PAUSE_MS = 15_000;

/**
 * Of a deleted workload: the marks on its steps outlive the tokens of all requests on their way, also where clocks differ; whoever works
 * on one has stopped, or its lease has run out, long before the patience ends.
 */
const DROP = { keepMs: 2 * TOKEN_LIFE_MS, patienceMs: 15_000 };

/** Reconcile with its real dependencies. */
export async function composeReconcile(config: Config, log: Logger, draining: AbortSignal): Promise<Hono> {
  const stepKey = privateKey("STEP_TOKEN_PRIVATE_KEY", config.STEP_TOKEN_PRIVATE_KEY);
  const reviewKey = privateKey("REVIEW_LINK_PRIVATE_KEY", config.REVIEW_LINK_PRIVATE_KEY);
  if (!config.BROKER_URL)
    throw new Error("BROKER_URL is not set: it is the Broker's address, and 'kubectl get broker -A' prints it");
  const redis = await connectRedisWhenever(config.REDIS_URL, log, config.REDIS_CA);
  const artifacts = await connectArtifacts(config);
  const holder = `reconcile, process ${process.pid} on ${hostname()}`;
  const lease = { holder, ttlMs: LEASE_MS, patienceMs: LEASE_PATIENCE_MS };
  // Asked for when it is needed, and again until it answers: Redis may be away when this process starts.
  const stepStore = () => chooseStepStore(config.CHECKPOINTS, redis, config.REDIS_URL, config.REDIS_CA);
  const agentSettings = readAgentSettings();
  const servers = {
    store: [config.AWS_ACCESS_KEY_ID, config.AWS_SECRET_ACCESS_KEY],
    browserless: agentSettings["BROWSER_URL"],
    litellm: agentSettings["LLM_API_KEY"],
  };
  const logins = await tenantLogins(config, redis);
  // Shared agents work for every namespace, by the logins of their settings.
  const loginsOf = (namespace: string) => (namespace === SHARED_NAMESPACE ? [] : logins);
  // Agents answer with tokens that the key before the last rotation signed.
  const stepPublicKeys = verifyingKeys(stepKey, "STEP_TOKEN_PUBLIC_KEY", config.STEP_TOKEN_PUBLIC_KEY);
  const evidenceKey = config.EVIDENCE_PRIVATE_KEY
    ? privateKey("EVIDENCE_PRIVATE_KEY", config.EVIDENCE_PRIVATE_KEY)
    : undefined;
  // Gates of runs that began before the last rotation are as they were.
  const reviewPublicKeys = verifyingKeys(reviewKey, "REVIEW_LINK_PUBLIC_KEY", config.REVIEW_LINK_PUBLIC_KEY);
  // No start waits for it.
  void auditKeys(
    redis,
    [
      { use: "step tokens", signing: stepKey, accepted: stepPublicKeys },
      { use: "review links", signing: reviewKey, accepted: reviewPublicKeys },
      ...(evidenceKey ? [{ use: "evidence", signing: evidenceKey, accepted: [] }] : []),
    ],
    log,
  );
  const results = createResultStore(artifacts);
  const hasModel = modelEndpoint(config) !== undefined;
  const kube = connectKube();
  return createApp({
    kube,
    quotas: createQuotas(kube.configMaps, licenceFile(config.LICENCE_FILE, config.LICENCE_KEYS), () => new Date()),
    readSpent: (ledger) => readSpent(redis, ledger, new Date()),
    readUse: (ledger) => readUse(redis, ledger),
    usage: await connectUsage(config),
    usageFile: (record) => usageFile(record, evidenceKey),
    engine: sealedArgoEngine(reviewKey, reviewPublicKeys),
    artifacts,
    results,
    findPrevious: createFindPrevious(artifacts, results),
    carryCorrections: createCarryCorrections(artifacts),
    send: connectBroker(config.BROKER_URL, config.BROKER_TOKEN_FILE),
    agentSettings: (agent) => ({
      ...loginsOf(agent.namespace).reduce(
        (settings, login) => login.settingsFor(agent.namespace, settings),
        agentSettings,
      ),
      HOST_ACCESS_KEY: accessKey(stepKey, agentAttribute(agent)),
    }),
    ensureLogins: async (namespace) => {
      await Promise.all(loginsOf(namespace).map((login) => login.ensure(namespace)));
    },
    removeLogins: async (namespace) => {
      await Promise.all(loginsOf(namespace).map((login) => login.remove(namespace)));
    },
    ...(config.DEFAULT_PIPELINE === undefined ? {} : { defaultPipeline: config.DEFAULT_PIPELINE }),
    readStates: (identities) => readStates(redis, identities),
    isWorkedOn: (uid) => isWorkedOn(redis, uid),
    claimRequests: async (uid, requests) => {
      const patience = { patienceMs: REQUEST_PATIENCE_MS, now: new Date() };
      return claimRequests(redis, await stepStore(), uid, requests, patience);
    },
    withdrawRequest: (identity) => withdrawRequest(redis, identity),
    markUndeliverable: async (identity, why) => {
      await markUndeliverable(redis, identity, why, UNDELIVERABLE_PAUSE_MS);
    },
    recordResult: (identity, outcome, digest) =>
      recordResult(redis, identity, { outcome, digest, now: new Date(), keepMs: KEEP_MS }),
    dropSteps: async (uid) => dropSteps(redis, await stepStore(), uid, DROP),
    exclusively: (key, work) => exclusively(redis, key, lease, work),
    verifyToken: createStepTokenVerifier(stepPublicKeys),
    verifyExpiredToken: createStepTokenVerifier(stepPublicKeys, { evenExpired: true }),
    mintTokens: (claims, expiresAt, granted) =>
      mintStepTokens(
        claims,
        stepKey,
        expiresAt,
        granted && {
          access: granted.access,
          agentKey: accessKey(stepKey, agentAttribute(granted.agent)),
          proxyKey: config.EGRESS_ACCESS_KEY,
        },
      ),
    async reviewUrl({ findings, digest, timeoutAt, step }) {
      const { namespace, name } = findings.workload;
      const link = {
        namespace,
        name,
        gate: step.name,
        digest,
        by: "the holder of the review link",
        how: "ReviewLink",
      } as const;
      const token = await mintReviewLink(reviewKey, link, timeoutAt);
      return new URL(`/review/${namespace}/${name}/${step.name}?token=${token}`, config.REVIEW_URL).href;
    },
    usesProxies: config.EGRESS_ACCESS_KEY !== undefined,
    costOfApproving: (run, gate, outcomes) => costOfApproving(run, gate, outcomes, { hasModel }),
    traceUrl: config.TRACE_URL,
    recordRun,
    ...(evidenceKey ? { signEvidence: (ended) => signEvidence(evidenceOfRun(ended), evidenceKey) } : {}),
    onNewSettings: (lookAtAgents) =>
      onNewSettings(
        redis,
        { agentSettings, servers, tenants: config.TENANTS_KEY },
        async () => {
          await restartServers(servers, { kube, log });
          await lookAtAgents();
        },
        log,
      ),
    now: () => new Date(),
    log,
    draining,
  });
}

/** Of each store that can have logins of tenants. */
async function tenantLogins(config: Config, redis: Redis): Promise<readonly TenantLogins[]> {
  const { TENANTS_KEY: key, S3_ADMIN_ENDPOINT: adminEndpoint, CHECKPOINTS, ARTIFACTS_URL } = config;
  if (!key) return [];
  // The checkpoints of redis-stack have keys of upstream's making, which begin with no namespace.
  const logins = CHECKPOINTS === "redis" ? [createRedisLogins(redis, key)] : [];
  if (!adminEndpoint) return logins;
  const s3 = s3Settings(config);
  const buckets = ARTIFACTS_URL.startsWith("s3:") ? readBuckets(ARTIFACTS_URL) : undefined;
  if (!s3 || !buckets?.perNamespace)
    throw new Error(
      "S3_ADMIN_ENDPOINT is set, and ARTIFACTS_URL names no bucket for each namespace, as s3://agentic-{namespace}: a tenant's login reaches one bucket",
    );
  const { createStoreLogins } = await import("./lib/edges/tenant-login/versitygw.ts");
  return [...logins, createStoreLogins({ key, buckets, s3, adminEndpoint })];
}
