import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod";
import { NO_USAGE, type StepResult } from "../../engine/result.ts";
import { SUMMARY } from "../../engine/summary.ts";
import type { AgentEdges } from "../../lib/connect.ts";
import { contextOf, type StepContext, type StepGraph } from "../../lib/durable/durable.ts";
import { getText } from "../../lib/edges/artifacts.ts";
import { egressAccess } from "../../lib/edges/egress-access.ts";
import { TerminalError } from "../../lib/errors.ts";
import {
  type Capture,
  captureSchema,
  type Discovery,
  type PageItem,
  pageItemSchema,
} from "../../pipelines/market-analysis/capture.ts";
import { putSummary } from "../../pipelines/market-analysis/summary.ts";
import type { PageLinks } from "./in-page-links.ts";
import { checkRobots } from "./robots.ts";
import { type SiteSettings, siteSettings } from "./site-settings.ts";
import { describe, summaryOf } from "./summary.ts";
import { VIEWPORT, visit } from "./visit.ts";
import { errorWithoutAccess, withoutAccess } from "./without-access.ts";

export type ScrapeEdges = Pick<AgentEdges, "artifacts" | "browser" | "egressProxy" | "hosts">;

/** What scrape adds to the browser's own name. */
const PRODUCT = "agentic/0.1";
/** Pause between two visits to one host; at most, where its robots.txt asks for a longer one. */
const HOST_DELAY_MS = 1000;
const MAX_DELAY_MS = 10_000;

const State = Annotation.Root({
  identity: Annotation<string>,
  robotsVerdict: Annotation<Capture["robots"]>,
  /** The robots.txt: an artifact key. */
  rules: Annotation<string | undefined>,
  /** Of the host's robots.txt, in seconds. */
  crawlDelay: Annotation<number | undefined>,
  captured: Annotation<Capture>,
  /** Links of a page whose site's other pages are looked for: an artifact key. */
  links: Annotation<string | undefined>,
  discovery: Annotation<Discovery | undefined>,
  result: Annotation<StepResult | undefined>,
});

/**
 * robots → capture → discover → publish: ask whether scrape may visit, visit once, look for further pages of a site that the workload
 * names, store what the page showed. The further pages are the step's items: a later step visits them.
 */
export function createGraph(edges: ScrapeEdges, hostDelayMs = HOST_DELAY_MS): StepGraph {
  const { artifacts, browser, egressProxy, hosts } = edges;
  return new StateGraph(State)
    .addNode("robots", async (_state, runtime) => {
      const context = contextOf(runtime);
      const userAgent = await userAgentOf(browser);
      const access = egressAccess(egressProxy, context);
      const { url, isNamed } = pageOf(context);
      const { verdict, rules, crawlDelay } = await checkRobots(access, url, userAgent, context.signal);
      const isNeeded = isNamed && rules !== undefined;
      return {
        robotsVerdict: verdict,
        ...(crawlDelay === undefined ? {} : { crawlDelay }),
        ...(isNeeded ? { rules: await artifacts.put(context.workload, rules, "txt") } : {}),
      };
    })
    .addNode("capture", async ({ robotsVerdict, crawlDelay = 0 }, runtime) => {
      const step = contextOf(runtime);
      const page = pageOf(step);
      const { paceMs, locale } = siteSettings(step, page.site);
      const turn = await hosts.acquire(page.url.host, step.signal);
      const context = { ...step, signal: AbortSignal.any([step.signal, turn.lost]) };
      try {
        const { captured, links } = await capturePage(edges, context, { ...page, locale }, robotsVerdict);
        if (!page.isNamed || pagesPerSite(context) === 1) return { captured };
        return { captured, links: await artifacts.put(context.workload, JSON.stringify(links), "json") };
      } finally {
        await turn.release(Math.max(hostDelayMs, paceMs, Math.min(crawlDelay * 1000, MAX_DELAY_MS)));
      }
    })
    .addNode("discover", async ({ captured, links = "", rules }, runtime) => {
      const context = contextOf(runtime);
      const { workload, claims, signal } = context;
      const input = {
        captured,
        // Of the node before: nobody else wrote it.
        links: JSON.parse(await getText(artifacts, workload, links)) as PageLinks,
        rules: rules === undefined ? "" : await getText(artifacts, workload, rules),
        pagesPerSite: pagesPerSite(context),
      };
      const userAgent = await userAgentOf(browser);
      const access = egressAccess(egressProxy, context);
      // Its list of public suffixes would slow each start.
      const { discoverPages } = await import("./discover/discover.ts");
      return { discovery: await discoverPages(input, { access, userAgent, allow: claims.allow, signal }) };
    })
    .addNode("publish", async ({ captured, discovery }, runtime) => {
      const { workload } = contextOf(runtime);
      const capture = captureSchema.parse({ ...captured, ...(discovery ? { discovery } : {}) });
      const site = capture.site ?? capture.url;
      const result: StepResult = {
        outcome: "succeeded",
        output: describe(capture),
        artifacts: {
          capture: await artifacts.put(workload, JSON.stringify(capture), "json"),
          [SUMMARY]: await putSummary(artifacts, workload, summaryOf(capture)),
        },
        ...(discovery ? { items: discovery.chosen.map((page): PageItem => ({ ...page, site })) } : {}),
        usage: { ...NO_USAGE, browserSeconds: capture.browserSeconds },
      };
      return { result };
    })
    .addEdge(START, "robots")
    .addEdge("robots", "capture")
    .addConditionalEdges("capture", ({ links }) => (links === undefined ? "publish" : "discover"), [
      "discover",
      "publish",
    ])
    .addEdge("discover", "publish")
    .addEdge("publish", END);
}

const userAgentOf = async (browser: ScrapeEdges["browser"]): Promise<string> =>
  `${await browser.userAgent()} ${PRODUCT}`;

async function capturePage(
  { artifacts, browser, egressProxy }: ScrapeEdges,
  context: StepContext,
  { url, site, kind, locale }: Page & Pick<SiteSettings, "locale">,
  robots: Capture["robots"],
): Promise<{ readonly captured: Capture; readonly links: PageLinks }> {
  const access = egressAccess(egressProxy, context);
  const { hostAccess = {} } = context;
  const started = performance.now();
  const visited = await browser.withContext(
    {
      // Loopback names go by the proxy, too.
      proxy: { server: access.proxy, username: access.username, password: access.password, bypass: "<-loopback>" },
      viewport: VIEWPORT,
      userAgent: await userAgentOf(browser),
      acceptDownloads: false,
      serviceWorkers: "block",
      locale,
    },
    context.signal,
    (browserContext) =>
      visit(browserContext, {
        url,
        allow: context.claims.allow,
        access,
        hostAccess,
        signal: context.signal,
        deadline: context.deadline,
      }).catch((error: unknown) => {
        throw errorWithoutAccess(error, hostAccess);
      }),
  );
  const browserSeconds = Math.round(performance.now() - started) / 1000;
  const { facts, links, ...bytes } = withoutAccess(visited, hostAccess);
  const put = artifacts.put.bind(artifacts, context.workload);
  const [dom, text, screenshot, fullPage, states] = await Promise.all([
    put(bytes.html, "html"),
    put(bytes.text, "txt"),
    put(bytes.screenshot, "png"),
    put(bytes.fullPage, "jpg"),
    bytes.states.length > 0 ? put(JSON.stringify(bytes.states), "json") : undefined,
  ]);
  const captured = {
    url: url.href,
    site,
    kind,
    capturedAt: new Date().toISOString(),
    locale,
    ...(context.claims.hostAccess === undefined ? {} : { hostAccess: context.claims.hostAccess }),
    browserSeconds,
    robots,
    ...facts,
    truncated: [...facts.truncated, ...caveatsOf(context.claims.hostAccess)],
    artifacts: { dom, text, screenshot, fullPage, ...(states === undefined ? {} : { states }) },
  };
  return { captured, links };
}

const caveatsOf = (shown: Capture["hostAccess"] = {}): string[] =>
  Object.entries(shown).map(
    ([host, kinds]) => `asked with ${kinds.join(", ")} of the workload's own for ${host}: others may see another page`,
  );

interface Page {
  readonly url: URL;
  readonly site: string;
  readonly kind: PageItem["kind"];
  /** By the workload; others are discovered. */
  readonly isNamed: boolean;
}

/** Pages of a site that are read where the workload does not say. */
const DEFAULT_PAGES = 5;

/** @throws TerminalError InvalidInput */
function pagesPerSite({ input: { params } }: StepContext): number {
  const parsed = z.int().min(1).max(20).default(DEFAULT_PAGES).safeParse(params["pagesPerSite"]);
  if (parsed.success) return parsed.data;
  throw new TerminalError("InvalidInput", "pagesPerSite: expected a whole number from 1 to 20");
}

/** @throws TerminalError InvalidInput */
function pageOf({ input: { item } }: StepContext): Page {
  const further = pageItemSchema.safeParse(item);
  if (further.success) {
    const { site, kind } = further.data;
    return { url: addressOf(further.data.url), site, kind, isNamed: false };
  }
  if (typeof item !== "string")
    throw new TerminalError(
      "InvalidInput",
      `scrape needs a site's URL as its item, or { url, site, kind }, not ${JSON.stringify(item)}`,
    );
  const url = addressOf(item);
  return { url, site: url.href, kind: "home", isNamed: true };
}

/** @throws TerminalError InvalidInput */
function addressOf(text: string): URL {
  const url = URL.parse(text);
  if (!url)
    throw new TerminalError("InvalidInput", `scrape needs a site's URL as its item, not ${JSON.stringify(text)}`);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new TerminalError("InvalidInput", `${url.href} is neither http nor https`);
  if (url.username || url.password)
    throw new TerminalError("InvalidInput", `the URL of ${url.host} has a login: scrape visits public pages only`);
  return url;
}
