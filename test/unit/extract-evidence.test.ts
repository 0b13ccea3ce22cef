import { describe, expect, test } from "vitest";
import { NO_USAGE } from "../../engine/result.ts";
import { quotesOf } from "../../functions/analyze/extract/evidence.ts";
import { extract } from "../../functions/analyze/extract/extract.ts";
import { visibleDocument } from "../../functions/analyze/extract/visible.ts";
import { merge } from "../../functions/analyze/merge.ts";

const source = {
  screenshot: "u/s.png",
  url: "https://acme.example/pricing",
  at: "2026-11-30T20:00:00.000Z",
  fullPage: { image: "u/full.jpg", width: 1280, height: 2_000 },
};
const at = (box: string) => `data-agentic-box="${box}"`;
const card = (name: string, price: string, y: number) =>
  `<div class="card"><h3 ${at(`100 ${y} 300 30`)}>${name}</h3><p ${at(`100 ${y + 40} 200 20`)}>${price} per month</p></div>`;
const page = (body: string) => `<!DOCTYPE html><html><head></head><body>${body}</body></html>`;
const extracted = (body: string) => extract({ ...source, html: page(body), title: "Acme", description: "All of it" });

describe("evidence", () => {
  test("says where and when, and shows all that is drawn of what says it", () => {
    const { offers } = extracted(card("Solo", "$9", 600));
    expect(offers[0]?.evidence).toEqual({
      text: "Solo $9 per month",
      screenshot: "u/s.png",
      url: "https://acme.example/pricing",
      at: "2026-11-30T20:00:00.000Z",
      crop: { image: "u/full.jpg", box: { x: 88, y: 588, width: 324, height: 84 } },
    });
  });

  test.each<[string, string, object | undefined]>([
    ["at the edge", "0 0 1280 40", { x: 0, y: 0, width: 1280, height: 52 }],
    ["at the end of the picture", "10 1980 100 20", { x: 0, y: 1968, width: 122, height: 32 }],
    ["below the end of the picture", "10 1990 100 20", undefined],
    ["beside the picture", "1280 10 100 20", undefined],
    ["a page's own words in place of a box", "-1 0 1e9 40", undefined],
    ["more digits than a page has pixels", "0 0 99999999 40", undefined],
  ])("a crop: %s", (_what, box, crop) => {
    const { positioning } = extracted(`<h1 ${at(box)}>All shifts, planned</h1>`);
    expect(positioning?.evidence.crop?.box).toEqual(crop);
  });

  test("what is drawn nowhere has no crop", () => {
    expect(extracted("").positioning?.evidence).not.toHaveProperty("crop");
  });

  test("structured data is named as such", () => {
    const { offers } = extracted(
      '<script type="application/ld+json">{"@type":"Product","name":"Kit","offers":{"price":"19.50","priceCurrency":"EUR"}}</script>',
    );
    expect(offers[0]?.evidence.source).toBe("structured data");
  });
});

describe("the smallest element that says a quote", () => {
  const document = visibleDocument(
    page(
      '<div id="all"><p id="one">Plan <b id="bold">every</b> shift</p><p id="two">“Plan every shift,  quickly”</p><script>Plan every day</script></div>',
    ),
  );
  const find = quotesOf(document);
  test.each([
    ["every", "bold"],
    ["plan every shift", "one"],
    ["Plan every shift, quickly", "two"],
    ["shift plan", "all"],
    ["every day", undefined],
    ["…", undefined],
    ["", undefined],
  ])("%s", (quote, id) => {
    expect(find(quote)?.id).toBe(id);
  });
});

test("a model's claim is shown on the picture, too, and keeps what the rules know beside it", () => {
  const buy = `<a href="/buy" data-agentic-style="filled pointer" ${at("100 700 90 40 16")}>Buy it</a>`;
  const html = page(`<h1 ${at("100 50 400 60")}>All shifts, planned</h1>${card("Solo", "<s>$12</s> $9", 600)}${buy}`);
  const { layout: _, ...found } = extract({ ...source, html, title: "Acme", description: "" });
  const design = { palette: [], layout: [], screenshot: "u/s.png" };
  const rules = { ...found, site: source.url, analyst: { kind: "extractive" as const }, design, usage: NO_USAGE };
  const offer = { name: "Solo", amount: 9, currency: "USD", period: "month" as const, per: null, from: false };
  const { analysis } = merge(
    rules,
    {
      positioning: { value: "All shifts, planned", quote: "All shifts, planned" },
      audience: [],
      offers: [{ ...offer, features: [], quote: "$9 per month" }],
      callsToAction: [{ value: "Buy it", quote: "Buy it" }],
      proof: [],
      layout: [],
    },
    { text: "All shifts, planned\nSolo\n$12 $9 per month\nBuy it", html, source, model: "m", usage: NO_USAGE },
  );
  expect(analysis.positioning?.evidence.crop?.box).toEqual({ x: 88, y: 38, width: 424, height: 84 });
  expect(analysis.callsToAction).toMatchObject([
    { target: "https://acme.example/buy", prominence: "primary", place: "hero" },
  ]);
  expect(analysis.offers[0]?.listPrice?.amount).toBe(12);
  expect(analysis.offers[0]?.evidence).toMatchObject({
    at: source.at,
    crop: { image: "u/full.jpg", box: { x: 88, y: 628, width: 224, height: 44 } },
  });
});
