import { fileURLToPath } from "node:url";
import type { Hono } from "hono";
import { AGENT_FUNCTIONS, agentGraph } from "./compose-agents.ts";
import type { Config } from "./lib/config.ts";
import { connectAgent, connectArtifacts, connectUsage } from "./lib/connect.ts";
import type { Reviews } from "./lib/edges/reviews.ts";
import { publicKeys } from "./lib/keys.ts";
import type { Logger } from "./lib/log.ts";

/**
 * Makes the app that FUNCTION names, with its real dependencies. Modules are loaded by the function that needs them.
 * @throws Error for a FUNCTION that is none
 */
export async function composeFunction(config: Config, log: Logger, draining: AbortSignal): Promise<Hono> {
  switch (config.FUNCTION) {
    case "reconcile": {
      const { composeReconcile } = await import("./compose-reconcile.ts");
      return composeReconcile(config, log, draining);
    }
    case "approve":
      return composeApprove(config, log, draining);
    case "artifacts":
      return composeArtifacts(config, log, draining);
    case "runs":
      return composeRuns(log, draining);
    default:
      return composeAgent(config, log, draining);
  }
}

async function composeAgent(config: Config, log: Logger, draining: AbortSignal): Promise<Hono> {
  const { FUNCTION: name } = config;
  const [graph, { createAgentApp }] = await Promise.all([agentGraph(name), import("./lib/agent-app.ts")]);
  if (!graph) {
    const known = [
      "reconcile",
      "approve",
      "artifacts",
      "runs",
      "admit",
      "egress",
      "setup",
      "remove",
      "doctor",
      ...AGENT_FUNCTIONS,
    ];
    throw new Error(`FUNCTION is ${name}: expected one of ${known.join(", ")}`);
  }
  const { edges, ...deps } = await connectAgent(name, config, log, draining);
  return createAgentApp(graph(edges), deps);
}

async function composeArtifacts(config: Config, log: Logger, draining: AbortSignal): Promise<Hono> {
  const [{ createApp }, { connectPermissions }, { kubeConfig }] = await Promise.all([
    import("./functions/artifacts/index.ts"),
    import("./lib/edges/kube-permissions.ts"),
    import("./lib/edges/kube-calls.ts"),
  ]);
  // Asked for when somebody asks for usage: bytes are handed out without the API server.
  const permissions = {
    whoIs: (token: string, audience: string) => connectPermissions(kubeConfig()).whoIs(token, audience),
  };
  const usage = { usage: await connectUsage(config), permissions };
  return createApp({ artifacts: await connectArtifacts(config), usage, log, draining });
}

async function composeApprove(config: Config, log: Logger, draining: AbortSignal): Promise<Hono> {
  const [{ createApp }, { createLinkAuthorizer }] = await Promise.all([
    import("./functions/approve/index.ts"),
    import("./lib/review-link.ts"),
  ]);
  return createApp({
    artifacts: await connectArtifacts(config),
    reviews: await reviewsOf(config),
    authorize: createLinkAuthorizer(publicKeys("REVIEW_LINK_PUBLIC_KEY", config.REVIEW_LINK_PUBLIC_KEY)),
    now: () => new Date(),
    log,
    draining,
  });
}

async function composeRuns(log: Logger, draining: AbortSignal): Promise<Hono> {
  const [
    { createApp },
    { createFeed },
    { createReaders },
    { connectPermissions },
    { followWorkloads },
    { kubeConfig },
  ] = await Promise.all([
    import("./functions/runs/index.ts"),
    import("./functions/runs/feed.ts"),
    import("./functions/runs/readers.ts"),
    import("./lib/edges/kube-permissions.ts"),
    import("./lib/edges/kube-watch.ts"),
    import("./lib/edges/kube-calls.ts"),
  ]);
  const cluster = kubeConfig();
  const now = () => new Date();
  return createApp({
    feed: createFeed({ follow: followWorkloads(cluster), now, log, draining }),
    readerOfToken: createReaders(connectPermissions(cluster)),
    now,
    log,
    draining,
  });
}

async function reviewsOf(config: Config): Promise<Reviews> {
  if (config.REVIEWS === "workload") {
    const [{ connectKube }, { createWorkloadReviews }] = await Promise.all([
      import("./lib/edges/kube.ts"),
      import("./lib/edges/reviews/workload.ts"),
    ]);
    return createWorkloadReviews(connectKube().workloads);
  }
  const url = new URL(config.ARTIFACTS_URL);
  if (url.protocol !== "file:")
    throw new Error(
      "REVIEWS=folder keeps reviews beside the artifacts: ARTIFACTS_URL must be a file: URL; in a cluster set REVIEWS=workload",
    );
  const { createFolderReviews } = await import("./lib/edges/reviews/folder.ts");
  return createFolderReviews(`${fileURLToPath(url)}/reviews`);
}
