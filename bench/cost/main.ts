/**
 * What a model would cost on the fifty pages: each page is scraped and analyzed for real, and what then goes over the wire to
 * a provider on loopback is counted with the model's tokenizer and its documented price of a picture. The answer has the
 * length of a true one: what the extractive analyst found, in the model's words.
 */
import { FIFTY_PAGES } from "../../examples/pages-50.ts";
import type { ModelAnalysis } from "../../functions/analyze/question.ts";
import { getJson } from "../../lib/edges/artifacts.ts";
import { costOf, priceOf } from "../../lib/edges/llm/prices.ts";
import { countTokens } from "../../lib/edges/llm/tokens.ts";
import { createModel } from "../../lib/edges/llm.ts";
import { createLog } from "../../lib/log.ts";
import { type Analysis, analysisSchema } from "../../pipeline/analysis.ts";
import { type ChatRequest, saidIn, startFakeOpenAi } from "../../test/fakes/openai.ts";
import { withSteps } from "../extraction/steps.ts";
import { median, report } from "../harness.ts";

const MODEL = "gpt-4o-mini";
/** What the chat format adds to a message. */
const TOKENS_A_MESSAGE = 4;

const price = priceOf(MODEL);
if (!price) throw new Error(`the price of ${MODEL} is not in the table`);

const provider = await startFakeOpenAi();
const sites: { tokens: number; answer: number; usd: number }[] = [];
try {
  // The extractive results first: they are what the provider's answers are made of.
  const answers = new Map<string, string>();
  await withSteps(async ({ artifacts, scrape, analyze }) => {
    for (const { url } of FIFTY_PAGES) {
      const analyzed = await analyze(url, await scrape(url));
      answers.set(
        url,
        JSON.stringify(answerOf(await getJson(artifacts, analyzed.artifacts["analysis"] ?? "", analysisSchema))),
      );
    }
  });
  await withSteps(
    async ({ scrape, analyze }) => {
      for (const { url } of FIFTY_PAGES) {
        const answer = answers.get(url) ?? "{}";
        provider.reset();
        provider.answer({ content: answer });
        await analyze(url, await scrape(url));
        let [tokens, usd] = [0, 0];
        for (const request of provider.requests) {
          const input = await inputTokens(request, price.image);
          tokens += input;
          usd += costOf(price, input, await countTokens(answer));
        }
        sites.push({ tokens, answer: await countTokens(answer), usd });
      }
    },
    (redis) =>
      createModel({ baseUrl: provider.baseUrl, apiKey: "none", name: MODEL, redis, log: createLog("bench", "warn") }),
  );
} finally {
  await provider.close();
}

async function inputTokens(request: ChatRequest, imageTokens: number): Promise<number> {
  const schema = JSON.stringify(request.response_format?.json_schema ?? {});
  const parts = request.messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  const images = parts.filter(({ type }) => type === "image_url").length;
  const text = await countTokens(`${saidIn(request)}\n${schema}`);
  return text + request.messages.length * TOKENS_A_MESSAGE + images * imageTokens;
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
const of = (key: "tokens" | "answer" | "usd"): number[] => sites.map((site) => site[key]);
report("cost", [
  { figure: `dollars a site on ${MODEL}: median`, value: median(of("usd")), unit: "$", goal: 0.001 },
  { figure: "dollars a site: p95", value: p95(of("usd")), unit: "$", goal: 0.001 },
  { figure: "dollars a site: most", value: Math.max(...of("usd")), unit: "$", goal: 0.001 },
  { figure: "input tokens a site, picture included: median", value: median(of("tokens")), unit: "tokens" },
  { figure: "input tokens a site: most", value: Math.max(...of("tokens")), unit: "tokens" },
  { figure: "output tokens a site: median", value: median(of("answer")), unit: "tokens" },
  { figure: "output tokens a site: most", value: Math.max(...of("answer")), unit: "tokens" },
]);
