/**
 * What models would cost on the fifty pages: each page is scraped and analyzed for real, as the page that a workload names, and as a page of
 * prices that was discovered. A site of several pages costs both: no model is asked about the others (functions/analyze/asks-model.ts). The requests that reach a provider on
 * loopback are counted with the models' tokenizer, and priced by the price table for each model. The answer has the length of a real
 * one: what the extractive analyst found, in the format that the model is asked for.
 */
import { FIFTY_PAGES } from "../../examples/pages-50.ts";
import type { ModelAnalysis } from "../../functions/analyze/question.ts";
import { createLog } from "../../lib/log.ts";
import { DEFAULT_MODEL } from "../../lib/model/choice.ts";
import { costOf } from "../../lib/model/cost.ts";
import { createModel } from "../../lib/model/model.ts";
import { MOST_IMAGE_TOKENS, type ModelPrice, priceOf } from "../../lib/model/prices.ts";
import { countTokens } from "../../lib/model/tokens.ts";
import { type Analysis, analysisSchema } from "../../pipelines/market-analysis/analysis.ts";
import { type ChatRequest, saidIn, startFakeOpenAi } from "../../test/fakes/openai.ts";
import { withSteps } from "../extraction/steps.ts";
import { type Figure, median, report } from "../harness.ts";

/** Each model's goal in dollars a site. */
const MODELS = [
  { model: DEFAULT_MODEL, goal: 0.0006 },
  { model: "gpt-4o-mini", goal: 0.001 },
];
/** Tokens that the chat format adds to a message. */
const TOKENS_A_MESSAGE = 4;

/** One question. */
interface Asked {
  /** Input tokens without images. */
  readonly text: number;
  readonly images: number;
  readonly answer: number;
}

const provider = await startFakeOpenAi();
const homes: Asked[] = [];
const pricings: Asked[] = [];
try {
  // The extractive results come first: the provider's answers are made of them.
  const answers = new Map<string, string>();
  await withSteps(async ({ read, scrape, analyze }) => {
    for (const { url } of FIFTY_PAGES) {
      const analyzed = await analyze(url, await scrape(url));
      answers.set(
        url,
        JSON.stringify(answerOf(analysisSchema.parse(await read(analyzed.artifacts["analysis"] ?? "")))),
      );
    }
  });
  await withSteps(
    async ({ scrape, analyze }) => {
      for (const { url } of FIFTY_PAGES) {
        const answer = answers.get(url) ?? "{}";
        for (const [page, all] of [
          [url, homes],
          [{ url, site: url, kind: "pricing" }, pricings],
        ] as const) {
          provider.reset();
          provider.answer({ content: answer });
          await analyze(page, await scrape(page));
          const [request, ...more] = provider.requests;
          if (!request || more.length > 0) throw new Error(`${url} took ${provider.requests.length} requests, not one`);
          all.push({ ...(await inputOf(request)), answer: await countTokens(answer) });
        }
      }
    },
    {
      modelFor: (redis) =>
        createModel({ baseUrl: provider.baseUrl, apiKey: "none", redis, log: createLog("bench", "warn") }),
    },
  );
} finally {
  await provider.close();
}

async function inputOf(request: ChatRequest): Promise<Pick<Asked, "text" | "images">> {
  const schema = JSON.stringify(request.response_format?.json_schema ?? {});
  const parts = request.messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  const text = await countTokens(`${saidIn(request)}\n${schema}`);
  return {
    text: text + request.messages.length * TOKENS_A_MESSAGE,
    images: parts.filter(({ type }) => type === "image_url").length,
  };
}

/** At most six entries a list and 200 characters a quote, as the instructions ask. */
function answerOf(analysis: Analysis): ModelAnalysis {
  const six = <T>(list: readonly T[]): T[] => list.slice(0, 6);
  const claim = ({ value, evidence }: { value: string; evidence: { text: string } }) => ({
    value,
    quote: evidence.text.slice(0, 200),
  });
  return {
    positioning: analysis.positioning ? claim(analysis.positioning) : null,
    audience: six(analysis.audience).map(claim),
    offers: six(analysis.offers).map(({ name, price: told, features, evidence }) => ({
      name,
      amount: told?.amount ?? null,
      currency: told?.currency ?? null,
      period: told?.period ?? null,
      per: told?.per ?? null,
      from: told?.from ?? false,
      features: six(features),
      quote: evidence.text.slice(0, 200),
    })),
    callsToAction: six(analysis.callsToAction).map(({ text, evidence }) => ({ value: text, quote: evidence.text })),
    proof: six(analysis.proof).map((one) => ({ kind: one.kind, ...claim(one) })),
    layout: six(analysis.design.layout),
  };
}

const p95 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? Number.NaN;

/** First calls: nothing is cached. An image of unpublished size counts as the largest known. */
function figuresOf(model: string, price: ModelPrice, goal: number): Figure[] {
  const tokensOf = ({ text, images }: Asked) => text + images * (price.imageTokens ?? MOST_IMAGE_TOKENS);
  const usdOf = (asked: Asked) =>
    costOf(price, {
      inputTokens: tokensOf(asked),
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: asked.answer,
      reasoningTokens: 0,
    });
  const inputs = homes.map(tokensOf);
  const usd = homes.map(usdOf);
  const several = homes.map((home, at) => usdOf(home) + usdOf(pricings[at] ?? home));
  const picture = price.imageTokens === undefined ? `picture reserved at ${MOST_IMAGE_TOKENS}` : "picture included";
  return [
    { figure: `${model}: dollars a site: median`, value: median(usd), unit: "$", goal },
    { figure: `${model}: dollars a site: p95`, value: p95(usd), unit: "$", goal },
    { figure: `${model}: dollars a site: most`, value: Math.max(...usd), unit: "$", goal },
    { figure: `${model}: dollars a site of five pages: median`, value: median(several), unit: "$", goal: 0.001 },
    { figure: `${model}: dollars a site of five pages: most`, value: Math.max(...several), unit: "$", goal: 0.001 },
    { figure: `${model}: input tokens a site, ${picture}: median`, value: median(inputs), unit: "tokens" },
    { figure: `${model}: input tokens a site: most`, value: Math.max(...inputs), unit: "tokens" },
  ];
}

const outputs = homes.map(({ answer }) => answer);
report("cost", [
  ...MODELS.flatMap(({ model, goal }) => {
    const price = priceOf(model);
    if (!price) throw new Error(`the price of ${model} is not in the table`);
    return figuresOf(model, price, goal);
  }),
  { figure: "output tokens a site, without reasoning: median", value: median(outputs), unit: "tokens" },
  { figure: "output tokens a site: most", value: Math.max(...outputs), unit: "tokens" },
]);
