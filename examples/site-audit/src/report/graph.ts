import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import {
  type AgentEdges,
  type Artifacts,
  contextOf,
  getJson,
  NO_USAGE,
  type StepContext,
  type StepGraph,
  type StepResult,
} from "agentic-kubernetes/agent";
import { siteSchema } from "../finding.js";
import { auditOf, type Decision, decisionSchema } from "./audit.js";
import { findingsCsv } from "./csv.js";
import { reportPage } from "./page.js";

const DEFAULT_TITLE = "Site audit";

const State = Annotation.Root({
  identity: Annotation<string>,
  result: Annotation<StepResult | undefined>,
});

/** Writes the report of all sites. */
export function createGraph({ artifacts }: AgentEdges): StepGraph {
  return new StateGraph(State)
    .addNode("write", async (_state, runtime) => {
      const { input, workload } = contextOf(runtime);
      const { title } = input.params;
      const summaries = input.from["summarize"] ?? [];
      const keys = summaries.flatMap(({ artifacts: { site } }) => (site === undefined ? [] : [site]));
      const audit = auditOf(
        typeof title === "string" ? title : DEFAULT_TITLE,
        await decisionOf(contextOf(runtime), artifacts),
        await Promise.all(keys.map((key) => getJson(artifacts, workload, key, siteSchema))),
        summaries.flatMap(({ item, artifacts: { site }, message = "summarize failed" }) =>
          site === undefined ? [{ site: String(item), message }] : [],
        ),
      );
      const put = artifacts.put.bind(artifacts, workload);
      const [html, json, csv] = await Promise.all([
        put(await reportPage(audit, await picturesOf(audit.sites, artifacts, workload)), "html"),
        put(`${JSON.stringify(audit, null, 2)}\n`, "json"),
        put(findingsCsv(audit), "csv"),
      ]);
      const { sites, pages, findings } = audit.totals;
      const result: StepResult = {
        outcome: "succeeded",
        output: `${findings} findings on ${pages} pages of ${sites} sites`,
        data: audit.totals,
        artifacts: { html, json, csv },
        usage: NO_USAGE,
      };
      return { result };
    })
    .addEdge(START, "write")
    .addEdge("write", END);
}

async function decisionOf({ workload, input }: StepContext, artifacts: Artifacts): Promise<Decision | undefined> {
  const key = input.from["review"]?.[0]?.artifacts["decision"];
  return key === undefined ? undefined : getJson(artifacts, workload, key, decisionSchema);
}

/** Data URIs of the first screen of each site, by site. */
async function picturesOf(
  sites: readonly { readonly site: string; readonly pages: readonly { readonly screenshot: string }[] }[],
  artifacts: Artifacts,
  workload: StepContext["workload"],
): Promise<ReadonlyMap<string, string>> {
  const pictures = await Promise.all(
    sites.map(async ({ site, pages }) => {
      const [first] = pages;
      if (!first) return [];
      const jpeg = Buffer.from(await artifacts.get(workload, first.screenshot));
      return [[site, `data:image/jpeg;base64,${jpeg.toString("base64")}`] as const];
    }),
  );
  return new Map(pictures.flat());
}
