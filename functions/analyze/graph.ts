import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod";
import { contextOf, type StepContext, type StepGraph } from "../../lib/durable/durable.ts";
import { type Artifacts, getJson } from "../../lib/edges/artifacts.ts";
import type { Model } from "../../lib/edges/llm.ts";
import { TerminalError } from "../../lib/errors.ts";
import { modelChoiceOf } from "../../lib/model-choice.ts";
import { NO_USAGE, type StepResult, type Usage } from "../../lib/step.ts";
import { type Analysis, analysisSchema } from "../../pipeline/analysis.ts";
import { type Capture, captureSchema } from "../../pipeline/capture.ts";
import { digest } from "./digest.ts";
import { merge } from "./merge.ts";
import { pictureFor } from "./picture.ts";
import { instructions, modelAnalysisSchema } from "./question.ts";

export interface GraphDeps {
  readonly artifacts: Artifacts;
  /** Absent: the extractive analyst's result stands. */
  readonly model?: Model | undefined;
}

const State = Annotation.Root({
  identity: Annotation<string>,
  /** Artifact keys: the extractive analysis, what the model is told, what it answered. */
  extracted: Annotation<string>,
  digest: Annotation<string>,
  answer: Annotation<string>,
  /** The model that answered. */
  author: Annotation<string>,
  usage: Annotation<Usage | undefined>,
  result: Annotation<StepResult | undefined>,
});

/** extract → condense → ask → publish; without a model, extract → publish. */
export function createGraph({ artifacts, model }: GraphDeps): StepGraph {
  return new StateGraph(State)
    .addNode("extract", async (_state, runtime) => {
      const { workload, input } = contextOf(runtime);
      const { capture, html } = await loadPage(artifacts, input);
      const { screenshot } = capture.artifacts;
      // Loaded here: the HTML parser is a large part of a cold start.
      const [{ extract }, { readDesign }] = await Promise.all([
        import("./extract/extract.ts"),
        import("./extract/design.ts"),
      ]);
      const analysis: Analysis = {
        site: capture.url,
        analyst: { kind: "extractive" },
        ...extract({ html, screenshot, url: capture.finalUrl, title: capture.title, description: capture.description }),
        design: await readDesign(await artifacts.get(screenshot), html, screenshot),
      };
      return { extracted: await putJson(artifacts, workload.uid, analysisSchema.parse(analysis)) };
    })
    .addNode("condense", async (state, runtime) => {
      const { workload, input } = contextOf(runtime);
      const { capture, text } = await loadPage(artifacts, input);
      const extracted = await getJson(artifacts, state.extracted, analysisSchema);
      return { digest: await artifacts.put(workload.uid, await digest(capture, extracted, text), "txt") };
    })
    .addNode("ask", async (state, runtime) => {
      const { workload, input, claims, signal } = contextOf(runtime);
      if (!model) throw new TypeError("no model to ask");
      const capture = await loadCapture(artifacts, input);
      const { objective, maxOutputTokens } = paramsOf(input.params);
      const choice = modelChoiceOf(input.params);
      const {
        answer,
        usage,
        model: author,
      } = await model.ask(
        {
          purpose: "analyze",
          instructions: instructions(objective),
          data: await readText(artifacts, state.digest),
          image: await pictureFor(await artifacts.get(capture.artifacts.screenshot)),
          schema: modelAnalysisSchema,
          maxOutputTokens,
          ...(choice ? { model: choice } : {}),
        },
        { run: claims.run, signal, ...(claims.budgetUsd === undefined ? {} : { budgetUsd: claims.budgetUsd }) },
      );
      return { answer: await putJson(artifacts, workload.uid, answer), author, usage };
    })
    .addNode("publish", async (state, runtime) => {
      const { workload, input } = contextOf(runtime);
      const extracted = await getJson(artifacts, state.extracted, analysisSchema);
      const analysis = state.answer
        ? merge(
            extracted,
            await getJson(artifacts, state.answer, modelAnalysisSchema),
            (await loadPage(artifacts, input)).text,
            state.author,
          )
        : extracted;
      const result: StepResult = {
        outcome: "succeeded",
        output: summaryOf(analysis),
        artifacts: { analysis: await putJson(artifacts, workload.uid, analysis) },
        usage: state.usage ?? NO_USAGE,
      };
      return { result };
    })
    .addEdge(START, "extract")
    .addConditionalEdges("extract", () => (model ? "condense" : "publish"), ["condense", "publish"])
    .addEdge("condense", "ask")
    .addEdge("ask", "publish")
    .addEdge("publish", END);
}

const paramsSchema = z.object({
  objective: z.string(),
  model: z.object({ maxOutputTokens: z.int() }),
});

function paramsOf(params: unknown): { objective: string; maxOutputTokens: number } {
  const parsed = paramsSchema.safeParse(params);
  if (!parsed.success) throw new TerminalError("InvalidInput", `analyze's params: ${z.prettifyError(parsed.error)}`);
  return { objective: parsed.data.objective, maxOutputTokens: parsed.data.model.maxOutputTokens };
}

function loadCapture(artifacts: Artifacts, input: StepContext["input"]): Promise<Capture> {
  const key = input.from["scrape"]?.[0]?.artifacts["capture"];
  if (key === undefined) throw new TerminalError("InvalidInput", "analyze needs the capture of a scrape step");
  return getJson(artifacts, key, captureSchema);
}

async function loadPage(
  artifacts: Artifacts,
  input: StepContext["input"],
): Promise<{ capture: Capture; html: string; text: string }> {
  const capture = await loadCapture(artifacts, input);
  const [html, text] = await Promise.all([
    readText(artifacts, capture.artifacts.dom),
    readText(artifacts, capture.artifacts.text),
  ]);
  return { capture, html, text };
}

async function readText(artifacts: Artifacts, key: string): Promise<string> {
  return new TextDecoder().decode(await artifacts.get(key));
}

function putJson(artifacts: Artifacts, uid: string, value: unknown): Promise<string> {
  return artifacts.put(uid, JSON.stringify(value), "json");
}

function summaryOf({ name, offers, callsToAction, caveats }: Analysis): string {
  const priced = offers.filter(({ price }) => price !== null).length;
  const parts = [`${name}: ${offers.length} offers, ${priced} priced`, `${callsToAction.length} calls to action`];
  if (caveats.length > 0) parts.push(`${caveats.length} caveats`);
  return parts.join(", ").slice(0, 256);
}
