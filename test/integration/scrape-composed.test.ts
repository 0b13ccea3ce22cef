import { describe, expect, test } from "vitest";
import { extract } from "../../functions/analyze/extract/extract.ts";
import { textOf, visibleDocument } from "../../functions/analyze/extract/visible.ts";
import { MAX_DOM_CHARS } from "../../pipelines/market-analysis/capture.ts";
import { type Captured, scrapingForFile } from "./scraping.ts";

// What a page shows beyond its light DOM: shadow roots, open and closed, and frames.

const scraping = scrapingForFile(["shop.test", "other.test"]);
const capture = (path: string) => scraping.capture(`http://shop.test${path}`);
const read = ({ html, finalUrl: url, title, description }: Captured) =>
  extract({ html, url, title, description, screenshot: "s", at: "2026-11-20T10:00:00.000Z" });

const shownBy = ({ html }: Captured) => textOf(visibleDocument(html).body);

describe("the plan and its price are found", () => {
  test.each([
    "/shadow-open",
    "/shadow-closed",
    "/shadow-declared",
    "/shadow-nested",
    "/shadow-hidden",
    "/frame-same",
    "/frame-other",
    "/frame-nested",
  ])("%s", async (path) => {
    const seen = await capture(path);
    expect(seen.text).toMatch(/Solo\n+\$9 per month/);
    expect(read(seen).offers).toMatchObject([{ name: "Solo", price: { amount: 9, currency: "USD", period: "month" } }]);
    expect(shownBy(seen)).not.toMatch(/\$[12]\b/);
    expect(seen.html).not.toContain("<template");
    expect(seen.truncated).toEqual([]);
  });
});

test("slots hold what is put into them, their own content otherwise, and what has no slot is not shown", async () => {
  const seen = await capture("/slots");
  const { text, html } = seen;
  expect(text).toMatch(/^Plans\n+Solo\n+Now \$9 per month\n+No card needed$/);
  expect(html).toMatch(
    /<x-card id="a"[^<>]*><h3[^<>]*>Solo<\/h3><p[^<>]*>Now <span slot="price"[^<>]*>\$9 per month<\/span><\/p>/,
  );
  expect(shownBy(seen)).not.toMatch(/\$[34]/);
});

test("an old price that a style sheet crosses out is none, and a page crosses out nothing by our own mark", async () => {
  const seen = await capture("/struck-by-style");
  expect(seen.html).toMatch(
    /<span class="was" data-agentic-style="struck"><b[^<>]*>\$29<\/b><\/span> <span data-agentic-box="[^<>]*">\$19<\/span>/,
  );
  expect(read(seen).offers).toMatchObject([{ name: "Solo", price: { amount: 19, currency: "USD", period: "month" } }]);
  expect(shownBy(seen)).not.toContain("$29");
});

test("what a root's style sheet hides is not in the text", async () => {
  expect((await capture("/shadow-hidden")).text).not.toMatch(/\$5|\$6/);
});

describe("frames", () => {
  test.each(["/frame-same", "/frame-other"])("%s stands in its place, its addresses are its own", async (path) => {
    const seen = await capture(path);
    const host = path === "/frame-same" ? "shop.test" : "other.test";
    expect(seen.text).toMatch(/^Before\n+Solo\n[\s\S]*\nAfter$/);
    expect(seen.html).not.toMatch(/Inside|a script's/);
    expect(read(seen).callsToAction).toMatchObject([{ text: "Buy Solo", target: `http://${host}/inside/buy` }]);
  });

  test("that nobody sees, or that were refused, are left out", async () => {
    expect((await capture("/frame-hidden")).text).toBe("Plans");
    expect((await capture("/frame-refused")).text).toMatch(/^Plans\n+After$/);
  });

  test("whose thread is busy hold up nothing else", async () => {
    const seen = await capture("/frame-busy");
    expect(seen.text).toMatch(/^Plans\n+After$/);
    expect(seen.truncated).toEqual(["1 frame left out or cut: no answer"]);
  });

  test("are read up to a number, and up to a depth", async () => {
    const many = await capture("/frame-many");
    expect(many.text.match(/in a frame/g)).toHaveLength(20);
    expect(many.truncated).toEqual(["10 frames left out or cut: more than 20"]);
    const deep = await capture("/frame-within");
    expect(deep.text).toMatch(/level 4$/);
    expect(deep.truncated).toContain("1 frame left out or cut: deeper than 4 in others");
  });

  test("within each other, deeper than Chromium can tell, are no reason to lose the page", async () => {
    const seen = await capture("/frame-abyss");
    expect(seen.text).toMatch(/Solo, \$9 per month$/);
    expect(seen.truncated).toContain("1 frame left out or cut: nested without end");
  });
});

test("a root of megabytes is cut, and the capture says so", async () => {
  const { html, truncated } = await capture("/shadow-large");
  expect(html.length).toBeLessThanOrEqual(MAX_DOM_CHARS);
  expect(truncated).toContainEqual(expect.stringMatching(/^DOM cut at 2\.0 million characters/));
});

test.each(["/shadow-instructs", "/frame-instructs"])("%s: what speaks to a model is reported", async (path) => {
  expect(read(await capture(path)).caveats).toEqual([expect.stringContaining("tries to instruct")]);
});
