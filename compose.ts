import { fileURLToPath } from "node:url";
import type { Hono } from "hono";
import type { Config } from "./lib/config.ts";
import { connectArtifacts, connectModel, connectStep } from "./lib/connect.ts";
import type { Reviews } from "./lib/edges/reviews.ts";
import { publicKey } from "./lib/keys.ts";
import type { Logger } from "./lib/log.ts";

const HOST_DELAY_MS = 1000;

/** Makes the app that FUNCTION names, with its real dependencies. Modules are loaded by the function that needs them. */
export async function composeFunction(
  name: Exclude<Config["FUNCTION"], "egress">,
  config: Config,
  log: Logger,
  draining: AbortSignal,
): Promise<Hono> {
  const artifacts = await connectArtifacts(config);
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
        ...(await connectStep(name, config, log, draining)),
        artifacts,
        browser: connectBrowser(() => config.BROWSER_URL),
        egressProxy: config.EGRESS_PROXY_URL,
        politeness: createHostQueue(HOST_DELAY_MS),
      });
    }
    case "analyze": {
      const { createApp } = await import("./functions/analyze/index.ts");
      const deps = await connectStep(name, config, log, draining);
      return createApp({ ...deps, artifacts, model: await connectModel(config, deps.redis, log) });
    }
    case "report": {
      const [{ createApp }, { connectBrowser }] = await Promise.all([
        import("./functions/report/index.ts"),
        import("./lib/edges/browser.ts"),
      ]);
      const deps = await connectStep(name, config, log, draining);
      return createApp({
        ...deps,
        artifacts,
        model: await connectModel(config, deps.redis, log),
        browser: connectBrowser(() => config.BROWSER_URL),
      });
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
