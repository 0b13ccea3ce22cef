import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { contextOf, type StepContext, type StepGraph } from "../../lib/durable/durable.ts";
import type { Artifacts } from "../../lib/edges/artifacts.ts";
import type { Browser } from "../../lib/edges/browser.ts";
import { TerminalError } from "../../lib/errors.ts";
import { NO_USAGE, type StepResult } from "../../lib/step.ts";
import { type Capture, captureSchema } from "../../pipeline/capture.ts";
import type { HostQueue } from "./host-queue.ts";
import { checkRobots } from "./robots.ts";
import type { ProxyAccess } from "./through-proxy.ts";
import { VIEWPORT, visit } from "./visit.ts";

export interface GraphDeps {
  readonly artifacts: Artifacts;
  readonly browser: Browser;
  /** URL of the egress proxy as the browser reaches it; the only way to the network. */
  readonly egressProxy: string;
  readonly politeness: HostQueue;
}

/** What we add to the browser's own name. */
const PRODUCT = "agentic/0.1";

const State = Annotation.Root({
  identity: Annotation<string>,
  verdict: Annotation<Capture["robots"]>,
  seen: Annotation<Capture>,
  browserSeconds: Annotation<number>,
  result: Annotation<StepResult | undefined>,
});

/** robots → capture → publish: ask whether we may, look once, say what was seen. */
export function createGraph(deps: GraphDeps): StepGraph {
  return new StateGraph(State)
    .addNode("robots", async (_state, runtime) => {
      const context = contextOf(runtime);
      const userAgent = `${await deps.browser.userAgent()} ${PRODUCT}`;
      return { verdict: await checkRobots(accessOf(deps, context), siteOf(context), userAgent, context.signal) };
    })
    .addNode("capture", async (state, runtime) => {
      const context = contextOf(runtime);
      const site = siteOf(context);
      const release = await deps.politeness.acquire(site.host, context.signal);
      try {
        return await takeIn(deps, context, site, state.verdict);
      } finally {
        release();
      }
    })
    .addNode("publish", async (state, runtime) => {
      const { workload } = contextOf(runtime);
      const { seen: capture } = state;
      const key = await deps.artifacts.put(workload.uid, JSON.stringify(captureSchema.parse(capture)), "json");
      const result: StepResult = {
        outcome: "succeeded",
        output: summaryOf(capture),
        artifacts: { capture: key },
        usage: { ...NO_USAGE, browserSeconds: state.browserSeconds },
      };
      return { result };
    })
    .addEdge(START, "robots")
    .addEdge("robots", "capture")
    .addEdge("capture", "publish")
    .addEdge("publish", END);
}

async function takeIn(deps: GraphDeps, context: StepContext, site: URL, robots: Capture["robots"]) {
  const proxy = accessOf(deps, context);
  const started = performance.now();
  const visited = await deps.browser.withContext(
    {
      proxy: { ...proxy, bypass: "<-loopback>" },
      viewport: VIEWPORT,
      userAgent: `${await deps.browser.userAgent()} ${PRODUCT}`,
      acceptDownloads: false,
      serviceWorkers: "block",
      locale: "en-US",
    },
    context.signal,
    (browserContext) =>
      visit(browserContext, {
        url: site,
        allow: context.claims.allow,
        proxy,
        signal: context.signal,
        deadline: context.deadline,
      }),
  );
  const browserSeconds = Math.round(performance.now() - started) / 1000;
  const put = deps.artifacts.put.bind(deps.artifacts, context.workload.uid);
  const [dom, text, screenshot, fullPage] = await Promise.all([
    put(visited.html, "html"),
    put(visited.text, "txt"),
    put(visited.screenshot, "png"),
    put(visited.fullPage, "jpg"),
  ]);
  const capture: Capture = {
    url: context.input.item ?? site.href,
    capturedAt: new Date().toISOString(),
    robots,
    ...visited.facts,
    artifacts: { dom, text, screenshot, fullPage },
  };
  return { seen: capture, browserSeconds };
}

function siteOf({ input }: StepContext): URL {
  if (input.item === undefined || !URL.canParse(input.item))
    throw new TerminalError("InvalidInput", `scrape works on a site's URL, not on ${JSON.stringify(input.item)}`);
  const url = new URL(input.item);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new TerminalError("InvalidInput", `${url.href} is neither http nor https`);
  return url;
}

function accessOf(deps: GraphDeps, { claims, token }: StepContext): ProxyAccess {
  return { server: deps.egressProxy, username: claims.jti, password: token };
}

function summaryOf({ status, title, finalUrl, egress }: Capture): string {
  const refused = egress.refused.reduce((sum, line) => sum + line.count, 0);
  const what = `${status} ${title || new URL(finalUrl).host}`.slice(0, 180);
  return refused === 0 ? what : `${what}; ${refused} requests refused`;
}
