import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { pageAddress } from "../../functions/scrape/discover/address.ts";
import { choosePages } from "../../functions/scrape/discover/choose.ts";
import { kindOf } from "../../functions/scrape/discover/kinds.ts";
import { parseSitemap } from "../../functions/scrape/discover/sitemap.ts";
import { addressKey } from "../../pipelines/market-analysis/page-address.ts";

describe("the kind of a page", () => {
  test.each<[path: string, words: string, kind: string | undefined]>([
    ["/pricing", "", "pricing"],
    ["/pricing/", "Pricing", "pricing"],
    ["/plans-and-pricing.html", "", "pricing"],
    ["/x?p=7", "Pricing", "pricing"],
    ["/x", "See our pricing", "pricing"],
    ["/x", "How we came to set our pricing", undefined],
    ["/en/plans", "See our pricing", "pricing"],
    ["/preise", "Preise", "pricing"],
    ["/tarifs", "", "pricing"],
    ["/precios", "", "pricing"],
    ["/pre%C3%A7os", "", "pricing"],
    ["/prezzi", "", "pricing"],
    ["/prijzen", "", "pricing"],
    ["/priser", "", "pricing"],
    ["/hinnasto", "", "pricing"],
    ["/cennik", "", "pricing"],
    ["/cen%C3%ADk", "", "pricing"],
    ["/1", "料金プラン", "pricing"],
    ["/2", "定价", "pricing"],
    ["/3", "요금제", "pricing"],
    ["/4", "製品の機能一覧", "product"],
    ["/features", "", "product"],
    ["/l%C3%B8sninger", "", "product"],
    ["/funktionen", "Alle Funktionen", "product"],
    ["/case-studies", "", "customers"],
    ["/r%C3%A9f%C3%A9rences", "", "customers"],
    ["/ueber", "Über uns", "about"],
    ["/qui-sommes-nous", "", "about"],
    ["/o-nas", "", "about"],
    ["/whats-new", "", "changelog"],
    ["/release-notes", "", "changelog"],
    ["/karriere", "", "careers"],
    ["/lavora-con-noi", "", "careers"],
    ["/docs", "", "docs"],
    ["/centre-d-aide", "", "docs"],
    ["/blog/how-we-set-our-pricing", "Pricing", undefined],
    ["/legal/pricing", "", undefined],
    ["/how-we-came-to-love-pricing-and-what-it-did", "", undefined],
    ["/contact", "Contact", undefined],
    ["/%E0%A4%A", "", undefined],
  ])("%s, %s", (path, words, kind) => {
    expect(kindOf(new URL(path, "https://shop.example/"), words)?.kind).toBe(kind);
  });

  test("of long paths and words is judged as fast", () => {
    const url = new URL(`https://shop.example/${"pricing-".repeat(200)}`);
    const started = performance.now();
    for (let at = 0; at < 1000; at++) kindOf(url, "pricing ".repeat(200));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("an address", () => {
  test.each<[href: string, expected: string | undefined]>([
    ["/pricing#teams", "https://shop.example/pricing"],
    ["/pricing?utm_source=x&plan=b&GCLID=7", "https://shop.example/pricing?plan=b"],
    ["pricing", "https://shop.example/pricing"],
    ["mailto:a@shop.example", undefined],
    ["javascript:void(0)", undefined],
    ["https://user:password@shop.example/", undefined],
    ["/prices.pdf", undefined],
    ["/feed.xml", undefined],
    ["http://[", undefined],
  ])("%s", (href, expected) => {
    expect(pageAddress(href, "https://shop.example/")?.href).toBe(expected);
  });

  test.each([
    ["https://www.shop.example/pricing/", "http://shop.example/pricing"],
    ["https://shop.example/index.html", "https://shop.example"],
    ["https://shop.example/a?x=1&y=2", "https://shop.example/a?y=2&x=1"],
  ])("%s is the same page as %s", (one, other) => {
    expect(addressKey(one)).toBe(addressKey(new URL(other)));
  });

  test.each([
    ["https://shop.example/a?x=1", "https://shop.example/a?x=2"],
    ["https://shop.example:8443/a", "https://shop.example/a"],
    ["https://docs.shop.example/", "https://shop.example/"],
  ])("%s is another page than %s", (one, other) => {
    expect(addressKey(one)).not.toBe(addressKey(other));
  });
});

describe("the choice", () => {
  const ALL = ["/careers", "/docs", "/about", "/customers", "/features", "/pricing", "/changelog"];
  const choose = (
    links: readonly string[],
    terms: object = {},
    listed: readonly string[] = [],
    home = "https://shop.example/",
  ) =>
    choosePages(
      { home: [home], links: links.map((link) => ({ href: new URL(link, home).href, words: "" })), listed },
      { wanted: 4, allow: ["shop.example"], isAllowedByRobots: () => true, ...terms },
    );
  const paths = ({ chosen }: ReturnType<typeof choose>) => chosen.map(({ url }) => new URL(url).pathname);

  test("takes one page a kind, prices first, whatever order they are linked in", () => {
    expect(paths(choose(ALL))).toEqual(["/pricing", "/features", "/customers", "/about"]);
    expect(choose(ALL)).toEqual(choose(ALL.toReversed()));
    expect(choose(ALL)).toMatchObject({ unread: 3, disallowed: 0, elsewhere: 0 });
  });

  test("takes a second page of a kind when each kind has one", () => {
    const links = ["/pricing/enterprise", "/pricing", "/plans", "/about"];
    expect(paths(choose(links))).toEqual(["/pricing", "/about", "/plans"]);
    expect(paths(choose([...links, "/pricing/enterprise/pricing"]))).toEqual([
      "/pricing",
      "/about",
      "/plans",
      "/pricing/enterprise/pricing",
    ]);
  });

  test("takes what robots.txt allows, and asks it of so many pages only", () => {
    const asked: string[] = [];
    const isAllowedByRobots = ({ pathname }: URL) => {
      asked.push(pathname);
      return !pathname.startsWith("/pricing");
    };
    const found = choose(["/pricing", "/plans", "/about"], { isAllowedByRobots });
    expect([paths(found), found.disallowed, found.unread]).toEqual([["/plans", "/about"], 1, 0]);
    const many = Array.from({ length: 1000 }, (_, at) => `/${at}/pricing`);
    expect(choose(many, { isAllowedByRobots: () => asked.push("") === 0 }).chosen).toEqual([]);
    expect(asked.length).toBeLessThan(210);
  });

  test("stays on the site's registrable domain, and where the allow-list lets it", () => {
    const links = [
      "https://docs.shop.example/docs",
      "https://other.example/pricing",
      "http://10.0.0.1/pricing",
      "http://169.254.169.254/pricing",
      "https://shop.example:8443/pricing",
      "https://prices.example/pricing",
    ];
    expect(choose(links).chosen.map(({ url }) => url)).toEqual(["https://docs.shop.example/docs"]);
    expect(choose(links).elsewhere).toBe(5);
    const allow = ["shop.example", "prices.example"];
    expect(choose(links, { allow }).chosen.map(({ url }) => url)).toEqual([
      "https://prices.example/pricing",
      "https://docs.shop.example/docs",
    ]);
    const blogs = choose(["https://bob.github.io/pricing"], {}, [], "https://ann.github.io/");
    expect(blogs).toMatchObject({ chosen: [], elsewhere: 1 });
    const british = choose(["https://www.other.co.uk/pricing"], {}, [], "https://www.shop.co.uk/");
    expect(british).toMatchObject({ chosen: [], elsewhere: 1 });
  });

  test("counts one page once, with TLS where both are known, and never the named one", () => {
    const listed = ["https://www.shop.example/pricing/", "http://shop.example/pricing#x", "https://shop.example/"];
    const found = choose(["http://shop.example/pricing", "/index.html", "/#start"], {}, listed);
    expect(found).toMatchObject({ chosen: [{ url: "https://www.shop.example/pricing/", kind: "pricing" }], unread: 0 });
  });

  test("takes nothing from where the named page says that it belongs", () => {
    const found = choosePages(
      {
        home: ["https://shop.example/"],
        canonical: "https://other.example/pricing",
        links: [{ href: "https://other.example/about", words: "" }],
        listed: [],
      },
      { wanted: 4, allow: [], isAllowedByRobots: () => true },
    );
    expect(found).toMatchObject({ chosen: [], elsewhere: 1 });
  });

  test("keeps to the language of the named page", () => {
    const found = choose(["/de/preise", "/fr/tarifs", "/pricing"], {}, [], "https://shop.example/de/");
    expect(paths(found)).toEqual(["/de/preise"]);
  });

  test("prefers what a link names over what a sitemap lists", () => {
    const home = "https://shop.example/";
    const links = [{ href: "https://shop.example/p1", words: "Pricing" }];
    const known = { home: [home], links, listed: ["https://shop.example/a/b/c/about"] };
    const terms = { wanted: 2, allow: [], isAllowedByRobots: () => true };
    expect(paths(choosePages(known, terms))).toEqual(["/p1", "/a/b/c/about"]);
  });

  test("of a site of seven thousand pages takes no time", () => {
    const many = Array.from({ length: 7000 }, (_, at) => `/plans/${at}/pricing-${at}`);
    const started = performance.now();
    choose(many);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("a sitemap", () => {
  const LIMITS = { bytes: 1_000_000, entries: 5 };
  const parse = (xml: string | Uint8Array, limits = LIMITS) => parseSitemap(Buffer.from(xml), limits);
  const urls = (...paths: string[]) =>
    `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${paths
      .map((path) => `<url><loc>https://shop.example${path}</loc></url>`)
      .join("")}</urlset>`;

  test("lists pages, compressed or not, in namespaces and in CDATA", async () => {
    const xml = `<urlset xmlns:x="y"><url>\n<loc> https://shop.example/a?b=1&amp;c=2 </loc><image:image><image:loc>https://shop.example/a.png</image:loc></image:image></url>
      <sm:url><sm:loc><![CDATA[https://shop.example/d]]></sm:loc></sm:url></urlset>`;
    const pages = ["https://shop.example/a?b=1&c=2", "https://shop.example/d"];
    expect(await parse(xml)).toMatchObject({ pages, sitemaps: [], cut: false });
    expect(await parse(gzipSync(xml))).toMatchObject({ pages, cut: false });
  });

  test("of sitemaps lists those", async () => {
    const xml = "<sitemapindex><sitemap><loc>https://shop.example/1.xml.gz</loc></sitemap></sitemapindex>";
    expect(await parse(xml)).toMatchObject({ pages: [], sitemaps: ["https://shop.example/1.xml.gz"], cut: false });
  });

  test("of 50,000 pages is read as far as the limit", async () => {
    const xml = urls(...Array.from({ length: 50_000 }, (_, at) => `/${at}`));
    const read = await parse(xml, { bytes: 10_000_000, entries: 5_000 });
    expect([read.pages.length, read.cut, read.bytes < xml.length / 2]).toEqual([5_000, true, true]);
  });

  test("that is a gzip bomb is unpacked as far as the limit", async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000));
    const before = process.memoryUsage().rss;
    const read = await parse(bomb);
    expect([read.bytes, read.pages, read.cut]).toEqual([LIMITS.bytes, [], true]);
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
  });

  test("with a bomb of entities expands none, and reads no file", async () => {
    const lines = Array.from({ length: 10 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join("");
    const xml = `<!DOCTYPE urlset [<!ENTITY l0 "lol">${lines}<!ENTITY f SYSTEM "file:///etc/passwd">]>
      <urlset><url><loc>https://shop.example/&l9;&f;</loc></url><url><loc>https://shop.example/b</loc></url></urlset>`;
    expect(await parse(xml)).toMatchObject({ pages: ["https://shop.example/&l9;&f;", "https://shop.example/b"] });
  });

  test.each<[string, string | Uint8Array]>([
    ["no XML", "<!doctype html><title>Not found</title><p>no such page"],
    ["nothing", ""],
    ["gzip that breaks off", gzipSync(urls("/a")).subarray(0, 40)],
    ["no gzip, though it says so", Buffer.from([0x1f, 0x8b, 1, 2, 3])],
    ["elements without end", "<a>".repeat(200_000)],
    ["an address of a megabyte", urls(`/${"a".repeat(900_000)}`)],
  ])("that is %s lists nothing", async (_what, content) => {
    expect(await parse(content)).toMatchObject({ pages: [], sitemaps: [] });
  });
});
