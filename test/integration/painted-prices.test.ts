import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StepResult } from "../../engine/result.ts";
import type { ModelAnalysis } from "../../functions/analyze/question.ts";
import { type ChatRequest, type FakeOpenAi, saidIn, startFakeOpenAi } from "../fakes/openai.ts";
import { modelBehind } from "./model-fixture.ts";
import { scrapingForFile } from "./scraping.ts";

// Prices that no text says: they are painted on a canvas, below the first screen.

const scraping = scrapingForFile(["shop.test"]);
const URL_OF = "http://shop.test/painted-prices";
const NOTHING = { positioning: null, audience: [], callsToAction: [], proof: [], layout: [] };
const offer = (name: string, amount: number, quote: string): ModelAnalysis["offers"][number] => ({
  ...{ name, amount, currency: "USD", period: "month", per: null, from: false },
  ...{ features: ["Everything"], quote },
});
let provider: FakeOpenAi;
beforeAll(async () => {
  provider = await startFakeOpenAi();
});
afterAll(() => provider.close());

const withModel = (captured: StepResult, offers: ModelAnalysis["offers"]) => {
  provider.reset();
  provider.answer({ content: { ...NOTHING, offers } });
  return scraping.analyze(captured, (redis) => modelBehind(provider, redis, { name: "gpt-4o-mini" }));
};
const pictureIn = (request: ChatRequest | undefined): Buffer => {
  const parts = request?.messages.flatMap(({ content }) => (typeof content === "string" ? [] : content)) ?? [];
  return Buffer.from(parts.find(({ image_url }) => image_url)?.image_url?.url.split(",")[1] ?? "", "base64");
};

test.each<[string, string | { url: string; site: string; kind: "pricing" }]>([
  ["a named page", URL_OF],
  ["a further page about prices", { url: URL_OF, site: "http://shop.test/", kind: "pricing" }],
])("%s: without a model they are said to be unread, and with one read where they are painted", async (_what, item) => {
  const captured = await scraping.scrape(item, { pagesPerSite: 1 });
  const unread = await scraping.analyze(captured);
  expect(unread.offers).toEqual([]);
  expect(unread.caveats).toEqual([expect.stringContaining("may be in a picture, which is not read without a model")]);

  const read = await withModel(captured, [
    offer("Solo", 29, "Solo $29 a month"),
    offer("Team", 59, "Team $59 a month"),
    // What its own quote does not say is not read from anywhere.
    offer("Solo", 9, "Solo $29 a month"),
    offer("Whale", 590, "$590 a month"),
  ]);
  const [request] = provider.requests;
  expect(saidIn(request as ChatRequest)).toContain("quote the words of the picture");
  const { data, info } = await sharp(pictureIn(request)).raw().toBuffer({ resolveWithObject: true });
  // The canvas and nothing else, which is #cde in its corner.
  expect([info.width, info.height]).toEqual([640, 200]);
  for (const [at, level] of [0xcc, 0xdd, 0xee].entries()) expect(Math.abs((data[at] ?? 0) - level)).toBeLessThan(10);

  const { crop } = read.offers[0]?.evidence ?? {};
  expect(crop?.box).toMatchObject({ width: 640, height: 200 });
  expect(crop?.box.y).toBeGreaterThan(1500);
  expect(read.offers).toMatchObject([
    {
      name: "Solo",
      price: { amount: 29, currency: "USD", period: "month" },
      features: [],
      evidence: { source: "picture", text: "Solo $29 a month" },
    },
    { name: "Team", price: { amount: 59 }, evidence: { source: "picture" } },
  ]);
  expect(read.caveats).toEqual([
    expect.stringContaining("2 offers were read from a picture by the model"),
    expect.stringContaining("2 claims of the model were dropped"),
  ]);
});

test("a model that reads nothing there leaves the sentence that says so", async () => {
  const captured = await scraping.scrape(URL_OF, { pagesPerSite: 1 });
  const { offers, caveats } = await withModel(captured, []);
  expect(offers).toEqual([]);
  expect(caveats).toEqual([expect.stringContaining("may be in a picture")]);
});

test("below the end of what is drawn there is nothing to read: the model is shown the first screen", async () => {
  const captured = await scraping.scrape("http://shop.test/painted-deep", { pagesPerSite: 1 });
  const { offers } = await withModel(captured, [offer("Solo", 29, "Solo $29 a month")]);
  expect(offers).toEqual([]);
  expect(await sharp(pictureIn(provider.requests[0])).metadata()).toMatchObject({ width: 768, height: 480 });
});

test("an offer of a page with prices in its text is never taken for one of a picture", async () => {
  const captured = await scraping.scrape("http://shop.test/switch-buttons", { pagesPerSite: 1 });
  const { offers } = await withModel(captured, [offer("Whale", 590, "Whale $590 a month")]);
  expect(offers.map(({ name }) => name)).toEqual(["Solo", "Team"]);
});
