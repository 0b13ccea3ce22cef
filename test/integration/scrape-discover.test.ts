import { describe, expect, test } from "vitest";
import { scrapingForFile } from "./scraping.ts";

const HOSTS = ["shop.test", "many.test", "loops.test", "slow.test"];
const scraping = scrapingForFile(HOSTS);

/** What a step that succeeded returned, what it says of the site, and what it asked the site for. */
async function discover(item: string, params: Record<string, unknown> = {}) {
  scraping.site.seen.length = 0;
  const started = performance.now();
  const result = await scraping.scrape(item, params);
  expect(result).toMatchObject({ outcome: "succeeded" });
  const { discovery, canonical, site, kind } = await scraping.captureOf(result);
  return {
    items: result.items,
    discovery,
    canonical,
    site,
    kind,
    seen: [...scraping.site.seen],
    ms: performance.now() - started,
  };
}

describe("a site's further pages", () => {
  test("are found by links, each once, without tracking, on its own domain", async () => {
    const found = await discover("http://shop.test/canonical-elsewhere");
    const site = "http://shop.test/canonical-elsewhere";
    expect(found).toMatchObject({ canonical: "http://elsewhere.test/", site, kind: "home" });
    expect(found.items).toEqual([
      { url: "http://shop.test/pricing", site, kind: "pricing" },
      { url: "http://shop.test/kunden", site, kind: "customers" },
    ]);
    expect(found.discovery).toMatchObject({ unread: 0, disallowed: 0, elsewhere: 1, caveats: [] });
  });

  test("are not looked for where one page is asked for, and on a further page", async () => {
    const one = await discover("http://shop.test/canonical-elsewhere", { pagesPerSite: 1 });
    expect([one.items, one.discovery, one.seen.includes("shop.test /sitemap.xml")]).toEqual([
      undefined,
      undefined,
      false,
    ]);
    const item = { url: "http://shop.test/", site: "http://shop.test/canonical-elsewhere", kind: "pricing" };
    const further = await scraping.scrape(item);
    expect(further.items).toBeUndefined();
    expect(await scraping.captureOf(further)).toMatchObject(item);
  });

  test.each([0, 21, 1.5, "5"])("of %s pages: refused", async (pagesPerSite) => {
    expect(await scraping.scrape("http://shop.test/", { pagesPerSite })).toMatchObject({
      outcome: "failed",
      reason: "InvalidInput",
      message: "pagesPerSite: expected a whole number from 1 to 20",
    });
  });

  test.each([
    { url: "http://shop.test/" },
    { url: "http://shop.test/", site: "http://shop.test/", kind: "nonsense" },
    { url: "http://user:word@shop.test/", site: "http://shop.test/", kind: "docs" },
  ])("by the item %j: refused", async (item) => {
    expect(await scraping.scrape(item)).toMatchObject({ outcome: "failed", reason: "InvalidInput" });
  });
});

describe("a hostile site", () => {
  test("with 10,000 links and a sitemap of 50,000 pages is read in part, and says so", async () => {
    const { items, discovery, seen } = await discover("http://many.test/many-links");
    expect(items).toEqual([{ url: "http://many.test/about-us", site: "http://many.test/many-links", kind: "about" }]);
    expect(discovery?.caveats).toEqual([
      expect.stringMatching(/^\d+ more pages of the site were not read: they look like none of the kinds/),
      expect.stringMatching(/^robots.txt keeps \d+ further pages from being read$/),
      "8001 more links of the page were not looked at",
      "http://many.test/many.xml was read in part: it is larger than is read, or broken",
    ]);
    expect(seen).toEqual(["many.test /robots.txt", "many.test /many-links", "many.test /many.xml"]);
  });

  test("whose sitemaps loop, explode and lead elsewhere is asked nothing twice, and no other host anything", async () => {
    const { items, discovery, seen, ms } = await discover("http://loops.test/");
    expect(items).toEqual([{ url: "http://loops.test/preise", site: "http://loops.test/", kind: "pricing" }]);
    expect(discovery?.elsewhere).toBe(2);
    expect(discovery?.caveats).toEqual(
      expect.arrayContaining([expect.stringContaining("http://loops.test/bomb.xml.gz was read in part")]),
    );
    const maps = seen.filter((line) => /loop-|bomb/.test(line));
    expect(maps.toSorted()).toEqual(
      ["bomb.xml.gz", "loop-a.xml", "loop-b.xml", "loop-c.xml"].map((name) => `loops.test /${name}`),
    );
    expect(seen.filter((line) => !line.startsWith("loops.test "))).toEqual([]);
    expect(ms).toBeLessThan(30_000);
  });

  test("whose sitemap never answers has its links, ten seconds later", async () => {
    const { discovery, items } = await discover("http://slow.test/canonical-elsewhere");
    expect(items).toHaveLength(2);
    expect(discovery?.caveats).toEqual(["the sitemaps were not read whole: they took more than 10 s"]);
  });
});
