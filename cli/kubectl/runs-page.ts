import { randomBytes } from "node:crypto";
import { Hono } from "hono";
import { LIMITS, type Reader } from "../../functions/runs/deps.ts";
import { createFeed } from "../../functions/runs/feed.ts";
import { createPages } from "../../functions/runs/pages.ts";
import type { ObjectRef } from "../../lib/edges/kube.ts";
import { createLog } from "../../lib/log.ts";
import { createPageServer } from "../local/page-server.ts";
import type { Cluster } from "./cluster.ts";
import { failuresOf } from "./describe.ts";

/** The user's own kubeconfig reads the runs: what it may not read is not there. */
const USER: Reader = {
  name: "the user of the kubeconfig",
  mayList: async (namespaces) => namespaces,
  mayRead: async () => true,
};

/**
 * The pages of runs on this machine: the function runs, in this process. Whoever knows its address, which nobody guesses, sees them, as
 * long as it is asked for by the address and not by a name that somebody has made lead here.
 */
export function createRunsApp(
  deps: Pick<Parameters<typeof createPages>[0], "feed" | "failures" | "now" | "log" | "draining">,
): { readonly app: Hono; readonly base: string } {
  const base = `/${randomBytes(32).toString("base64url")}`;
  const app = new Hono();
  app.use("*", async (c, next) => {
    if (!/^127\.0\.0\.1(:\d+)?$/.test(c.req.header("host") ?? "")) return c.text("Open it by 127.0.0.1.", 421);
    return next();
  });
  app.route(
    base,
    createPages({
      ...deps,
      base,
      readerOf: async () => USER,
      refuse: (c) => c.notFound(),
      signsOut: false,
      limits: LIMITS,
    }),
  );
  return { app, base };
}

/** @param clusterOf the user's cluster with another namespace @returns the address of the list of runs; it ends with this process */
export async function serveRuns(
  cluster: Cluster,
  clusterOf: (namespace: string) => Cluster,
  { all }: { readonly all: boolean },
): Promise<string> {
  const log = createLog("runs", "silent");
  const now = () => new Date();
  const draining = new AbortController().signal;
  const feed = createFeed({ follow: cluster.follow(all), now, log, draining });
  // What the user may not read is said here, and not on the page.
  const viewer = await feed.look();
  viewer.close();
  const clusters = new Map<string, Cluster>();
  const failures = async ({ namespace, name }: ObjectRef) => {
    const there = clusters.get(namespace) ?? clusterOf(namespace);
    clusters.set(namespace, there);
    const workload = await there.workload(name);
    return workload ? failuresOf(there, workload) : [];
  };
  const { app, base } = createRunsApp({ feed, failures, now, log, draining });
  return `${await createPageServer(app).open()}${base}`;
}
