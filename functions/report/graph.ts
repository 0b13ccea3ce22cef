import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { contextOf, type StepGraph } from "../../lib/durable/durable.ts";
import { type Artifacts, getJson } from "../../lib/edges/artifacts.ts";
import type { Browser } from "../../lib/edges/browser.ts";
import type { Model } from "../../lib/edges/llm.ts";
import { modelChoiceOf } from "../../lib/model-choice.ts";
import type { StepResult } from "../../lib/step.ts";
import { compare } from "./compare.ts";
import { loadFindings, loadPictures, loadSubjects } from "./load.ts";
import { reportMarkdown } from "./markdown.ts";
import { narrate } from "./narrator.ts";
import { reportPage } from "./page/page.ts";
import { printPdf } from "./print.ts";
import { dossierSchema, narrativeSchema, type Report } from "./report.ts";
import { strategize } from "./strategist.ts";

export interface ReportEdges {
  readonly artifacts: Artifacts;
  readonly browser: Browser;
  /** Writes the narrative; absent: rules do. */
  readonly model?: Model | undefined;
}

/** Artifact keys only: each node leaves its bytes in the store. */
const State = Annotation.Root({
  identity: Annotation<string>,
  dossier: Annotation<string>,
  narrative: Annotation<string>,
  html: Annotation<string>,
  markdown: Annotation<string>,
  json: Annotation<string>,
  result: Annotation<StepResult | undefined>,
});
type Runtime = { context?: unknown };
type Keys = typeof State.State;
type Update = typeof State.Update;

/** compare → write → render → print. */
export function createGraph({ artifacts, browser, model }: ReportEdges): StepGraph {
  const read = async (state: Keys): Promise<Report> => ({
    ...(await getJson(artifacts, state.dossier, dossierSchema)),
    narrative: await getJson(artifacts, state.narrative, narrativeSchema),
  });

  const compareNode = async (_state: Keys, runtime: Runtime): Promise<Update> => {
    const { input, workload } = contextOf(runtime);
    const { findings, decision } = await loadFindings(artifacts, input);
    const dossier = compare(findings, decision, await loadSubjects(artifacts, findings));
    return { dossier: await artifacts.put(workload.uid, JSON.stringify(dossier), "json") };
  };

  const write = async (state: Keys, runtime: Runtime): Promise<Update> => {
    const { workload, run, claims, signal, input } = contextOf(runtime);
    const dossier = await getJson(artifacts, state.dossier, dossierSchema);
    const spender = { run, signal, ...(claims.budgetUsd === undefined ? {} : { budgetUsd: claims.budgetUsd }) };
    const narrative = model ? await narrate(model, dossier, spender, modelChoiceOf(input.params)) : strategize(dossier);
    return { narrative: await artifacts.put(workload.uid, JSON.stringify(narrative), "json") };
  };

  const render = async (state: Keys, runtime: Runtime): Promise<Update> => {
    const { uid } = contextOf(runtime).workload;
    const report = await read(state);
    const page = await reportPage(report, await loadPictures(artifacts, report));
    return {
      html: await artifacts.put(uid, page, "html"),
      markdown: await artifacts.put(uid, reportMarkdown(report), "md"),
      json: await artifacts.put(uid, `${JSON.stringify(report, null, 2)}\n`, "json"),
    };
  };

  const print = async (state: Keys, runtime: Runtime): Promise<Update> => {
    const { workload, signal } = contextOf(runtime);
    const { narrative, date } = await read(state);
    const page = new TextDecoder().decode(await artifacts.get(state.html));
    const pdf = await artifacts.put(workload.uid, await printPdf(browser, page, date, signal), "pdf");
    return {
      result: {
        outcome: "succeeded",
        output: brief(narrative.answer),
        artifacts: { html: state.html, markdown: state.markdown, json: state.json, pdf },
        usage: narrative.usage,
      },
    };
  };

  return new StateGraph(State)
    .addNode("compare", compareNode)
    .addNode("write", write)
    .addNode("render", render)
    .addNode("print", print)
    .addEdge(START, "compare")
    .addEdge("compare", "write")
    .addEdge("write", "render")
    .addEdge("render", "print")
    .addEdge("print", END);
}

/** The answer's beginning in at most 256 bytes of UTF-8: a node's output in the Workflow is small. */
function brief(answer: string): string {
  const bytes = new TextEncoder().encode(answer);
  if (bytes.length <= 256) return answer;
  const cut = new TextDecoder().decode(bytes.subarray(0, 252)).replace(/\uFFFD+$/, "");
  return `${cut.replace(/\s+\S*$/, "")}…`;
}
