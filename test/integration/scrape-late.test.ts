import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { scrapingForFile } from "./scraping.ts";

// What scripts add after a page has loaded.

const scraping = scrapingForFile(["shop.test"]);
const capture = (path: string) => scraping.capture(`http://shop.test${path}`);

test.each(["/late-timer?ms=900", "/late-timer?ms=3000", "/late-answer?ms=900", "/late-answer?ms=3000"])(
  "%s is waited for",
  async (path) => {
    const seen = await capture(path);
    expect(seen.text).toContain("$9 per month");
    expect(seen.html).toContain("$9 per month");
    expect(seen.truncated).toEqual([]);
  },
);

test("a page without an end is taken as it is after a while, and the capture says so", async () => {
  const seen = await capture("/trickle");
  expect(seen.text).toContain("item 1");
  expect(seen.truncated).toEqual([expect.stringContaining("still changing")]);
});

test("a timer that is too far away is not waited for", async () => {
  const seen = await capture("/late-timer?ms=60000");
  expect(seen.text).not.toContain("$9");
  expect(seen.truncated).toEqual([]);
});

describe("a page that moves", () => {
  test.each(["/moving-fade", "/moving-style"])("%s is drawn alike each time", async (path) => {
    const [one, other] = [await capture(path), await capture(path)];
    expect(one.artifacts.screenshot).toBe(other.artifacts.screenshot);
  });

  test("with its size is drawn as it was read", async () => {
    const { artifacts } = await capture("/moving-resized");
    const { channels } = await sharp(await scraping.bytesOf(artifacts.fullPage)).stats();
    expect(channels[0]?.mean).toBeGreaterThan(200);
  });

  test.each(["/moving-endless", "/moving-stuck"])("%s is no page that still changes", async (path) => {
    const { text, truncated } = await capture(path);
    expect([text, truncated]).toEqual([expect.stringContaining("$9 per month"), []]);
  });
});
