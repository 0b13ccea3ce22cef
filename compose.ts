import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import type { Hono } from "hono";
import type { Redis } from "ioredis";
import { type Config, modelEndpoint } from "./lib/config.ts";
import { type Artifacts, openArtifacts } from "./lib/edges/artifacts.ts";
import type { Model } from "./lib/edges/llm.ts";
import type { Reviews } from "./lib/edges/reviews.ts";
import { publicKey } from "./lib/keys.ts";
import type { Logger } from "./lib/log.ts";
import type { StepAppDeps } from "./lib/step-app.ts";

/** How long records and checkpoints of an ended step are kept: spec.freshness decides on reuse, this only bounds the store. */
const KEEP_MS = 30 * 24 * 3_600_000;
/** Asked where a step names none. */
const DEFAULT_MODEL = "gpt-4o-mini";
/** Of a step: how long the step of a killed instance waits for its successor. */
const LEASE_MS = 5000;
const HOST_DELAY_MS = 1000;

/** Makes the app that FUNCTION names, with its real dependencies. Modules are loaded by the function that needs them. */
export async function composeFunction(
  name: Exclude<Config["FUNCTION"], "egress">,
  config: Config,
  log: Logger,
  draining: AbortSignal,
): Promise<Hono> {
  const artifacts = await artifactsOf(config);
  switch (name) {
    case "reconcile": {
      const { composeReconcile } = await import("./compose-reconcile.ts");
      return composeReconcile(config, artifacts, log, draining);
    }
    case "scrape": {
      const [{ createApp }, { createHostQueue }, { connectBrowser }] = await Promise.all([
        import("./functions/scrape/index.ts"),
        import("./functions/scrape/host-queue.ts"),
        import("./lib/edges/browser.ts"),
      ]);
      return createApp({
        ...(await stepDeps(config, log, draining)),
        artifacts,
        browser: connectBrowser(() => config.BROWSER_URL),
        egressProxy: config.EGRESS_PROXY_URL,
        politeness: createHostQueue(HOST_DELAY_MS),
      });
    }
    case "analyze": {
      const { createApp } = await import("./functions/analyze/index.ts");
      const { model, ...deps } = await stepDeps(config, log, draining);
      return createApp({ ...deps, artifacts, model });
    }
    case "report": {
      const [{ createApp }, { connectBrowser }] = await Promise.all([
        import("./functions/report/index.ts"),
        import("./lib/edges/browser.ts"),
      ]);
      const { model, ...deps } = await stepDeps(config, log, draining);
      return createApp({ ...deps, artifacts, model, browser: connectBrowser(() => config.BROWSER_URL) });
    }
    case "approve": {
      const [{ createApp }, { createLinkAuthorizer }] = await Promise.all([
        import("./functions/approve/index.ts"),
        import("./lib/review-link.ts"),
      ]);
      return createApp({
        artifacts,
        reviews: await reviewsOf(config),
        authorize: createLinkAuthorizer(publicKey("REVIEW_LINK_PUBLIC_KEY", config.REVIEW_LINK_PUBLIC_KEY)),
        now: () => new Date(),
        log,
        draining,
      });
    }
  }
}

function artifactsOf(config: Config): Promise<Artifacts> {
  return openArtifacts({
    url: config.ARTIFACTS_URL,
    ...(config.S3_ENDPOINT && config.AWS_ACCESS_KEY_ID && config.AWS_SECRET_ACCESS_KEY
      ? {
          s3: {
            endpoint: config.S3_ENDPOINT,
            region: config.S3_REGION,
            accessKeyId: config.AWS_ACCESS_KEY_ID,
            secretAccessKey: config.AWS_SECRET_ACCESS_KEY,
          },
        }
      : {}),
  });
}

async function reviewsOf(config: Config): Promise<Reviews> {
  if (config.REVIEWS === "workload") {
    const [{ connectKube }, { createWorkloadReviews }] = await Promise.all([
      import("./lib/edges/kube.ts"),
      import("./lib/edges/workload-reviews.ts"),
    ]);
    return createWorkloadReviews(connectKube().workloads);
  }
  const url = new URL(config.ARTIFACTS_URL);
  if (url.protocol !== "file:")
    throw new Error(
      "REVIEWS=folder keeps reviews beside the artifacts: ARTIFACTS_URL must be a file: URL; in a cluster set REVIEWS=workload",
    );
  const { createFolderReviews } = await import("./lib/edges/reviews.ts");
  return createFolderReviews(`${fileURLToPath(url)}/reviews`);
}

async function stepDeps(config: Config, log: Logger, draining: AbortSignal) {
  const [{ connectRedis }, { createRunDurably }, { chooseSaver }, { createStepTokenVerifier }] = await Promise.all([
    import("./lib/edges/redis.ts"),
    import("./lib/durable/run.ts"),
    import("./lib/durable/choose-saver.ts"),
    import("./lib/token.ts"),
  ]);
  const verifyToken = createStepTokenVerifier(publicKey("STEP_TOKEN_PUBLIC_KEY", config.STEP_TOKEN_PUBLIC_KEY));
  const redis = await connectRedis(config.REDIS_URL);
  const runDurably = createRunDurably({
    redis,
    saver: await chooseSaver(config.CHECKPOINTS, redis, config.REDIS_URL),
    holder: `${config.FUNCTION}, process ${process.pid} on ${hostname()}`,
    leaseTtlMs: LEASE_MS,
    keepMs: KEEP_MS,
    now: () => new Date(),
  });
  return { runDurably, verifyToken, log, draining, model: await modelOf(config, redis, log) } satisfies StepAppDeps & {
    model: Model | undefined;
  };
}

/** The model of a workload is named in its steps; this only says where models are. */
async function modelOf(config: Config, redis: Redis, log: Logger): Promise<Model | undefined> {
  const endpoint = modelEndpoint(config);
  if (!endpoint || (config.FUNCTION !== "analyze" && config.FUNCTION !== "report")) return undefined;
  const { createModel } = await import("./lib/edges/llm.ts");
  return createModel({ ...endpoint, name: DEFAULT_MODEL, redis, log });
}
