import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod";
import type { ArtifactOwner } from "../../engine/artifact-key.ts";
import { type Evaluation, NO_USAGE, type StepInput, type StepResult, type Usage } from "../../engine/result.ts";
import { SUMMARY } from "../../engine/summary.ts";
import type { AgentEdges } from "../../lib/connect.ts";
import { contextOf, type StepGraph } from "../../lib/durable/durable.ts";
import { type Artifacts, getJson, getText } from "../../lib/edges/artifacts.ts";
import { TerminalError } from "../../lib/errors.ts";
import { recordEvaluation } from "../../lib/telemetry/evaluation.ts";
import { type Analysis, analysisSchema, boxSchema } from "../../pipelines/market-analysis/analysis.ts";
import { ASKED, askUnlessAsked, objectiveOf } from "../../pipelines/market-analysis/ask.ts";
import {
  type Capture,
  captureSchema,
  MAX_DOM_CHARS,
  MAX_TEXT_CHARS,
  pageStateSchema,
} from "../../pipelines/market-analysis/capture.ts";
import { putSummary } from "../../pipelines/market-analysis/summary.ts";
import { questionAbout } from "./asks-model.ts";
import { digest } from "./digest.ts";
import type { EvidenceSource } from "./extract/evidence.ts";
import type { Box } from "./extract/marks.ts";
import { createPagePool, type PagePool } from "./page-pool.ts";
import { paletteOf } from "./palette.ts";
import { instructions, modelAnalysisSchema, pictureFor } from "./question.ts";
import { describe, summaryOf } from "./summary.ts";

export type AnalyzeEdges = Pick<AgentEdges, "artifacts" | "model">;

/** Artifact keys: each node leaves its bytes in the store. */
const State = Annotation.Root({
  identity: Annotation<string>,
  /** What the rules extracted. */
  extracted: Annotation<string>,
  isAsked: Annotation<boolean>,
  /** The part of the full page's picture that may say prices which no text says. */
  pictured: Annotation<Box | undefined>,
  /** What the model is told. */
  digest: Annotation<string>,
  /** What the model answered. */
  answer: Annotation<string>,
  /** The question with its answer, for the next run. */
  asked: Annotation<string>,
  /** The model that answered, and what that cost. */
  author: Annotation<string>,
  usage: Annotation<Usage | undefined>,
  result: Annotation<StepResult | undefined>,
});

/** Of an analysis without a model, which reads no comment. */
const UNCHANGED =
  "A reviewer asked for changes. Without a model the analysis follows fixed rules, and the comment changes nothing in it.";

/** extract → condense → ask → publish; without a model, or of a page that no model is asked about, extract → publish. */
export function createGraph({ artifacts, model }: AnalyzeEdges, pages: PagePool = createPagePool()): StepGraph {
  return new StateGraph(State)
    .addNode("extract", async (_state, runtime) => {
      const { workload, input, signal } = contextOf(runtime);
      const capture = await getJson(artifacts, workload, captureKeyOf(input), captureSchema);
      const html = (await getText(artifacts, workload, capture.artifacts.dom)).slice(0, MAX_DOM_CHARS);
      const { screenshot, states: statesKey } = capture.artifacts;
      const states = statesKey === undefined ? [] : await getJson(artifacts, workload, statesKey, statesSchema);
      const { title, description } = capture;
      const [{ layout, pictured, ...found }, palette] = await Promise.all([
        pages.run("extract", [{ html, title, description, states, ...sourceOf(capture) }], signal),
        artifacts.get(workload, screenshot).then(paletteOf),
      ]);
      const { kind = "home" } = capture;
      const analysis: Analysis = {
        site: capture.site ?? capture.url,
        page: { url: capture.url, kind },
        analyst: { kind: "extractive" },
        ...found,
        design: { palette, layout, screenshot },
        usage: NO_USAGE,
      };
      const part = drawnPart(capture, pictured);
      return {
        extracted: await putJson(artifacts, workload, analysisSchema.parse(analysis)),
        isAsked: model !== undefined && questionAbout(capture, part !== undefined) !== "none",
        ...(part ? { pictured: part } : {}),
      };
    })
    .addNode("condense", async ({ extracted }, runtime) => {
      const { workload, input } = contextOf(runtime);
      const [capture, analysis] = await Promise.all([
        getJson(artifacts, workload, captureKeyOf(input), captureSchema),
        getJson(artifacts, workload, extracted, analysisSchema),
      ]);
      const told = await digest(capture, analysis, await getText(artifacts, workload, capture.artifacts.text));
      return { digest: await artifacts.put(workload, told, "txt") };
    })
    .addNode("ask", async (state, runtime) => {
      const context = contextOf(runtime);
      if (!model) throw new TypeError("there is no model to ask");
      const capture = await getJson(artifacts, context.workload, captureKeyOf(context.input), captureSchema);
      const { fullPage, screenshot } = capture.artifacts;
      const isPictured = state.pictured !== undefined;
      const shown = isPictured ? fullPage : screenshot;
      const {
        answer,
        model: author,
        usage,
        asked,
      } = await askUnlessAsked(model, artifacts, context, {
        purpose: "analyze",
        instructions: instructions(objectiveOf(context), isPictured),
        data: await getText(artifacts, context.workload, state.digest),
        language: capture.lang,
        ...(questionAbout(capture, isPictured) === "text and picture"
          ? { image: await pictureFor(await artifacts.get(context.workload, shown), state.pictured) }
          : {}),
        schema: modelAnalysisSchema,
      });
      return { answer: await putJson(artifacts, context.workload, answer), asked, author, usage };
    })
    .addNode("publish", async ({ extracted, pictured, answer, asked, author, usage = NO_USAGE }, runtime) => {
      const { workload, input, signal } = contextOf(runtime);
      const capture = await getJson(artifacts, workload, captureKeyOf(input), captureSchema);
      const rules = await getJson(artifacts, workload, extracted, analysisSchema);
      const merged = async (key: string) => {
        const said = await getJson(artifacts, workload, key, modelAnalysisSchema);
        const text = (await getText(artifacts, workload, capture.artifacts.text)).slice(0, MAX_TEXT_CHARS);
        const html = (await getText(artifacts, workload, capture.artifacts.dom)).slice(0, MAX_DOM_CHARS);
        const source = sourceOf(capture);
        const { analysis, claims } = mergedSchema.parse(
          await pages.run("merge", [rules, said, { text, html, source, pictured, model: author, usage }], signal),
        );
        const evaluations = quotesOf(claims);
        for (const evaluation of evaluations) recordEvaluation(evaluation);
        return { analysis, evaluations };
      };
      const byRules = { ...rules, caveats: [...rules.caveats, ...(input.changes ? [UNCHANGED] : [])] };
      const { analysis, evaluations } = answer ? await merged(answer) : { analysis: byRules, evaluations: [] };
      const { name, offers } = analysis;
      const result: StepResult = {
        outcome: "succeeded",
        output: describe(analysis),
        data: { name, offers: offers.length, priced: offers.filter(({ price }) => price !== null).length },
        artifacts: {
          analysis: await putJson(artifacts, workload, analysis),
          capture: captureKeyOf(input),
          [SUMMARY]: await putSummary(artifacts, workload, summaryOf(analysis, capture)),
          ...(asked ? { [ASKED]: asked } : {}),
        },
        usage,
        ...(evaluations.length === 0 ? {} : { evaluations }),
      };
      return { result };
    })
    .addEdge(START, "extract")
    .addConditionalEdges("extract", ({ isAsked }) => (isAsked ? "condense" : "publish"), ["condense", "publish"])
    .addEdge("condense", "ask")
    .addEdge("ask", "publish")
    .addEdge("publish", END);
}

function sourceOf({ finalUrl, capturedAt, viewport, drawnHeight, artifacts }: Capture): EvidenceSource {
  const { screenshot, fullPage: image } = artifacts;
  return {
    screenshot,
    url: finalUrl,
    at: capturedAt,
    ...(drawnHeight ? { fullPage: { image, width: viewport.width, height: drawnHeight } } : {}),
  };
}

/** Whole pixels that the full page's picture has, whatever a page says; undefined where it shows nothing of the part. */
function drawnPart({ viewport, drawnHeight = 0 }: Capture, part: unknown): Box | undefined {
  const { data: box } = boxSchema.safeParse(part);
  if (!box) return undefined;
  const [x, y] = [Math.floor(box.x), Math.floor(box.y)];
  const width = Math.min(viewport.width - x, Math.ceil(box.width));
  const height = Math.min(drawnHeight - y, Math.ceil(box.height));
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

const statesSchema = z.array(pageStateSchema);

/** What a process answers that a page may have taken over. */
const mergedSchema = z.strictObject({
  analysis: analysisSchema,
  claims: z.strictObject({ made: z.int().min(0), dropped: z.int().min(0) }),
});

/** How many of the model's claims the page bears out. */
function quotesOf({ made, dropped }: z.infer<typeof mergedSchema>["claims"]): Evaluation[] {
  if (made === 0) return [];
  const explanation = `${made - dropped} of ${made} claims are on the page`;
  return [{ name: "quotes", score: (made - dropped) / made, explanation }];
}

/** @throws TerminalError InvalidInput */
function captureKeyOf({ from }: StepInput): string {
  const [key, ...others] = Object.values(from).flatMap((results) =>
    results.flatMap(({ artifacts }) => artifacts["capture"] ?? []),
  );
  if (key !== undefined && others.length === 0) return key;
  throw new TerminalError(
    "InvalidInput",
    "analyze needs one capture: name one step of agent scrape in the step's `after`, over the same list",
  );
}

function putJson(artifacts: Artifacts, workload: ArtifactOwner, value: unknown): Promise<string> {
  return artifacts.put(workload, JSON.stringify(value), "json");
}
