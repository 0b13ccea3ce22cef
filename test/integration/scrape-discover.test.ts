import { describe, expect, test } from "vitest";
import { readPageLinks } from "../../functions/scrape/page-links.ts";
import { scrapingForFile } from "./scraping.ts";

const HOSTS = ["shop.test", "many.test", "loops.test", "slow.test", "delay.test", "patience.test"];
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

describe("how a site is visited", () => {
  const LOCALE = "http://shop.test/locale";

  test.each<[settings: object[], locale: string, header: string]>([
    [[], "en-US", "en-US"],
    [[{ site: "http://other.test/", language: "fr" }], "en-US", "en-US"],
    [[{ site: LOCALE, language: "de" }], "de", "de"],
    [[{ site: LOCALE, country: "CH" }], "en-CH", "en-CH"],
    [[{ site: LOCALE, language: "de", country: "CH" }], "de-CH", "de-CH"],
  ])("by the settings %j: for %s", async (settings, locale, header) => {
    const capture = await scraping.captureOf(await scraping.scrape(LOCALE, { pagesPerSite: 1, settings }));
    expect(capture.locale).toBe(locale);
    expect((await scraping.textOf(capture)).replace(/\s+/g, " ")).toMatch(new RegExp(`^${header}\\S* ?${locale}$`));
  });

  test("settings hold for a further page of the site, too", async () => {
    const item = { url: LOCALE, site: "http://shop.test/", kind: "about" };
    const settings = [{ site: "http://shop.test", language: "it" }];
    expect(await scraping.captureOf(await scraping.scrape(item, { settings }))).toMatchObject({ locale: "it" });
  });

  test.each([
    [[{ site: LOCALE, pace: 0.2 }], /^settings are invalid/],
    [[{ site: LOCALE }, { site: LOCALE }], /^settings name http:\/\/shop.test\/locale more than once$/],
  ])("settings that are none, %j: refused", async (settings, message) => {
    expect(await scraping.scrape(LOCALE, { settings })).toMatchObject({
      outcome: "failed",
      reason: "InvalidInput",
      message: expect.stringMatching(message),
    });
  });

  test.each<[what: string, url: string, settings: object[], least: number, most: number]>([
    ["robots.txt asks for four seconds", "http://delay.test/", [], 2_000, 4_000],
    ["robots.txt asks for a day", "http://patience.test/", [], 8_000, 10_000],
    [
      "the workload asks for twenty seconds",
      "http://shop.test/gone-slow",
      [{ site: "http://shop.test/gone-slow", pace: 20 }],
      15_000,
      20_000,
    ],
  ])("where %s, the host is left alone so long", async (_what, url, settings, least, most) => {
    await scraping.scrape(url, { pagesPerSite: 1, settings });
    const pause = await scraping.pauseOf(new URL(url).host);
    expect(pause).toBeGreaterThan(least);
    expect(pause).toBeLessThanOrEqual(most);
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

  test("that answers with a captcha is asked for nothing more", async () => {
    const before = scraping.site.seen.length;
    const result = await scraping.scrape("http://shop.test/captcha", { pagesPerSite: 5 });
    expect(result).toMatchObject({ outcome: "failed", reason: "Blocked" });
    expect(scraping.site.seen.slice(before)).toEqual(["shop.test /robots.txt", "shop.test /captcha"]);
  });

  test("whose scripts change what scripts can do changes nothing of its links", async () => {
    const { href, links } = await scraping.onPage("/lies", async (page) => {
      const session = await page.context().newCDPSession(page);
      return { href: new URL("/pricing", page.url()).href, links: await readPageLinks({ session }) };
    });
    expect(links).toEqual({ links: [{ href, words: "Prices" }], more: 0, canonical: "" });
  });

  test("whose sitemap never answers has its links, ten seconds later", async () => {
    const { discovery, items, ms } = await discover("http://slow.test/canonical-elsewhere");
    expect(items).toHaveLength(2);
    // A request alone may take thirty seconds.
    expect(ms).toBeLessThan(30_000);
    expect(discovery?.caveats).toEqual(["the sitemaps were not read whole: they took more than 10 s"]);
  });
});
