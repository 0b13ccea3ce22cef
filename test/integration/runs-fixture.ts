import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import type { Hono } from "hono";
import { pino } from "pino";
import type { WorkloadStatus } from "../../crd/agentworkload.ts";
import { LIMITS, type Limits } from "../../functions/runs/deps.ts";
import { createFeed, type Feed } from "../../functions/runs/feed.ts";
import type { Update } from "../../functions/runs/page/live.ts";
import { kubeConfig } from "../../lib/edges/kube-calls.ts";
import { followWorkloads } from "../../lib/edges/kube-watch.ts";
import type { Logger } from "../../lib/log.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { writeKubeconfig } from "./kubeconfig.ts";

export const step = (name: string, over: object = {}) => ({
  name,
  total: 1,
  running: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  costUsd: "0",
  ...over,
});
const AT = "2026-11-30T10:12:00Z";
export const WAITING: WorkloadStatus = {
  phase: "AwaitingReview",
  pipeline: "agentic-system/reading",
  items: { total: 12, done: 11, failed: 1, progress: "11/12" },
  usage: { inputTokens: 1200, outputTokens: 34, costUsd: "0.0421", browserSeconds: 0 },
  startedAt: AT,
  trace: "0af7651916cd43dd8448eb211c80319c",
  traceUrl: "https://traces.example/t/0af7651916cd43dd8448eb211c80319c?x=1",
  steps: [step("read", { total: 12, succeeded: 11, failed: 1, costUsd: "0.0421" }), step("ask", { running: 1 })],
  reviews: [
    {
      gate: "ask",
      run: "r",
      digest: "0".repeat(64),
      openedAt: AT,
      timeoutAt: "2026-12-01T10:12:00Z",
      onTimeout: "Reject",
      costOfApproving: "0.01",
    },
  ],
};
export const running = (done: number, total = 50): WorkloadStatus => ({
  phase: "Running",
  pipeline: "team/crawl",
  items: { total, done, failed: 0, progress: `${done}/${total}` },
  startedAt: AT,
  steps: [step("read", { total, running: 1, succeeded: done })],
});

/** Short, so that tests need not wait. */
export const QUICK: Limits = { ...LIMITS, recheckMs: 150, gatherMs: 20, lifeMs: 60_000 };

export interface World {
  readonly api: ApiServer;
  readonly feed: Feed;
  readonly kubeconfig: string;
  readonly draining: AbortController;
  /** Lines of the log. */
  readonly said: Record<string, unknown>[];
  readonly log: Logger;
  /** @returns its origin, by the name of 127.0.0.1 */
  serve(app: Hono): Promise<{ origin: string; server: Server }>;
  close(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "agentic-runs-"));
  const api = await startApiServer();
  const kubeconfig = await writeKubeconfig(folder, api.port);
  const draining = new AbortController();
  const said: Record<string, unknown>[] = [];
  const log: Logger = pino({ level: "info" }, { write: (line: string) => void said.push(JSON.parse(line)) });
  const servers: Server[] = [];
  const follow = followWorkloads(kubeConfig({ file: kubeconfig }));
  const now = () => new Date();
  const feed = createFeed({ follow, now, log, draining: draining.signal }, { lingerMs: 200, pauseMs: 50 });
  return {
    api,
    feed,
    kubeconfig,
    draining,
    said,
    log,
    async serve(app) {
      const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }) as Server;
      servers.push(server);
      await once(server, "listening");
      return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
    },
    async close() {
      draining.abort();
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      await api.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Stream {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** What came so far: updates, and the names of other events. */
  readonly updates: Update[];
  readonly events: string[];
  /** Comments: nothing has changed. */
  readonly beats: () => number;
  /** Everything that came, as it came. */
  readonly raw: () => string;
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>;
  /** What the page has now, block by block. */
  shown(): ReadonlyMap<string, string>;
  /** Until what is shown says so. */
  until(says: (text: string) => boolean): Promise<void>;
  close(): void;
}

/** Reads a stream as a browser does. */
export async function openStream(url: string, headers: Record<string, string> = {}): Promise<Stream> {
  const asked = request(url, { headers: { accept: "text/event-stream", ...headers }, agent: false }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const updates: Update[] = [];
  const events: string[] = [];
  let shown = new Map<string, string>();
  let raw = "";
  let left = "";
  let beats = 0;
  const waiting = new Set<() => void>();
  response.setEncoding("utf8").on("data", (chunk: string) => {
    raw += chunk;
    const parts = (left + chunk).split("\n\n");
    left = parts.pop() ?? "";
    for (const part of parts) {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, "m").exec(part)?.[1];
      const event = field("event");
      const data = field("data");
      if (event !== undefined) events.push(event);
      else if (data !== undefined) {
        const update: Update = JSON.parse(data);
        updates.push(update);
        shown = new Map(update.order.map((id) => [id, update.changed[id] ?? shown.get(id) ?? `no block ${id}`]));
      } else if (part === ":") beats++;
    }
    for (const look of waiting) look();
  });
  const ended = new Promise<void>((resolve) => {
    response.on("close", () => resolve());
    response.on("error", () => resolve());
  });
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    updates,
    events,
    beats: () => beats,
    raw: () => raw,
    ended,
    shown: () => shown,
    until: (says) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!says([...shown.values()].join("\n"))) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    close: () => asked.destroy(),
  };
}
