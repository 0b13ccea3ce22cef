import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { NO_USAGE, type StepResult } from "../../engine/result.ts";
import { SUMMARY } from "../../engine/summary.ts";
import type { AgentEdges } from "../../lib/connect.ts";
import { contextOf, type StepContext, type StepGraph } from "../../lib/durable/durable.ts";
import { egressAccess } from "../../lib/edges/egress-access.ts";
import { TerminalError } from "../../lib/errors.ts";
import { type Capture, captureSchema } from "../../pipelines/market-analysis/capture.ts";
import { putSummary } from "../../pipelines/market-analysis/summary.ts";
import { createHostQueue, type HostQueue } from "./host-queue.ts";
import { checkRobots } from "./robots.ts";
import { describe, summaryOf } from "./summary.ts";
import { VIEWPORT, visit } from "./visit.ts";

export type ScrapeEdges = Pick<AgentEdges, "artifacts" | "browser" | "egressProxy">;

/** What scrape adds to the browser's own name. */
const PRODUCT = "agentic/0.1";
/** Pause between two visits to one host. */
const HOST_DELAY_MS = 1000;

const State = Annotation.Root({
  identity: Annotation<string>,
  robotsVerdict: Annotation<Capture["robots"]>,
  captured: Annotation<Capture>,
  result: Annotation<StepResult | undefined>,
});

/** robots → capture → publish: ask whether scrape may visit, visit once, store what the page showed. */
export function createGraph(edges: ScrapeEdges, hosts: HostQueue = createHostQueue(HOST_DELAY_MS)): StepGraph {
  const { artifacts, browser, egressProxy } = edges;
  return new StateGraph(State)
    .addNode("robots", async (_state, runtime) => {
      const context = contextOf(runtime);
      const userAgent = `${await browser.userAgent()} ${PRODUCT}`;
      const access = egressAccess(egressProxy, context);
      return { robotsVerdict: await checkRobots(access, siteOf(context), userAgent, context.signal) };
    })
    .addNode("capture", async ({ robotsVerdict }, runtime) => {
      const context = contextOf(runtime);
      const site = siteOf(context);
      const release = await hosts.acquire(site.host, context.signal);
      try {
        return { captured: await capturePage(edges, context, site, robotsVerdict) };
      } finally {
        release();
      }
    })
    .addNode("publish", async ({ captured }, runtime) => {
      const { workload } = contextOf(runtime);
      const capture = captureSchema.parse(captured);
      const result: StepResult = {
        outcome: "succeeded",
        output: describe(capture),
        artifacts: {
          capture: await artifacts.put(workload, JSON.stringify(capture), "json"),
          [SUMMARY]: await putSummary(artifacts, workload, summaryOf(capture)),
        },
        usage: { ...NO_USAGE, browserSeconds: capture.browserSeconds },
      };
      return { result };
    })
    .addEdge(START, "robots")
    .addEdge("robots", "capture")
    .addEdge("capture", "publish")
    .addEdge("publish", END);
}

async function capturePage(
  { artifacts, browser, egressProxy }: ScrapeEdges,
  context: StepContext,
  site: URL,
  robots: Capture["robots"],
): Promise<Capture> {
  const access = egressAccess(egressProxy, context);
  const started = performance.now();
  const { facts, ...bytes } = await browser.withContext(
    {
      // Loopback names go by the proxy, too.
      proxy: { server: access.proxy, username: access.username, password: access.password, bypass: "<-loopback>" },
      viewport: VIEWPORT,
      userAgent: `${await browser.userAgent()} ${PRODUCT}`,
      acceptDownloads: false,
      serviceWorkers: "block",
      locale: "en-US",
    },
    context.signal,
    (browserContext) =>
      visit(browserContext, {
        url: site,
        allow: context.claims.allow,
        access,
        signal: context.signal,
        deadline: context.deadline,
      }),
  );
  const browserSeconds = Math.round(performance.now() - started) / 1000;
  const put = artifacts.put.bind(artifacts, context.workload);
  const [dom, text, screenshot, fullPage] = await Promise.all([
    put(bytes.html, "html"),
    put(bytes.text, "txt"),
    put(bytes.screenshot, "png"),
    put(bytes.fullPage, "jpg"),
  ]);
  return {
    url: site.href,
    capturedAt: new Date().toISOString(),
    browserSeconds,
    robots,
    ...facts,
    artifacts: { dom, text, screenshot, fullPage },
  };
}

/** @throws TerminalError InvalidInput */
function siteOf({ input: { item } }: StepContext): URL {
  const url = typeof item === "string" ? URL.parse(item) : null;
  if (!url)
    throw new TerminalError("InvalidInput", `scrape needs a site's URL as its item, not ${JSON.stringify(item)}`);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new TerminalError("InvalidInput", `${url.href} is neither http nor https`);
  if (url.username || url.password)
    throw new TerminalError("InvalidInput", `the URL of ${url.host} has a login: scrape visits public pages only`);
  return url;
}
