import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import {
  type AgentEdges,
  contextOf,
  getJson,
  NO_USAGE,
  type StepGraph,
  type StepResult,
  SUMMARY,
} from "agentic-kubernetes/agent";
import { z } from "zod";
import { countByKind, type Finding, type Page, pageSchema } from "../finding.js";
import { pageItem } from "../item.js";
import { createVisitors } from "../visitor.js";
import { checkLinks, createAddressCheck, linkSchema } from "./links.js";
import { look } from "./look.js";
import { pageSummary } from "./summary.js";

/** What `look` leaves for the nodes after it. */
const seenSchema = z.object({ page: pageSchema, links: z.array(linkSchema) });

const State = Annotation.Root({
  identity: Annotation<string>,
  /** Artifact key of what the browser saw: state holds keys, never bytes. */
  seen: Annotation<string>,
  browserSeconds: Annotation<number>,
  broken: Annotation<readonly Finding[]>,
  checkedLinks: Annotation<number>,
  result: Annotation<StepResult | undefined>,
});

/** look → links → publish: opens the page in the browser, asks for its links, writes down what was found. */
export function createGraph(edges: AgentEdges): StepGraph {
  const { artifacts } = edges;
  const visitorOf = createVisitors(edges);
  const checkOf = createAddressCheck();
  return new StateGraph(State)
    .addNode("look", async (_state, runtime) => {
      const context = contextOf(runtime);
      const { value, browserSeconds } = await look(edges, context, pageItem(context));
      const { workload } = context;
      const screenshot = await artifacts.put(workload, value.screenshot, "jpg");
      const seen = { page: { ...value.page, screenshot }, links: value.links };
      return { seen: await artifacts.put(workload, JSON.stringify(seen), "json"), browserSeconds };
    })
    .addNode("links", async ({ seen }, runtime) => {
      const context = contextOf(runtime);
      const { links } = await getJson(artifacts, context.workload, seen, seenSchema);
      const { findings, checked } = await checkLinks(links, visitorOf(context), checkOf(context.run));
      return { broken: findings, checkedLinks: checked };
    })
    .addNode("publish", async ({ seen, broken, checkedLinks, browserSeconds }, runtime) => {
      const { workload } = contextOf(runtime);
      const before = (await getJson(artifacts, workload, seen, seenSchema)).page;
      const page: Page = {
        ...before,
        findings: [...before.findings, ...broken],
        checked: { ...before.checked, links: checkedLinks },
      };
      const [key, summary] = await Promise.all([
        artifacts.put(workload, JSON.stringify(page), "json"),
        artifacts.put(workload, JSON.stringify(pageSummary(page)), "json"),
      ]);
      const result: StepResult = {
        outcome: "succeeded",
        output: `${page.findings.length} findings: ${page.title || page.url}`.slice(0, 256),
        data: { findings: page.findings.length, ...countByKind(page.findings) },
        artifacts: { page: key, [SUMMARY]: summary },
        usage: { ...NO_USAGE, browserSeconds },
      };
      return { result };
    })
    .addEdge(START, "look")
    .addEdge("look", "links")
    .addEdge("links", "publish")
    .addEdge("publish", END);
}
