import { hostname } from "node:os";
import type { Hono } from "hono";
import { createApp } from "./functions/reconcile/index.ts";
import { allowListFor } from "./lib/allow-list.ts";
import { type Config, modelEndpoint } from "./lib/config.ts";
import { exclusively } from "./lib/durable/exclusively.ts";
import { claimRequests, dropSteps, markUndeliverable, readStates, withdrawRequest } from "./lib/durable/requests.ts";
import type { Artifacts } from "./lib/edges/artifacts.ts";
import { connectBroker } from "./lib/edges/broker.ts";
import { connectKube } from "./lib/edges/kube.ts";
import { connectRedisWhenever } from "./lib/edges/redis.ts";
import { privateKey } from "./lib/keys.ts";
import type { Logger } from "./lib/log.ts";
import { mintReviewLink } from "./lib/review-link.ts";
import { mintStepToken } from "./lib/token.ts";
import { REPORT_USD } from "./pipeline/market-analysis.ts";

/** A look takes a second or two; a killed instance's workload waits this long for its next. */
const LEASE_MS = 5000;
const LEASE_PATIENCE_MS = 15_000;
/** A request that nobody took up for so long is sent again. */
const REQUEST_PATIENCE_MS = 30_000;
/** A step whose request came back is not asked for again before. */
const UNDELIVERABLE_PAUSE_MS = 15_000;

/** Reconcile with its real dependencies. */
export async function composeReconcile(
  config: Config,
  artifacts: Artifacts,
  log: Logger,
  draining: AbortSignal,
): Promise<Hono> {
  const stepKey = privateKey("STEP_TOKEN_PRIVATE_KEY", config.STEP_TOKEN_PRIVATE_KEY);
  const reviewKey = privateKey("REVIEW_LINK_PRIVATE_KEY", config.REVIEW_LINK_PRIVATE_KEY);
  if (!config.BROKER_URL)
    throw new Error("BROKER_URL is not set: it is the Broker's address, and 'kubectl get broker -A' prints it");
  const redis = await connectRedisWhenever(config.REDIS_URL, log);
  const holder = `reconcile, process ${process.pid} on ${hostname()}`;
  return createApp({
    kube: connectKube(),
    artifacts,
    send: connectBroker(config.BROKER_URL),
    readStates: (identities) => readStates(redis, identities),
    claimRequests: (uid, requests) =>
      claimRequests(redis, uid, requests, { patienceMs: REQUEST_PATIENCE_MS, now: new Date() }),
    withdrawRequest: (identity) => withdrawRequest(redis, identity),
    markUndeliverable: (identity, why) => markUndeliverable(redis, identity, why, UNDELIVERABLE_PAUSE_MS),
    dropSteps: (uid) => dropSteps(redis, uid),
    exclusively: ({ namespace, name }, work) =>
      exclusively(redis, `${namespace}/${name}`, { holder, ttlMs: LEASE_MS, patienceMs: LEASE_PATIENCE_MS }, work),
    mintToken: (order, { item, identity, budget, egressAllow }, expiresAt) =>
      mintStepToken(
        {
          sub: order.workload.uid,
          jti: identity,
          run: order.run,
          allow: allowListFor(item, egressAllow),
          ...(budget === undefined ? {} : { budgetUsd: budget }),
        },
        stepKey,
        expiresAt,
      ),
    async reviewUrl({ findings, digest, timeoutAt }) {
      const { namespace, name } = findings.workload;
      const token = await mintReviewLink(
        reviewKey,
        { namespace, name, digest, by: "the holder of the review link" },
        timeoutAt,
      );
      return new URL(`/review/${namespace}/${name}?token=${token}`, config.REVIEW_URL).href;
    },
    costOfApproving: modelEndpoint(config) ? REPORT_USD : 0,
    now: () => new Date(),
    log,
    draining,
  });
}
