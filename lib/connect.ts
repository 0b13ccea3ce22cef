import { hostname } from "node:os";
import type { Redis } from "ioredis";
import { modelEndpoint, type Settings } from "./config.ts";
import { type Artifacts, openArtifacts } from "./edges/artifacts.ts";
import type { Model } from "./edges/llm.ts";
import { publicKey } from "./keys.ts";
import type { Logger } from "./log.ts";
import type { StepAppDeps } from "./step-app.ts";

// A function's dependencies, connected as its settings say. Modules are loaded by whoever needs them.

/** How long records and checkpoints of an ended step are kept: spec.freshness decides on reuse, this only bounds the store. */
const KEEP_MS = 30 * 24 * 3_600_000;
/** Asked where a step names none. */
const DEFAULT_MODEL = "gpt-4o-mini";
/** Of a step: how long the step of a killed instance waits for its successor. */
const LEASE_MS = 5000;

export function connectArtifacts(settings: Settings): Promise<Artifacts> {
  const { ARTIFACTS_URL: url, S3_ENDPOINT: endpoint, S3_REGION: region } = settings;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  return openArtifacts({
    url,
    ...(endpoint && accessKeyId && secretAccessKey ? { s3: { endpoint, region, accessKeyId, secretAccessKey } } : {}),
  });
}

/** What the step contract needs, whatever the step does. `name`: the step's, which its leases show. */
export async function connectStep(
  name: string,
  settings: Settings,
  log: Logger,
  draining: AbortSignal,
): Promise<StepAppDeps & { readonly redis: Redis }> {
  const [{ connectRedisWhenever }, { createRunDurably }, { chooseSaver }, { createStepTokenVerifier }] =
    await Promise.all([
      import("./edges/redis.ts"),
      import("./durable/run.ts"),
      import("./durable/choose-saver.ts"),
      import("./token.ts"),
    ]);
  const verifyToken = createStepTokenVerifier(publicKey("STEP_TOKEN_PUBLIC_KEY", settings.STEP_TOKEN_PUBLIC_KEY));
  const redis = await connectRedisWhenever(settings.REDIS_URL, log);
  const runDurably = createRunDurably({
    redis,
    saver: await chooseSaver(settings.CHECKPOINTS, redis, settings.REDIS_URL),
    holder: `${name}, process ${process.pid} on ${hostname()}`,
    leaseTtlMs: LEASE_MS,
    keepMs: KEEP_MS,
    now: () => new Date(),
  });
  return { runDurably, verifyToken, log, draining, redis };
}

/** Undefined where none is configured. The model of a workload is named in its steps; this only says where models are. */
export async function connectModel(settings: Settings, redis: Redis, log: Logger): Promise<Model | undefined> {
  const endpoint = modelEndpoint(settings);
  if (!endpoint) return undefined;
  const { createModel } = await import("./edges/llm.ts");
  return createModel({ ...endpoint, name: DEFAULT_MODEL, redis, log });
}
