import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import {
  type AgentEdges,
  contextOf,
  NO_USAGE,
  type StepContext,
  type StepGraph,
  type StepResult,
  TerminalError,
} from "agentic-kubernetes/agent";
import { pageAddress } from "../address.js";
import { readLinks } from "../audit/links.js";
import { siteItem } from "../item.js";
import { inBrowser, open } from "../open.js";
import { createVisitors, type Robots, type Visitor } from "../visitor.js";
import { candidates, choosePages, type Discovery, sitemapAddresses } from "./pages.js";

const DEFAULT_PAGES = 5;

const State = Annotation.Root({
  identity: Annotation<string>,
  /** Where the site's address leads to. */
  start: Annotation<string>,
  links: Annotation<readonly string[]>,
  browserSeconds: Annotation<number>,
  result: Annotation<StepResult | undefined>,
});

/** open → choose: reads the links of the start page in the browser, then asks which of them are pages. */
export function createGraph(edges: AgentEdges): StepGraph {
  const visitorOf = createVisitors(edges);
  return new StateGraph(State)
    .addNode("open", async (_state, runtime) => {
      const context = contextOf(runtime);
      const site = siteItem(context);
      const robots = await visitorOf(context).robots(site);
      if (!robots.isAllowed(site))
        throw new TerminalError("RobotsDisallowed", `the robots.txt of ${new URL(site).host} does not allow ${site}`);
      const { value, browserSeconds } = await inBrowser(edges, context, async (browser) => {
        const page = await browser.newPage();
        await open(page, site);
        const links = await readLinks(page);
        return { start: pageAddress(page.url()) ?? site, links: links.map(({ url }) => url) };
      });
      return { ...value, browserSeconds };
    })
    .addNode("choose", async ({ start, links, browserSeconds }, runtime) => {
      const context = contextOf(runtime);
      const visitor = visitorOf(context);
      const robots = await visitor.robots(start);
      const others = candidates(start, [...links, ...(await readSitemaps(start, robots, visitor))]);
      const found = await choosePages(start, others, pagesWanted(context), robots, visitor);
      return { result: resultOf(siteItem(context), found, browserSeconds) };
    })
    .addEdge(START, "open")
    .addEdge("open", "choose")
    .addEdge("choose", END);
}

/** The sitemap that robots.txt names first, or /sitemap.xml. A site without one has its links. */
async function readSitemaps(start: string, robots: Robots, visitor: Visitor): Promise<string[]> {
  const [named] = candidates(start, robots.sitemaps);
  const file = named ?? new URL("/sitemap.xml", start).href;
  if (!robots.isAllowed(file)) return [];
  const { status, body } = await visitor.get(file);
  return status === 200 ? sitemapAddresses(new TextDecoder().decode(body)) : [];
}

function pagesWanted({ input }: StepContext): number {
  const { pagesPerSite = DEFAULT_PAGES } = input.params;
  if (typeof pagesPerSite === "number") return pagesPerSite;
  throw new TerminalError("InvalidInput", `pagesPerSite: expected a number, got ${JSON.stringify(pagesPerSite)}`);
}

function resultOf(site: string, { pages, disallowed, left }: Discovery, browserSeconds: number): StepResult {
  return {
    outcome: "succeeded",
    output: pages.length === 1 ? "1 page" : `${pages.length} pages`,
    data: { pages: pages.length, disallowed, left },
    items: pages.map((url) => ({ site, url })),
    artifacts: {},
    usage: { ...NO_USAGE, browserSeconds },
  };
}
