import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import type { ArtifactOwner } from "../../engine/artifact-key.ts";
import { madeCorrections } from "../../engine/corrections.ts";
import type { StepResult } from "../../engine/result.ts";
import { SUMMARY } from "../../engine/summary.ts";
import type { AgentEdges } from "../../lib/connect.ts";
import { contextOf, type StepGraph } from "../../lib/durable/durable.ts";
import { getJson, getText } from "../../lib/edges/artifacts.ts";
import { ownTraceUrl } from "../../lib/telemetry/trace-url.ts";
import { ASKED, askUnlessAsked, objectiveOf } from "../../pipelines/market-analysis/ask.ts";
import { fact, putSummary } from "../../pipelines/market-analysis/summary.ts";
import { withoutCitations } from "./claims.ts";
import { compare } from "./compare.ts";
import { digestOf } from "./digest.ts";
import { csvOf } from "./export/csv.ts";
import { claimsSheet, offersSheet } from "./export/sheets.ts";
import { loadEarlier, loadFindings, loadSubjects } from "./load.ts";
import { reportMarkdown } from "./markdown.ts";
import { narrate } from "./narrator.ts";
import { reportPage } from "./page/page.ts";
import { loadPictures } from "./pictures.ts";
import { printPdf } from "./print.ts";
import { dossierSchema, narrativeSchema, type Report } from "./report.ts";
import { strategize } from "./strategist.ts";
import { reviewSentence } from "./wording.ts";

/** Without a model, rules write the narrative. */
export type ReportEdges = Pick<AgentEdges, "artifacts" | "browser" | "model" | "traceUrl">;

/** Artifact keys: each node leaves its bytes in the store. */
const State = Annotation.Root({
  identity: Annotation<string>,
  dossier: Annotation<string>,
  narrative: Annotation<string>,
  /** The question with its answer, for the next run; none where rules wrote. */
  asked: Annotation<string | undefined>,
  html: Annotation<string>,
  markdown: Annotation<string>,
  json: Annotation<string>,
  pdf: Annotation<string>,
  /** By role: the report for other programs. */
  exports: Annotation<Record<string, string>>,
  slides: Annotation<string>,
  result: Annotation<StepResult | undefined>,
});

/** compare → write → render → print → tabulate → present → publish. */
export function createGraph({ artifacts, browser, model, traceUrl }: ReportEdges): StepGraph {
  const read = async (workload: ArtifactOwner, { dossier, narrative }: typeof State.State): Promise<Report> => ({
    ...(await getJson(artifacts, workload, dossier, dossierSchema)),
    narrative: await getJson(artifacts, workload, narrative, narrativeSchema),
  });

  return new StateGraph(State)
    .addNode("compare", async (_state, runtime) => {
      const context = contextOf(runtime);
      const { findings, decision } = await loadFindings(artifacts, context);
      const subjects = await loadSubjects(artifacts, context.workload, findings, madeCorrections(findings, decision));
      const earlier = await loadEarlier(artifacts, context.input);
      const dossier = compare({
        objective: objectiveOf(context),
        ...{ findings, decision, subjects },
        ...(earlier === undefined ? {} : { earlier }),
      });
      const trace = ownTraceUrl(traceUrl);
      const told = { ...dossier, ...(trace === undefined ? {} : { trace }) };
      return { dossier: await artifacts.put(context.workload, JSON.stringify(told), "json") };
    })
    .addNode("write", async (state, runtime) => {
      const context = contextOf(runtime);
      const dossier = await getJson(artifacts, context.workload, state.dossier, dossierSchema);
      if (!model)
        return { narrative: await artifacts.put(context.workload, JSON.stringify(strategize(dossier)), "json") };
      let asked: string | undefined;
      const narrative = await narrate(dossier, async (question) => {
        const answer = await askUnlessAsked(model, artifacts, context, question);
        asked = answer.asked;
        return answer;
      });
      return {
        narrative: await artifacts.put(context.workload, JSON.stringify(narrative), "json"),
        asked,
      };
    })
    .addNode("render", async (state, runtime) => {
      const { workload } = contextOf(runtime);
      const report = await read(workload, state);
      const page = await reportPage(report, await loadPictures(artifacts, workload, report));
      return {
        html: await artifacts.put(workload, page, "html"),
        markdown: await artifacts.put(workload, reportMarkdown(report), "md"),
        json: await artifacts.put(workload, `${JSON.stringify(report, null, 2)}\n`, "json"),
      };
    })
    .addNode("print", async (state, runtime) => {
      const { workload, signal } = contextOf(runtime);
      const { date } = await read(workload, state);
      const page = await getText(artifacts, workload, state.html);
      return { pdf: await artifacts.put(workload, await printPdf(browser, page, date, signal), "pdf") };
    })
    .addNode("tabulate", async (state, runtime) => {
      const { workload } = contextOf(runtime);
      const report = await read(workload, state);
      // Loaded here, as below: what writes these files would slow each start.
      const { reportXlsx } = await import("./export/xlsx.ts");
      return {
        exports: {
          xlsx: await artifacts.put(workload, await reportXlsx(report), "xlsx"),
          claims: await artifacts.put(workload, csvOf(claimsSheet(report)), "csv"),
          offers: await artifacts.put(workload, csvOf(offersSheet(report)), "csv"),
        },
      };
    })
    .addNode("present", async (state, runtime) => {
      const { workload } = contextOf(runtime);
      const { reportPptx } = await import("./export/pptx.ts");
      return { slides: await artifacts.put(workload, await reportPptx(await read(workload, state)), "pptx") };
    })
    .addNode("publish", async (state, runtime) => {
      const { workload } = contextOf(runtime);
      const report = await read(workload, state);
      const { answer, recommendation, caveats, usage } = report.narrative;
      const { html, markdown, json, pdf, exports, slides, asked } = state;
      const result: StepResult = {
        outcome: "succeeded",
        output: shortened(withoutCitations(answer)),
        data: digestOf(report),
        artifacts: {
          ...{ html, markdown, json, pdf, ...exports, pptx: slides },
          ...(asked ? { [ASKED]: asked } : {}),
          [SUMMARY]: await putSummary(artifacts, workload, {
            title: report.objective,
            facts: [
              fact("Answer", withoutCitations(answer)),
              fact("Recommendation", withoutCitations(recommendation)),
              fact("Review", reviewSentence(report)),
            ],
            pictures: [],
            caveats: [...caveats, ...report.caveats],
          }),
        },
        usage,
      };
      return { result };
    })
    .addEdge(START, "compare")
    .addEdge("compare", "write")
    .addEdge("write", "render")
    .addEdge("render", "print")
    .addEdge("print", "tabulate")
    .addEdge("tabulate", "present")
    .addEdge("present", "publish")
    .addEdge("publish", END);
}

/** Its beginning, in the 256 characters that a result's output may have. */
function shortened(answer: string): string {
  return answer.length <= 256 ? answer : `${answer.slice(0, 255).replace(/\s+\S*$/, "")}…`.toWellFormed();
}
