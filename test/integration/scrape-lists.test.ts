import { expect, test } from "vitest";
import { scrapingForFile } from "./scraping.ts";

// Lists that hold only the rows that they show.

const scraping = scrapingForFile(["shop.test"]);
const capture = (path: string) => scraping.capture(`http://shop.test${path}`);
const namesIn = (text: string) => [...text.matchAll(/(?:Row|Plan) (\d+)/g)].map(([, at]) => Number(at));
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at);

test.each(["/list-page", "/list-pool"])(
  "%s: all rows are read, once and in their order, where they stand",
  async (path) => {
    const { text, html, truncated } = await capture(path);
    expect(namesIn(text).toSorted((a, b) => a - b)).toEqual(upTo(100));
    // A pool of rows has those that it shows in an order of its own.
    if (path === "/list-page") expect(namesIn(text)).toEqual(upTo(100));
    expect(namesIn(text).slice(20)).toEqual(upTo(100).slice(20));
    expect(text).toMatch(/\$99 per month\s+The end$/);
    expect(new Set(namesIn(html)).size).toBe(100);
    expect(truncated).toEqual([]);
  },
);

test("their plans are found", async () => {
  const captured = await scraping.scrape("http://shop.test/list-page", { pagesPerSite: 1 });
  const { offers } = await scraping.analyze(captured);
  expect(offers.map(({ name, price }) => `${name}: ${price?.amount}`)).toEqual(
    upTo(10).map((at) => `Plan ${at * 10 + 9}: ${at * 10 + 9}`),
  );
});

test("a list without an end is read to a number of rows, and the capture says so; a row gives no mark", async () => {
  const { text, html, truncated } = await capture("/list-long");
  expect(truncated).toContainEqual(
    expect.stringMatching(/only while it is scrolled: \d+ of them were read, and no more/),
  );
  const names = namesIn(text);
  expect(names.length).toBeGreaterThan(50);
  expect(names.length).toBeLessThanOrEqual(520);
  expect(names).toEqual(upTo(names.length));
  expect(html).toContain('<div style="position:absolute;height:50px;top:650px"><b>Row 13</b>');
});

test("figures that count up, and a list that holds all that it has, are read as they are", async () => {
  const { text, truncated } = await capture("/list-counts");
  expect(text).toMatch(/1000 teams\s+2000 shops\s+3000 people\s+Line 0\s/);
  expect(text.match(/teams|Line 59/g)).toEqual(["teams", "Line 59"]);
  expect(truncated).toEqual([]);
});
