import assert from "node:assert/strict";
import { test } from "node:test";
import { type EgressResponse, RetryableError } from "agentic-kubernetes/agent";
import { isSameHost, isSameSite } from "../src/address.js";
import { candidates, choosePages, sitemapAddresses } from "../src/discover/pages.js";

const START = "http://www.shop.example/";
const allowAll = { isAllowed: () => true, sitemaps: [] };

/** A site whose addresses answer what `answers` says: a content type, a status, where they redirect to. */
function site(answers: Readonly<Record<string, { status?: number; type?: string; url?: string } | Error>>) {
  const asked: string[] = [];
  return {
    asked,
    async head(url: string): Promise<EgressResponse> {
      asked.push(new URL(url).pathname);
      const answer = answers[new URL(url).pathname] ?? {};
      if (answer instanceof Error) throw answer;
      const { status = 200, type = "text/html; charset=utf-8", url: reached = url } = answer;
      return { status, headers: { "content-type": type }, url: reached, body: new Uint8Array(), truncated: false };
    },
  };
}
const at = (...paths: string[]): string[] => paths.map((path) => new URL(path, START).href);

test("candidates are of the start page's host, each once, without fragments, in the order of the links", () => {
  const links = [
    "/b#top",
    "http://shop.example/a",
    "/b",
    "mailto:a@shop.example",
    "http://other.example/",
    "/",
    "no url:",
  ];
  assert.deepEqual(candidates(START, links), [...at("/b"), "http://shop.example/a", ...at("/no%20url:")]);
});

test("a sitemap's addresses are decoded; a sitemap index has none", () => {
  assert.deepEqual(sitemapAddresses("<urlset><url><loc> http://a.example/?a=1&amp;b=2 </loc></url></urlset>"), [
    "http://a.example/?a=1&b=2",
  ]);
  assert.deepEqual(
    sitemapAddresses("<sitemapindex><sitemap><loc>http://a.example/1.xml</loc></sitemap></sitemapindex>"),
    [],
  );
});

test("pages are HTML, exist, and count once where addresses redirect to one of them", async () => {
  const visitor = site({
    "/home": { url: START },
    "/price.pdf": { type: "application/pdf" },
    "/gone": { status: 404 },
    "/silent": new RetryableError("Timeout", "no answer"),
    "/away": { url: "http://other.example/" },
  });
  const others = at("/home", "/price.pdf", "/gone", "/silent", "/away", "/about");
  const { pages, left } = await choosePages(START, others, 5, allowAll, visitor);
  assert.deepEqual([pages, left], [[START, ...at("/about")], 0]);
});

test("no more is asked for than is wanted, and nothing that robots.txt disallows", async () => {
  const visitor = site({});
  const robots = { isAllowed: (url: string) => !url.includes("/draft"), sitemaps: [] };
  const found = await choosePages(START, at("/a", "/draft", "/b", "/c"), 2, robots, visitor);
  assert.deepEqual(found, { pages: [START, ...at("/a")], disallowed: 1, left: 2 });
  assert.deepEqual(visitor.asked, ["/a"]);
});

test("a site of dead links is not asked for all of them", async () => {
  const dead = Array.from({ length: 100 }, (_, index) => `/${index}`);
  const visitor = site(Object.fromEntries(dead.map((path) => [path, { status: 404 }])));
  assert.equal((await choosePages(START, at(...dead), 3, allowAll, visitor)).left, 85);
});

test("an error that is not about the address ends the step", async () => {
  const visitor = site({ "/a": new RetryableError("EgressUnavailable", "the egress proxy does not answer") });
  await assert.rejects(choosePages(START, at("/a"), 2, allowAll, visitor), /egress proxy/);
});

test("a host is the same with and without www., a site includes the hosts below its own", () => {
  assert.ok(isSameHost("http://www.shop.example/a", "http://shop.example/"));
  assert.ok(!isSameHost("http://shop.example:8080/", "http://shop.example/"));
  assert.ok(isSameSite("http://cdn.shop.example/x.js", START));
  assert.ok(!isSameSite("http://othershop.example/", START));
});
