import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import {
  type AgentEdges,
  contextOf,
  getJson,
  NO_USAGE,
  type StepGraph,
  type StepInput,
  type StepResult,
  SUMMARY,
} from "agentic-kubernetes/agent";
import { countByKind, pageSchema } from "../finding.js";
import { pageItemSchema, siteItem } from "../item.js";
import { type AuditOutcome, siteOf, siteSummary } from "./site.js";

const State = Annotation.Root({
  identity: Annotation<string>,
  result: Annotation<StepResult | undefined>,
});

/** Brings the pages of one site together. */
export function createGraph({ artifacts }: AgentEdges): StepGraph {
  return new StateGraph(State)
    .addNode("summarize", async (_state, runtime) => {
      const context = contextOf(runtime);
      const { workload } = context;
      const site = siteItem(context);
      const audits = await Promise.all(
        auditsOf(site, context.input).map(async ({ url, key, message }): Promise<AuditOutcome> => {
          return key === undefined ? { url, message } : { page: await getJson(artifacts, workload, key, pageSchema) };
        }),
      );
      const discovered = context.input.from["discover"]?.[0];
      const audited = siteOf(site, discovered, audits);
      const [siteKey, summary] = await Promise.all([
        artifacts.put(workload, JSON.stringify(audited), "json"),
        artifacts.put(workload, JSON.stringify(siteSummary(audited)), "json"),
      ]);
      const findings = audited.pages.flatMap((page) => page.findings);
      const result: StepResult = {
        outcome: "succeeded",
        output: `${audited.pages.length} pages, ${findings.length} findings`,
        data: { pages: audited.pages.length, findings: findings.length, ...countByKind(findings) },
        artifacts: { site: siteKey, [SUMMARY]: summary },
        usage: NO_USAGE,
      };
      return { result };
    })
    .addEdge(START, "summarize")
    .addEdge("summarize", END);
}

/** How audit ended on the pages of this site. `key`: its artifact, where it succeeded. */
function auditsOf(site: string, { from }: StepInput): { url: string; key?: string; message: string }[] {
  return (from["audit"] ?? []).flatMap(({ item, outcome, artifacts, message = outcome }) => {
    const page = pageItemSchema.safeParse(item);
    if (!page.success || page.data.site !== site) return [];
    const { page: key } = artifacts;
    return [{ url: page.data.url, message, ...(outcome === "succeeded" && key !== undefined ? { key } : {}) }];
  });
}
